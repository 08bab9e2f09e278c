#include "learning_to_explain/train.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>

#include "common/error.hpp"
#include "learning_to_explain/checkpoint.hpp"

namespace learning_to_explain {
namespace {

using experiments::Clock;
using experiments::Progress;
using experiments::seconds_since;
using Json = nlohmann::json;

constexpr std::int64_t pictures = 3, picture_draws = 200;

class Trainer {
 public:
  Trainer(const Options& options, const Task& task, const Corpus& corpus, int threads,
          Progress& progress)
      : options_(options),
        task_(task),
        corpus_(corpus),
        vocabulary_(corpus),
        folder_(folder_of(options, task)),
        key_{identity(options, task), threads},
        objective_(options, task),
        progress_(progress) {}

  void run() {
    start();
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
      training_ = load_training(folder_.last(), objective_, vocabulary_);
    } else {
      training_ = fresh_training(objective_, vocabulary_);
    }
    at::set_num_threads(key_.threads);
    experiments::cut_file(folder_.metrics(), training_.metrics_length, "metrics file");
    begun_ = saved_ = Clock::now();
    seconds_before_ = training_.seconds;
    first_update_ = training_.update;
    progress_.updates = options_.updates;
    progress_.update = training_.update;
    progress_.state = Progress::running;
    if (training_.evaluated >= 0) show_scores();
  }

  bool evaluation_due() const {
    const std::int64_t update = training_.update;
    return training_.evaluated != update &&
           (update % options_.evaluate_every == 0 || update == options_.updates);
  }

  /// Every epoch in an order of its own; the last, short batch of an epoch is left out.
  Batch next_batch() {
    const std::size_t total = corpus_.train.size();
    const std::size_t size = std::min(static_cast<std::size_t>(options_.batch), total);
    const auto per_epoch = static_cast<std::int64_t>(total / size);
    const std::int64_t epoch = training_.update / per_epoch;
    if (epoch != ordered_epoch_) {
      order_ = run_of(0, total, total);
      for (std::size_t i = total; i-- > 1;) {
        const std::int64_t draw =
            seed_for(task_, Purpose::order,
                     epoch * static_cast<std::int64_t>(total) + static_cast<std::int64_t>(i));
        std::swap(order_[i], order_[static_cast<std::size_t>(draw) % (i + 1)]);
      }
      ordered_epoch_ = epoch;
    }
    const auto first =
        order_.begin() + static_cast<std::ptrdiff_t>(size) * (training_.update % per_epoch);
    return make_batch(corpus_.train, {first, first + static_cast<std::ptrdiff_t>(size)});
  }

  void step() {
    const Parameters& parameters = training_.model->parameters();
    at::Tensor(parameters.gradients()).zero_();
    const at::Tensor loss =
        objective_(*training_.model, next_batch(), training_.update, training_.step);
    torch::autograd::backward({loss}, {});
    const double value = loss.item<double>();
    if (!std::isfinite(value)) {
      throw experiments::UserError(task_.name() + ": the loss became " + std::to_string(value) +
                                   " at update " + std::to_string(training_.update) +
                                   "; give a smaller --lr, and another --out");
    }
    training_.adam.update(parameters, {}, task_.lr, training_.update + 1);
    training_.loss_sum += value;
    ++training_.loss_count;
    progress_.update = ++training_.update;
    progress_.loss = 100 * training_.loss_sum / static_cast<double>(training_.loss_count);
    progress_.updates_per_second =
        static_cast<double>(training_.update - first_update_) / seconds_since(begun_);
  }

  void show_scores() {
    progress_.score = 100 * training_.mse;
    progress_.precision = training_.precision;
    progress_.evaluated = true;
  }

  Evaluation score(const Model& model, const std::vector<Review>& rated, std::int64_t which) const {
    return evaluate(model, objective_, rated, corpus_.annotated,
                    seed_for(task_, Purpose::evaluation, which));
  }

