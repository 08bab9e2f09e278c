#include "graph_layout/train.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numbers>

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>

#include "common/error.hpp"
#include "graph_layout/checkpoint.hpp"
#include "graph_layout/data.hpp"
#include "graph_layout/objective.hpp"

namespace graph_layout {
namespace {

using experiments::Clock;
using experiments::seconds_since;
using Json = nlohmann::json;

double learning_rate(const Options& o, const Task& task, std::int64_t update) {
  double rate = task.lr;
  const double progress = static_cast<double>(update) / static_cast<double>(o.updates);
  if (update < o.warm_up) {
    rate *= static_cast<double>(update + 1) / static_cast<double>(o.warm_up);
  }
  if (o.schedule == "linear") rate *= 1 - (1 - o.final_lr) * progress;
  if (o.schedule == "cosine") {
    rate *= o.final_lr + (1 - o.final_lr) * 0.5 * (1 + std::cos(std::numbers::pi * progress));
  }
  return rate;
}

class Trainer {
 public:
  Trainer(const Options& options, const Task& task, int threads, experiments::Progress& progress)
      : options_(options),
        task_(task),
        folder_(folder_of(options, task)),
        key_{identity(options, task), threads},
        objective_{options, task,
                   Sampler(law_of(task.row), options.nodes, at::Device(options.device))},
        progress_(progress) {}

  void run() {
    start();
    data_ = load_data(options_);
    while (true) {
      if (evaluation_due()) {
        evaluate_now();
        save();
      }
      if (training_.update >= options_.updates) break;
      step();
      if (seconds_since(saved_) >= options_.checkpoint_seconds) save();
    }
    finish();
  }

 private:
  /// From the last checkpoint, or from nothing.
  void start() {
    experiments::prepare_folder(folder_.folder, "--out");
    if (std::filesystem::exists(folder_.last())) {
      // Sums are cut by the number of threads: it is kept, so that the bits are.
      key_.threads = experiments::read_key(folder_.last()).threads;
      training_ = load_training(folder_.last(), options_, task_);
    } else {
      for (std::int64_t scout = 0; scout < task_.scouts; ++scout) {
        training_.candidates.push_back(fresh_candidate(options_, task_, scout));
      }
    }
    at::set_num_threads(key_.threads);
    experiments::cut_file(folder_.metrics(), training_.metrics_length, "metrics file");
    begun_ = saved_ = Clock::now();
    first_update_ = training_.update;
    progress_.updates = options_.updates;
    progress_.update = training_.update;
    progress_.score = training_.elbo;
    progress_.precision = training_.precision;
    progress_.evaluated = training_.evaluated >= 0;
    progress_.state = experiments::Progress::running;
    seconds_before_ = training_.seconds;
  }

  bool evaluation_due() const {
    const std::int64_t update = training_.update;
    return training_.evaluated != update &&
           (update % options_.evaluate_every == 0 || update == options_.updates);
  }

  /// One learning rate per parameter, as a factor on the schedule's.
  at::Tensor rates(const Model& model) const {
    at::Tensor rates = at::full_like(model.parameters().values(), options_.encoder_lr);
    model.decoder_part(rates).fill_(
        objective_.encoder_only(training_.update) ? 0 : options_.decoder_lr);
    return rates;
  }

  at::Tensor next_batch() const {
    const std::int64_t count = data_.train.positions.size(0);
    const std::int64_t size = std::min(options_.batch, count);
    const std::int64_t per_epoch = (count + size - 1) / size;
    const std::int64_t first = training_.update % per_epoch * size;
    at::Tensor batch = data_.train.positions.narrow(0, first, std::min(size, count - first));
    if (options_.augment) batch = turned(batch);
    return batch.to(at::Device(options_.device));
  }

  /// Every layout turned by a multiple of 90 degrees and mirrored at random: the law of the data is
  /// the same after it.
  at::Tensor turned(const at::Tensor& batch) const {
    const std::int64_t size = batch.size(0);
    at::Tensor signs = at::empty({size, 1, 1, 2}, batch.options());
    at::Tensor swaps = at::empty({size, 1, 1, 1}, at::kBool);
    for (std::int64_t g = 0; g < size; ++g) {
      const std::int64_t bits = seed_for(task_.seed, Purpose::turns, training_.update * size + g);
      signs[g].flatten()[0] = bits & 1 ? 1.0 : -1.0;
      signs[g].flatten()[1] = bits & 2 ? 1.0 : -1.0;
      swaps[g].fill_((bits & 4) != 0);
    }
    return at::where(swaps, batch.flip(-1), batch) * signs;
  }

  void step() {
    if (training_.update >= options_.scout_updates) keep_best_scout();
    const at::Tensor batch = next_batch();
    const double rate = learning_rate(options_, task_, training_.update);
    for (Candidate& candidate : training_.candidates) {
      const Parameters& parameters = candidate.model->parameters();
      at::Tensor(parameters.gradients()).zero_();
      const Loss loss = objective_(*candidate.model, batch, training_.update, candidate.average);
      torch::autograd::backward({loss.total}, {});
      if (objective_.encoder_only(training_.update)) {
        candidate.model->decoder_part(parameters.gradients()).zero_();
      }
      if (options_.clip_norm > 0)
        experiments::clip_norm(parameters.gradients(), options_.clip_norm);
      candidate.adam.update(parameters, rates(*candidate.model), rate, training_.update + 1);
      const double value = loss.nll + loss.kl;
      if (!std::isfinite(value)) stop_diverged(value);
      candidate.loss_sum += value;
      ++candidate.loss_count;
      if (training_.update >= options_.scout_updates / 2) candidate.trial_sum += value;
    }
    ++training_.update;
    show_step();
  }

