#pragma once
/// Reviews as tensors.
#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "learning_to_explain/corpus.hpp"

namespace learning_to_explain {

/// What a model must know of a corpus' words.
struct Vocabulary {
  explicit Vocabulary(const Corpus& corpus);

  std::int64_t size;  // ids
  /// The corpus' vectors, [size, length], 0 for no word and for the unknown; undefined where it has
  /// none.
  at::Tensor vectors;
};

struct Batch {
  at::Tensor words;    // [words], int64: the ids that occur, each once; the first is 0, no word
  at::Tensor places;   // [batch, longest], int64: where in `words`; 0 behind each review's end
  at::Tensor lengths;  // [batch], int64
  at::Tensor ratings;  // [batch]
  at::Tensor truth;    // [batch, longest]: 1 where a word speaks of the aspect; 0 where not known
};

/// Reviews number `which`, padded to the longest of them.
Batch make_batch(const std::vector<Review>& reviews, const std::vector<std::size_t>& which);

/// Numbers first .. first + count - 1 out of `total`, or as many as there are.
std::vector<std::size_t> run_of(std::size_t first, std::size_t count, std::size_t total);

}  // namespace learning_to_explain
