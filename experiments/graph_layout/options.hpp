#pragma once
/// Everything a run can be told, its presets, and how one row of the table reads them.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/arguments.hpp"

namespace graph_layout {

struct Options {
  std::string preset = "quick";
  // What to train. Lists are separated by commas.
  std::string rows = "independent_edges,top_edges,spanning_tree", seeds = "1";
  // Where.
  std::string out = "runs/graph-layout", data = "runs/data", device = "cpu";
  std::int64_t threads = 0, jobs = 0;
  bool no_report = false;
  // Data.
  std::int64_t frames = 10, nodes = 10, data_seed = 42;
  std::int64_t train_graphs = 50000, validation_graphs = 10000, test_graphs = 10000;
  // Networks.
  std::int64_t hidden = 256, message_hidden = 0;
  std::string init_utility_scale = "1";
  // Optimisation. Texts are one number for all rows, or row=number,... for some of them.
  std::int64_t batch = 128, updates = 50000;
  std::string lr = "0.0005";
  std::string schedule = "constant";
  std::int64_t warm_up = 0;
  double final_lr = 1, encoder_lr = 1, decoder_lr = 1, second_decay = 0.999, clip_norm = 0;
  std::string temperature = "0.5", final_temperature = "0", utility_range = "0";
  double hard_after = 1;
  double kl_weight = 1;
  std::int64_t kl_warm_up = 0;
  std::string kl_over = "directed";
  std::int64_t prediction_steps = 0, frames_per_update = 0;
  bool augment = false;
  std::int64_t scouts = 1, scout_updates = 300;
  bool mirror_scouts = false;
  std::int64_t decoder_first = 0, encoder_first = 0;
  double nearness = 8;
  // Score-function rows.
  std::string baseline = "moving_average";
  std::int64_t samples = 4;
  // The reference's quirks.
  bool reference_quirks = false;
  double difference_step = 0.01;
  // Evaluation.
  std::int64_t evaluate_every = 500, evaluate_graphs = 0, evaluation_batch = 100;
  double checkpoint_seconds = 60;
};

/// Options from a command line. Prints help or the version and exits where asked to; throws
/// experiments::UserError for a wrong argument.
Options parse_options(int count, char** arguments);

/// The options, by the names they have on the command line.
nlohmann::json to_json(const Options& options);

enum class Estimator { relaxed, reinforce, nvil, leave_one_out };

/// What a draw of random numbers is for.
enum class Purpose { start, training, frames, turns, evaluation, test, picture, search };

/// One model to train. Its seed also picks the numbers out of the ranges, where there are any:
/// there a seed is a trial of a random search.
struct Task {
  std::string row;
  std::int64_t seed = 1;
  Estimator estimator = Estimator::relaxed;
  double lr = 0, temperature = 1, final_temperature = 1, init_utility_scale = 1;
  std::optional<double> utility_range;
  std::int64_t scouts = 1;
  bool searched = false;

  /// The numbers that may be ranges, by their options' names.
  std::map<std::string, double> numbers() const {
    return {{"lr", lr},
            {"temperature", temperature},
            {"final-temperature", final_temperature},
            {"init-utility-scale", init_utility_scale},
            {"utility-range", utility_range.value_or(0)}};
  }
  std::string name() const { return row + "-seed" + std::to_string(seed); }
};

/// All rows for all seeds, rows first.
std::vector<Task> tasks(const Options& options);

/// What a row's numbers are drawn from, by their options' names.
std::map<std::string, experiments::Range> ranges(const Options& options, const std::string& row);

/// The options that decide results, without those that only say which tasks there are.
nlohmann::json settings(const Options& options);

/// What decides a task's result: a checkpoint made under other words can't be continued.
nlohmann::json identity(const Options& options, const Task& task);

/// Names of rows, in the table's order.
const std::vector<std::string>& row_names();

}  // namespace graph_layout
