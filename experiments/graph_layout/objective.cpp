#include "graph_layout/objective.hpp"

#include <algorithm>
#include <cmath>

#include <torch/csrc/autograd/autograd.h>

#include "common/seeds.hpp"

namespace graph_layout {
namespace {

constexpr double precision_of_positions = 1 / (2 * 5e-5);  // a Gaussian of variance 5e-5

double mean_of(const at::Tensor& values) { return values.detach().mean().item<double>(); }

/// [batch, nodes, frames, 2] to [batch, frames, nodes, 2].
at::Tensor by_frame(const at::Tensor& positions) { return positions.transpose(1, 2).contiguous(); }

at::Tensor squared_error(const at::Tensor& predicted, const at::Tensor& truth) {
  return (predicted - truth).square().flatten(1).sum(1);
}

}  // namespace

EdgeLaw law_of(const std::string& row) {
  if (row == "independent_edges") return EdgeLaw::independent_edges;
  return row == "top_edges" ? EdgeLaw::top_edges : EdgeLaw::spanning_tree;
}

std::int64_t seed_for(std::int64_t seed, Purpose purpose, std::int64_t counter) {
  return experiments::seed_for(seed, static_cast<std::uint32_t>(purpose), counter);
}

at::Tensor prediction_loss(const Model& model, const at::Tensor& positions,
                           const at::Tensor& edge_weights, std::int64_t prediction_steps,
                           const std::vector<std::int64_t>& chosen) {
  const at::Tensor frames = by_frame(positions);
  const std::int64_t transitions = frames.size(1) - 1;
  const double scale = precision_of_positions / static_cast<double>(frames.size(2));
  if (!chosen.empty()) {
    const at::Tensor index = at::tensor(chosen).to(positions.device());
    const at::Tensor predicted = model.decode(frames.index_select(1, index), edge_weights);
    const double share = static_cast<double>(chosen.size()) / static_cast<double>(transitions);
    return squared_error(predicted, frames.index_select(1, index + 1)) * (scale / share);
  }
  // Every restart is unrolled side by side; the later ones may reach the end sooner.
  const std::int64_t restarts = (transitions + prediction_steps - 1) / prediction_steps;
  at::Tensor current = frames.slice(1, 0, transitions, prediction_steps);
  at::Tensor total;
  for (std::int64_t step = 0; step < std::min(prediction_steps, transitions); ++step) {
    const std::int64_t active = std::min(restarts, (transitions - step - 1) / prediction_steps + 1);
    current = model.decode(current.narrow(1, 0, active), edge_weights);
    const at::Tensor truth =
        frames.slice(1, step + 1, transitions + 1, prediction_steps).narrow(1, 0, active);
    const at::Tensor error = squared_error(current, truth);
    total = total.defined() ? total + error : error;
  }
  return total * scale;
}

void MovingAverage::add(double loss) {
  constexpr double decay = 0.99;
  sum = decay * sum + (1 - decay) * loss;
  weight = decay * weight + (1 - decay);
}

at::Tensor Objective::weighted_kl(const at::Tensor& theta, std::int64_t update,
                                  double* plain) const {
  const at::Tensor kl =
      sampler.kl(theta, options.kl_over == "directed") / static_cast<double>(sampler.nodes());
  *plain = mean_of(kl);
  double weight = options.kl_weight;
  if (update < options.kl_warm_up) {
    weight *= static_cast<double>(update) / static_cast<double>(options.kl_warm_up);
  }
  return kl.mean() * weight;
}

std::vector<std::int64_t> Objective::chosen_frames(std::int64_t update) const {
  const std::int64_t transitions = options.frames - 1, wanted = options.frames_per_update;
  if (wanted == 0 || wanted == transitions) return {};
  std::vector<std::int64_t> all(static_cast<std::size_t>(transitions));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
  for (std::size_t i = 0; i < static_cast<std::size_t>(wanted); ++i) {
    const auto draw = static_cast<std::size_t>(
        seed_for(task.seed, Purpose::frames, update * transitions + static_cast<std::int64_t>(i)));
    std::swap(all[i], all[i + draw % (all.size() - i)]);
  }
  all.resize(static_cast<std::size_t>(wanted));
  std::ranges::sort(all);
  return all;
}

Loss Objective::operator()(Model& model, const at::Tensor& positions, std::int64_t update,
                           MovingAverage& average) const {
  if (decoder_only(update)) return decoder_alone(model, positions, update);
  return task.estimator == Estimator::relaxed ? relaxed(model, positions, update)
                                              : score_function(model, positions, update, average);
}

double Objective::temperature(std::int64_t update) const {
  const double progress = static_cast<double>(update) / static_cast<double>(options.updates);
  return task.temperature * std::pow(task.final_temperature / task.temperature, progress);
}

Loss Objective::decoder_alone(Model& model, const at::Tensor& positions,
                              std::int64_t update) const {
  const at::Tensor utility = sampler.perturb(sampler.nearness(positions, options.nearness),
                                             seed_for(task.seed, Purpose::training, update));
  const at::Tensor sample =
      sampler.soft(utility, temperature(update), task.utility_range, std::nullopt);
  Loss loss;
  loss.total = prediction_loss(model, positions, sampler.edge_weights(sample),
                               options.prediction_steps, chosen_frames(update))
                   .mean();
  loss.nll = mean_of(loss.total);
  return loss;
}

Loss Objective::relaxed(Model& model, const at::Tensor& positions, std::int64_t update) const {
  const double progress = static_cast<double>(update) / static_cast<double>(options.updates);
  const at::Tensor theta = sampler.locations(model.encode(positions, true).scores);
  const at::Tensor utility = sampler.perturb(theta, seed_for(task.seed, Purpose::training, update));
  const std::optional<double> difference =
      options.reference_quirks ? std::optional(options.difference_step) : std::nullopt;
  at::Tensor sample = sampler.soft(utility, temperature(update), task.utility_range, difference);
  if (progress >= options.hard_after) sample = sample + (sampler.hard(utility) - sample).detach();
  const at::Tensor nll = prediction_loss(model, positions, sampler.edge_weights(sample),
                                         options.prediction_steps, chosen_frames(update));
  Loss loss;
  loss.total = nll.mean() + weighted_kl(theta, update, &loss.kl);
  loss.nll = mean_of(nll);
  return loss;
}

Loss Objective::score_function(Model& model, const at::Tensor& positions, std::int64_t update,
                               MovingAverage& average) const {
  const bool quirks = options.reference_quirks;
  const std::int64_t samples = task.estimator == Estimator::leave_one_out ? options.samples : 1;
  const std::int64_t batch = positions.size(0);
  const Model::Encoded encoded = model.encode(positions, true);
  const at::Tensor theta = sampler.locations(encoded.scores);
  const auto repeat = [&](const at::Tensor& x) {
    if (samples == 1) return x;
    return x.unsqueeze(0)
        .expand([&] {
          std::vector<std::int64_t> shape = x.sizes().vec();
          shape.insert(shape.begin(), samples);
          return shape;
        }())
        .flatten(0, 1);
  };
  const at::Tensor theta_of_sample = repeat(theta);
  const at::Tensor utility =
      sampler.perturb(theta_of_sample.detach(), seed_for(task.seed, Purpose::training, update));
  const at::Tensor nll =
      prediction_loss(model, repeat(positions), sampler.edge_weights(sampler.hard(utility)),
                      options.prediction_steps, chosen_frames(update));
  const at::Tensor log_density =
      sampler.log_density(theta_of_sample, utility, options.kl_over == "directed");

  Loss loss;
  loss.nll = mean_of(nll);
  const at::Tensor kl = weighted_kl(theta, update, &loss.kl);
  const at::Tensor cost = nll.detach();
  // The reference counts this batch in and starts from 0 without a correction.
  if (quirks) average.add(loss.nll);
  const double expected = quirks ? average.sum : average.value();
  if (!quirks) average.add(loss.nll);

  at::Tensor advantage, extra;
  double scale = 1;
  if (task.estimator == Estimator::leave_one_out) {
    const at::Tensor table = cost.view({samples, batch});
    const auto others = static_cast<double>(samples - 1);
    // (cost - mean of the others) = samples / (samples - 1) (cost - mean of all).
    advantage = (table - table.mean(0, true)).flatten();
    if (quirks) {
      scale = static_cast<double>(samples) / others;  // on the decoder's loss too
    } else {
      advantage = advantage * (static_cast<double>(samples) / others);
    }
  } else if (task.estimator == Estimator::nvil) {
    const at::Tensor guess = model.baseline(quirks ? encoded.features : encoded.features.detach());
    advantage = cost - expected - guess.detach();
    extra = (cost - expected - guess).square().mean() / static_cast<double>(sampler.nodes());
  } else if (options.baseline == "batch_mean") {
    advantage = cost - cost.mean();
  } else {
    advantage = options.baseline == "none" ? cost : cost - expected;
  }
  loss.total = (nll + advantage * log_density).mean() * scale + kl;
  if (extra.defined()) loss.total = loss.total + extra;
  return loss;
}

Evaluation evaluate(Model& model, const Objective& objective, const Split& split,
                    std::int64_t count, std::int64_t seed, bool batch_statistics) {
  const at::NoGradGuard no_grad;
  const Sampler& sampler = objective.sampler;
  const auto device = model.moments().device();
  double nll = 0, kl = 0, precision[2] = {0, 0}, recall[2] = {0, 0};
  for (std::int64_t first = 0; first < count; first += objective.options.evaluation_batch) {
    const std::int64_t size = std::min(objective.options.evaluation_batch, count - first);
    const at::Tensor positions = split.positions.narrow(0, first, size).to(device);
    const at::Tensor truth = sampler.ordered(split.trees.narrow(0, first, size)).to(device);
    const at::Tensor theta = sampler.locations(model.encode(positions, batch_statistics).scores);
    const at::Tensor utility = sampler.perturb(theta, seed_for(seed, Purpose::evaluation, first));
    const at::Tensor edges = sampler.edge_weights(sampler.hard(utility));
    nll += prediction_loss(model, positions, edges, 1).sum(at::kDouble).item<double>();
    kl +=
        sampler.kl(theta, objective.options.kl_over == "directed").sum(at::kDouble).item<double>();
    for (int type = 0; type < 2; ++type) {
      const at::Tensor guess = edges.select(2, type);
      const at::Tensor hits = (guess * truth).sum(1), guesses = guess.sum(1);
      // A layout without any guessed edge counts as precision 0; the reference makes it NaN.
      precision[type] += (hits / guesses.clamp_min(1)).sum(at::kDouble).item<double>();
      recall[type] += (hits / truth.sum(1)).sum(at::kDouble).item<double>();
    }
  }
  const auto total = static_cast<double>(count);
  // Nothing tells two free types apart, so the one that looks more like the edges is scored.
  const bool free = sampler.law() == EdgeLaw::independent_edges;
  const int type = free && precision[0] > precision[1] ? 0 : 1;
  Evaluation result;
  result.nll = nll / total;
  result.kl = kl / total / static_cast<double>(sampler.nodes());
  result.elbo = -(result.nll + result.kl);
  result.edge_precision = precision[type] / total;
  result.edge_recall = recall[type] / total;
  return result;
}

double nearest_tree_precision(const Split& split, std::int64_t nodes) {
  const Sampler sampler(EdgeLaw::spanning_tree, nodes, at::kCPU);
  const at::Tensor nearest = sampler.hard(sampler.nearness(split.positions, 1));
  const at::Tensor edges = sampler.edge_weights(nearest).select(2, 1);
  return ((edges * sampler.ordered(split.trees)).sum() / edges.sum()).item<double>();
}

namespace {

template <class Value>
nlohmann::json rows_of(const at::Tensor& table) {
  const at::Tensor dense = table.cpu().contiguous();
  nlohmann::json rows = nlohmann::json::array();
  for (std::int64_t r = 0; r < dense.size(0); ++r) {
    const Value* row = dense[r].const_data_ptr<Value>();
    rows.push_back(std::vector<Value>(row, row + dense[r].numel()));
  }
  return rows;
}

}  // namespace

nlohmann::json picture(Model& model, const Objective& objective, const Split& split,
                       std::int64_t count) {
  const at::NoGradGuard no_grad;
  const Sampler& sampler = objective.sampler;
  const std::int64_t nodes = sampler.nodes();
  count = std::min(count, split.positions.size(0));
  const at::Tensor positions = split.positions.narrow(0, 0, count);
  const at::Tensor trees = split.trees.narrow(0, 0, count);
  const at::Tensor theta =
      sampler.locations(model.encode(positions.to(model.moments().device()), false).scores);
  const at::Tensor utility =
      sampler.perturb(theta, seed_for(objective.task.seed, Purpose::picture, 0));
  const at::Tensor hard = sampler.edge_weights(sampler.hard(utility)).cpu();
  const at::Tensor soft =
      sampler
          .edge_weights(sampler.soft(utility, objective.task.final_temperature,
                                     objective.task.utility_range, std::nullopt))
          .cpu();
  // The type that means "edge" is the one that fits the trees better.
  const at::Tensor truth = sampler.ordered(trees);
  const bool directed = sampler.law() == EdgeLaw::independent_edges;
  const auto fit = [&](int type) {
    return ((hard.select(2, type) * truth).sum() / hard.select(2, type).sum().clamp_min(1))
        .item<double>();
  };
  const int type = directed && fit(0) > fit(1) ? 0 : 1;

  nlohmann::json samples = nlohmann::json::array();
  for (std::int64_t g = 0; g < count; ++g) {
    nlohmann::json edges = nlohmann::json::array(), frames = nlohmann::json::array();
    std::vector<float> matrix(static_cast<std::size_t>(nodes * nodes), 0);
    std::int64_t pair = 0;
    for (std::int64_t i = 0; i < nodes; ++i) {
      for (std::int64_t j = 0; j < nodes; ++j) {
        if (j == i) continue;
        matrix[static_cast<std::size_t>(i * nodes + j)] = soft[g][pair][type].item<float>();
        const bool present = hard[g][pair][type].item<float>() > 0.5f;
        if (present && (directed || i < j)) edges.push_back({i, j});
        ++pair;
      }
    }
    const at::Tensor by_time = positions[g].transpose(0, 1).contiguous();
    for (std::int64_t t = 0; t < by_time.size(0); ++t) frames.push_back(rows_of<float>(by_time[t]));
    samples.push_back({{"truth", rows_of<std::uint8_t>(trees[g])},
                       {"positions", frames},
                       {"edges", edges},
                       {"soft", matrix}});
  }
  return samples;
}

}  // namespace graph_layout
