#pragma once
/// The networks: an encoder that scores the words of a review, and a predictor that rates an aspect
/// from the words selected.
///
/// simple    Each word by itself: its vector, a hidden layer, one score. It knows no neighbours.
/// complex   The selector of L2X (Chen et al. 2018): convolutions of width 3, their maximum over
/// the
///           review joined to each place, two layers more.
///
/// The paper's own sizes were not published; both are reconstructions. Word vectors are those of
/// the corpus, fixed, or learnt together with the rest where the corpus has none.
#include <cstdint>
#include <optional>

#include <ATen/ATen.h>

#include "common/parameters.hpp"

namespace learning_to_explain {

using experiments::Parameters;

struct ModelShape {
  bool complex;
  std::int64_t words;              // in the vocabulary
  std::int64_t embedding;          // length of learnt word vectors
  std::int64_t hidden, predictor;  // widths
  std::int64_t scores;             // per word: 1, or 2 with one for it and the next together
  double dropout;
};

class Model {
 public:
  /// `vectors` [words, length], fixed; undefined: learnt.
  Model(const ModelShape& shape, const at::Tensor& vectors, std::uint64_t seed);

  /// The vectors of a batch's words, [words, length]: its texts repeat few words, so that what
  /// depends on a word alone is worked out once.
  at::Tensor embed(const at::Tensor& words) const;

  /// [batch, longest, scores] of the words at `places` [batch, longest] of `vectors`. `lengths`
  /// keeps the maximum over a review to its own words; `dropout_seed`: drop features at random, as
  /// in training.
  at::Tensor scores(const at::Tensor& vectors, const at::Tensor& places, const at::Tensor& lengths,
                    std::optional<std::int64_t> dropout_seed) const;

  /// A rating in [0, 1] from the sum of selected vectors / k, for selections [..., longest] of
  /// the words at `places` [..., longest] of `vectors`: [...].
  at::Tensor predict(const at::Tensor& vectors, const at::Tensor& places,
                     const at::Tensor& selection, std::int64_t k) const;

  const Parameters& parameters() const { return parameters_; }

 private:
  struct Layer {
    std::size_t weight = 0, bias = 0;
  };
  Layer declare(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t width = 1);
  at::Tensor apply(const Layer& layer, const at::Tensor& input) const;
  at::Tensor convolve(const Layer& layer, const at::Tensor& input) const;

  ModelShape shape_;
  at::Generator generator_;
  Parameters parameters_;
  at::Tensor fixed_;
  std::optional<std::size_t> learnt_;
  Layer first_, global_, local1_, local2_, joined_, score_, rate1_, rate2_;
};

}  // namespace learning_to_explain
