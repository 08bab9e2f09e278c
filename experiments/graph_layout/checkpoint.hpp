#pragma once
/// What a training needs to go on as if it had never stopped.
#include <memory>
#include <optional>

#include "common/files.hpp"
#include "common/parameters.hpp"
#include "common/tensor_arrays.hpp"
#include "graph_layout/model.hpp"
#include "graph_layout/objective.hpp"

namespace graph_layout {

/// A model in training. There are several at first, where scouts are asked for.
struct Candidate {
  std::unique_ptr<Model> model;
  Adam adam;
  MovingAverage average;  // of the loss, for score-function gradients
  double loss_sum = 0;    // since the last evaluation
  std::int64_t loss_count = 0;
  double trial_sum = 0;  // of the loss, in the second half of scouting
};

struct Training {
  std::vector<Candidate> candidates;
  std::int64_t update = 0;           // updates done
  std::vector<double> scout_losses;  // mean training loss of each scout, once they are compared
  double seconds = 0;                // spent so far, over all pieces of the run
  std::int64_t best_update = -1;
  double best_elbo = 0;
  double elbo = 0, precision = 0;    // of the last evaluation, for the display
  std::int64_t evaluated = -1;       // update of the last evaluation
  std::uint64_t metrics_length = 0;  // bytes of metrics.jsonl that belong to this state
};

/// The reader of a checkpoint builds its models with `fresh_model`.
using experiments::CheckpointKey;

void save_training(const experiments::Path& path, const Training& training,
                   const CheckpointKey& key);
Training load_training(const experiments::Path& path, const Options& options, const Task& task);

/// The best model alone, every array under its own name.
void save_model(const experiments::Path& path, const Model& model, std::int64_t update,
                const CheckpointKey& key);
/// Returns the update it was saved at.
std::int64_t load_model(const experiments::Path& path, Model& model);

/// A model as it is before its first update.
std::unique_ptr<Model> fresh_model(const Options& options, const Task& task,
                                   std::int64_t scout = 0);
/// Number `scout` of the models that start.
Candidate fresh_candidate(const Options& options, const Task& task, std::int64_t scout);

}  // namespace graph_layout
