#pragma once
/// What a training needs to go on as if it had never stopped.
#include <memory>

#include "common/parameters.hpp"
#include "common/tensor_arrays.hpp"
#include "learning_to_explain/objective.hpp"

namespace learning_to_explain {

struct Training {
  std::unique_ptr<Model> model;
  experiments::Adam adam;
  AdaptiveStep step{.rate = 1e-3};
  std::int64_t update = 0;  // updates done
  double loss_sum = 0;      // since the last evaluation
  std::int64_t loss_count = 0;
  double seconds = 0;  // spent so far, over all pieces of the run
  std::int64_t best_update = -1;
  double best_mse = 0;
  double mse = 0, precision = 0;     // of the last evaluation, for the display
  std::int64_t evaluated = -1;       // update of the last evaluation
  std::uint64_t metrics_length = 0;  // bytes of metrics.jsonl that belong to this state
};

std::unique_ptr<Model> fresh_model(const Objective& objective, const Vocabulary& vocabulary);
Training fresh_training(const Objective& objective, const Vocabulary& vocabulary);

void save_training(const Path& path, const Training& training,
                   const experiments::CheckpointKey& key);
Training load_training(const Path& path, const Objective& objective, const Vocabulary& vocabulary);

/// The best model alone.
void save_model(const Path& path, const Model& model, std::int64_t update,
                const experiments::CheckpointKey& key);
/// Returns the update it was saved at.
std::int64_t load_model(const Path& path, Model& model);

}  // namespace learning_to_explain
