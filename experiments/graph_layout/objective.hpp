#pragma once
/// What training minimises and what a model is judged by.
#include <cstdint>

#include <ATen/ATen.h>

#include "graph_layout/data.hpp"
#include "graph_layout/model.hpp"
#include "graph_layout/options.hpp"
#include "graph_layout/sampler.hpp"

namespace graph_layout {

EdgeLaw law_of(const std::string& row);

/// The seed of one draw of noise: a function of the task's seed, what it is for and a counter.
std::int64_t seed_for(std::int64_t seed, Purpose purpose, std::int64_t counter);

/// Minus the log-likelihood of every frame after the first, without its constant, per vertex:
/// [batch]. The decoder sees the true frame every `prediction_steps` frames and its own prediction
/// in between. `chosen`, if not empty, are the transitions to count in (prediction_steps = 1), and
/// stand for all.
at::Tensor prediction_loss(const Model& model, const at::Tensor& positions,
                           const at::Tensor& edge_weights, std::int64_t prediction_steps,
                           const std::vector<std::int64_t>& chosen = {});

/// The running mean of the loss that a score-function gradient is measured against.
struct MovingAverage {
  double sum = 0, weight = 0;
  double value() const { return weight > 0 ? sum / weight : 0; }
  void add(double loss);
};

struct Loss {
  at::Tensor total;  // what to differentiate
  double nll = 0, kl = 0;
};

/// Everything about one task that never changes.
struct Objective {
  Options options;
  Task task;
  Sampler sampler;

  /// Is this one of the updates in which the decoder alone learns, or the encoder alone?
  bool decoder_only(std::int64_t update) const { return update < options.decoder_first; }
  bool encoder_only(std::int64_t update) const {
    return !decoder_only(update) && update < options.decoder_first + options.encoder_first;
  }

  Loss operator()(Model& model, const at::Tensor& positions, std::int64_t update,
                  MovingAverage& average) const;

 private:
  Loss decoder_alone(Model& model, const at::Tensor& positions, std::int64_t update) const;
  Loss relaxed(Model& model, const at::Tensor& positions, std::int64_t update) const;
  Loss score_function(Model& model, const at::Tensor& positions, std::int64_t update,
                      MovingAverage& average) const;
  double temperature(std::int64_t update) const;
  at::Tensor weighted_kl(const at::Tensor& theta, std::int64_t update, double* plain) const;
  std::vector<std::int64_t> chosen_frames(std::int64_t update) const;
};

struct Evaluation {
  double elbo = 0, nll = 0, kl = 0, edge_precision = 0, edge_recall = 0;
};

/// One hard sample a layout, the true frame given at every step; the first `count` layouts.
Evaluation evaluate(Model& model, const Objective& objective, const Split& split,
                    std::int64_t count, std::int64_t seed, bool batch_statistics);

/// How much of the truth is known without learning: the part of edges that are true in the spanning
/// trees of least total distance in the last frame.
double nearest_tree_precision(const Split& split, std::int64_t nodes);

/// The poster's picture: for the first `count` layouts their positions and trees, and this model's
/// hard and soft sample.
nlohmann::json picture(Model& model, const Objective& objective, const Split& split,
                       std::int64_t count);

}  // namespace graph_layout