  [[noreturn]] void stop_diverged(double value) const {
    throw experiments::UserError(task_.name() + ": the loss became " + std::to_string(value) +
                                 " at update " + std::to_string(training_.update) +
                                 "; give a smaller --lr or a --clip-norm, and another --out");
  }

  /// Which of the decoder's two message types stands for an edge is settled in the first few
  /// hundred updates, by chance, and a model that settles on the wrong one stays there: it explains
  /// a layout by a tree of non-edges. The training loss, no label, tells which scouts did not.
  void keep_best_scout() {
    auto& scouts = training_.candidates;
    if (scouts.size() == 1) return;
    for (const Candidate& scout : scouts) {
      training_.scout_losses.push_back(
          scout.trial_sum /
          static_cast<double>(options_.scout_updates - options_.scout_updates / 2));
    }
    const auto best = std::ranges::min_element(scouts, {}, &Candidate::trial_sum);
    std::iter_swap(scouts.begin(), best);
    scouts.resize(1);
  }

  /// The candidate that is ahead.
  Candidate& leader() {
    return *std::ranges::min_element(training_.candidates, {}, [](const Candidate& c) {
      return c.loss_sum;  // all of them over the same updates
    });
  }

  void show_step() {
    progress_.update = training_.update;
    const Candidate& ahead = leader();
    progress_.loss =
        ahead.loss_sum / static_cast<double>(std::max<std::int64_t>(1, ahead.loss_count));
    progress_.updates_per_second =
        static_cast<double>(training_.update - first_update_) / seconds_since(begun_);
  }

  void evaluate_now() {
    Candidate& ahead = leader();
    const Evaluation score = evaluate(*ahead.model, objective_, data_.validation,
                                      options_.evaluate_graphs, task_.seed, false);
    const Json train_loss = ahead.loss_count > 0
                                ? Json(ahead.loss_sum / static_cast<double>(ahead.loss_count))
                                : Json(nullptr);
    for (Candidate& candidate : training_.candidates) {
      candidate.loss_sum = 0;
      candidate.loss_count = 0;
    }
    training_.seconds = seconds_before_ + seconds_since(begun_);
    training_.evaluated = training_.update;
    progress_.score = training_.elbo = score.elbo;
    progress_.precision = training_.precision = score.edge_precision;
    progress_.evaluated = true;
    const Json line = {{"update", training_.update},
                       {"seconds", training_.seconds},
                       {"train_loss", train_loss},
                       {"loss", -score.elbo},
                       {"elbo", score.elbo},
                       {"nll", score.nll},
                       {"kl", score.kl},
                       {"edge_precision", score.edge_precision},
                       {"edge_recall", score.edge_recall}};
    training_.metrics_length =
        experiments::append_line(folder_.metrics(), line.dump(), "metrics file");
    if (training_.best_update < 0 || score.elbo > training_.best_elbo) {
      training_.best_update = training_.update;
      training_.best_elbo = score.elbo;
      save_model(folder_.best(), *ahead.model, training_.update, key_);
    }
  }

  void save() {
    training_.seconds = seconds_before_ + seconds_since(begun_);
    save_training(folder_.last(), training_, key_);
    saved_ = Clock::now();
  }

  /// The best model's picture and its score on the test layouts; the score last, for it says that
  /// the task is done.
  void finish() {
    progress_.state = experiments::Progress::testing;
    const std::unique_ptr<Model> model = fresh_model(options_, task_);
    const std::int64_t update = load_model(folder_.best(), *model);
    const Json pictures = picture(*model, objective_, data_.test, 3);
    experiments::write_json(folder_.picture(), pictures, "picture file");
    const Evaluation score =
        evaluate(*model, objective_, data_.test, options_.test_graphs,
                 seed_for(task_.seed, Purpose::test, 0), options_.reference_quirks);
    progress_.score = score.elbo;
    progress_.precision = score.edge_precision;
    const Json result = {
        {"name", task_.row},
        {"seed", task_.seed},
        {"elbo", score.elbo},
        {"nll", score.nll},
        {"kl", score.kl},
        {"edge_precision", score.edge_precision},
        {"edge_recall", score.edge_recall},
        {"nearest_tree_precision", nearest_tree_precision(data_.test, objective_.sampler.nodes())},
        {"validation_elbo", training_.best_elbo},
        {"best_update", update},
        {"scout_losses", training_.scout_losses},
        {"seconds", seconds_before_ + seconds_since(begun_)},
        {"updates", training_.update},
        {"threads", key_.threads},
        {"identity", key_.identity}};
    experiments::write_json(folder_.result(), result, "result file");
  }

  const Options& options_;
  const Task& task_;
  TaskFolder folder_;
  CheckpointKey key_;
  Objective objective_;
  experiments::Progress& progress_;
  Data data_;
  Training training_;
  Clock::time_point begun_, saved_;
  double seconds_before_ = 0;
  std::int64_t first_update_ = 0;
};

}  // namespace

TaskFolder folder_of(const Options& options, const Task& task) {
  return {experiments::Path(options.out) / task.name()};
}

bool finished(const Options& options, const Task& task) {
  return experiments::finished(
      folder_of(options, task), identity(options, task),
      [](const experiments::Path& path) { return experiments::read_key(path).identity; });
}

void train(const Options& options, const Task& task, int threads, experiments::Progress& progress) {
  Trainer(options, task, threads, progress).run();
}

}  // namespace graph_layout
