#pragma once
/// Reviews as tensors.
#include <map>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "learning_to_explain/corpus.hpp"

namespace learning_to_explain {

/// Words and their numbers; 0 stands for no word, behind a review's end.
class Vocabulary {
 public:
  static constexpr std::int64_t unknown = 1;

  /// The words of a corpus that has vectors are those; else its training words that occur
  /// `least_count` times or more.
  Vocabulary(const Corpus& corpus, std::int64_t least_count);

  std::int64_t size() const { return static_cast<std::int64_t>(ids_.size()) + 2; }
  std::int64_t id(const std::string& word) const;
  /// The corpus' vectors, [size, length], 0 for no word and for the unknown; undefined where it has
  /// none.
  const at::Tensor& vectors() const { return vectors_; }

 private:
  std::map<std::string, std::int64_t> ids_;
  at::Tensor vectors_;
};

struct Batch {
  at::Tensor words;    // [batch, longest], int64, 0 behind each review's end
  at::Tensor lengths;  // [batch], int64
  at::Tensor ratings;  // [batch]
  at::Tensor truth;    // [batch, longest]: 1 where a word speaks of the aspect; 0 where not known
};

/// Reviews number `which`, padded to the longest of them.
Batch make_batch(const std::vector<Review>& reviews, const std::vector<std::size_t>& which,
                 const Vocabulary& vocabulary);

/// Numbers first .. first + count - 1 out of `total`, or as many as there are.
std::vector<std::size_t> run_of(std::size_t first, std::size_t count, std::size_t total);

}  // namespace learning_to_explain