  void evaluate_now() {
    const Evaluation now = score(*training_.model, corpus_.validation, training_.update);
    const Json train_loss =
        training_.loss_count > 0
            ? Json(training_.loss_sum / static_cast<double>(training_.loss_count))
            : Json(nullptr);
    training_.loss_sum = 0;
    training_.loss_count = 0;
    training_.seconds = seconds_before_ + seconds_since(begun_);
    training_.evaluated = training_.update;
    training_.mse = now.mse;
    training_.precision = now.precision;
    show_scores();
    // NaN, the precision without annotations, is written as null.
    const Json line = {{"update", training_.update},
                       {"seconds", training_.seconds},
                       {"train_loss", train_loss},
                       {"mse", now.mse},
                       {"sampled_mse", now.sampled_mse},
                       {"precision", now.precision},
                       {"sampled_precision", now.sampled_precision}};
    training_.metrics_length =
        experiments::append_line(folder_.metrics(), line.dump(), "metrics file");
    if (training_.best_update < 0 || now.mse < training_.best_mse) {
      training_.best_update = training_.update;
      training_.best_mse = now.mse;
      save_model(folder_.best(), *training_.model, training_.update, key_);
    }
  }

  void save() {
    training_.seconds = seconds_before_ + seconds_since(begun_);
    save_training(folder_.last(), training_, key_);
    saved_ = Clock::now();
  }

  /// The best model's highlighted reviews and its score on the test reviews; the score last, for it
  /// says that the task is done.
  void finish() {
    progress_.state = Progress::testing;
    const std::unique_ptr<Model> model = fresh_model(objective_, vocabulary_);
    const std::int64_t update = load_model(folder_.best(), *model);
    const std::vector<Review>& shown = corpus_.annotated.empty() ? corpus_.test : corpus_.annotated;
    const Json reviews = picture(*model, objective_, shown, pictures, picture_draws);
    experiments::write_json(folder_.picture(), reviews, "picture file");
    const Evaluation test = score(*model, corpus_.test, options_.updates + 1);
    training_.mse = test.mse;
    training_.precision = test.precision;
    show_scores();
    experiments::write_json(folder_.result(),
                            {{"name", task_.row},
                             {"k", task_.k},
                             {"seed", task_.seed},
                             {"lr", task_.lr},
                             {"temperature", task_.temperature},
                             {"step", task_.step},
                             {"mse", test.mse},
                             {"sampled_mse", test.sampled_mse},
                             {"precision", test.precision},
                             {"sampled_precision", test.sampled_precision},
                             {"validation_mse", training_.best_mse},
                             {"constant_mse", constant_mse(corpus_.train, corpus_.test)},
                             {"chance_precision", chance_precision(corpus_.annotated)},
                             {"best_update", update},
                             {"seconds", seconds_before_ + seconds_since(begun_)},
                             {"updates", training_.update},
                             {"threads", key_.threads},
                             {"identity", key_.identity}},
                            "result file");
  }

  const Options& options_;
  const Task& task_;
  const Corpus& corpus_;
  Vocabulary vocabulary_;
  TaskFolder folder_;
  experiments::CheckpointKey key_;
  Objective objective_;
  Progress& progress_;
  Training training_;
  std::vector<std::size_t> order_;  // of the training reviews, in epoch ordered_epoch_
  std::int64_t ordered_epoch_ = -1, first_update_ = 0;
  Clock::time_point begun_, saved_;
  double seconds_before_ = 0;
};

}  // namespace

TaskFolder folder_of(const Options& options, const Task& task) {
  return {Path(options.out) / task.name()};
}

bool finished(const Options& options, const Task& task) {
  return experiments::finished(
      folder_of(options, task), identity(options, task),
      [](const Path& path) { return experiments::read_key(path).identity; });
}

void train(const Options& options, const Task& task, const Corpus& corpus, int threads,
           Progress& progress) {
  Trainer(options, task, corpus, threads, progress).run();
}

}  // namespace learning_to_explain
