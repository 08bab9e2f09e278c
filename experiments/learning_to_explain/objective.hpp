#pragma once
/// What training minimises and what a model is judged by.
#include <cstdint>

#include <ATen/ATen.h>

#include "learning_to_explain/batches.hpp"
#include "learning_to_explain/model.hpp"
#include "learning_to_explain/selector.hpp"

namespace learning_to_explain {

std::int64_t seed_for(const Task& task, Purpose purpose, std::int64_t counter);

/// Everything about one task that never changes.
struct Objective {
  Options options;
  Task task;
  Selector selector;

  Objective(const Options& all, const Task& one)
      : options(all), task(one), selector(one, all.perturb_pairs) {}

  at::Tensor theta(const Model& model, const Batch& batch, const at::Tensor& vectors,
                   std::optional<std::int64_t> dropout_seed) const;

  /// The mean squared error of the batch, with its gradient.
  at::Tensor operator()(const Model& model, const Batch& batch, std::int64_t update,
                        AdaptiveStep& step) const;

 private:
  at::Tensor score_function(const Model& model, const Batch& batch, const at::Tensor& vectors,
                            const at::Tensor& theta, std::int64_t seed) const;
};

/// Squared errors are of ratings in [0, 1], and not multiplied by 100.
struct Evaluation {
  double mse = 0, sampled_mse = 0;              // of the best selections, of drawn ones
  double precision = 0, sampled_precision = 0;  // part of the selected words that are true ones
};

/// Errors on `rated`, precision on `annotated`: over all words selected in all its reviews. NaN
/// where that is empty.
Evaluation evaluate(const Model& model, const Objective& objective,
                    const std::vector<Review>& rated, const std::vector<Review>& annotated,
                    std::int64_t seed);

/// The mean squared error of the mean training rating: what a rating without a review would be.
double constant_mse(const std::vector<Review>& train, const std::vector<Review>& test);

/// The part of all words that are true ones: the precision of a selection by chance.
double chance_precision(const std::vector<Review>& annotated);

/// The first `count` reviews: words, truth (0 where not known), rating, the best selection, and how
/// often `draws` drawn selections have each word.
nlohmann::json picture(const Model& model, const Objective& objective,
                       const std::vector<Review>& reviews, std::int64_t count, std::int64_t draws);

}  // namespace learning_to_explain
