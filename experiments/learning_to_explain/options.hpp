#pragma once
/// Everything a run can be told, its presets, and how one row of the table reads them.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/arguments.hpp"

namespace learning_to_explain {

struct Options {
  std::string preset = "quick";
  // What to train. Lists are separated by commas.
  std::string rows =
      "l2x,softsub,euclidean,categorical,binary,gibbs,correlated,implicit_mle,"
      "adaptive_implicit_mle,simple,straight_through,score_function,"
      "simple_correlated";
  std::string k = "5,10,15", seeds = "1..5";
  // Where.
  std::string out = "runs/aspect-ratings";
  std::int64_t threads = 0, jobs = 0;
  bool no_report = false;
  // Data.
  std::string corpus = "generated", files, aspect;
  std::int64_t data_seed = 42, train_reviews = 20000, validation_reviews = 1000,
               test_reviews = 1000;
  double aspect_correlation = 0.5, own_words = 0.3;
  std::int64_t longest = 350, least_count = 2;
  // Networks.
  std::string encoder = "simple";
  std::int64_t embedding = 50, hidden = 100, predictor_hidden = 250;
  double dropout = 0.2;
  // Optimisation. Texts are one number or range for all rows, or row=..., for some of them.
  std::int64_t batch = 50, updates = 4000;
  std::string lr = "0.0005..0.01", temperature = "0.1..2", step = "1..100";
  bool perturb_pairs = false;
  std::int64_t samples = 4;
  // Evaluation.
  std::int64_t evaluate_every = 400, evaluation_batch = 200;
  double checkpoint_seconds = 60;
};

/// Options from a command line. Prints help and exits where asked to; throws
/// experiments::UserError for a wrong argument.
Options parse_options(int count, char** arguments);

/// The options, by the names they have on the command line.
nlohmann::json to_json(const Options& options);

/// One model to train. Its seed also picks the numbers out of the ranges: a seed is a trial of a
/// random search.
struct Task {
  std::string row;
  std::int64_t k = 1, seed = 1;
  double lr = 0, temperature = 1, step = 1;

  /// The numbers that may be ranges, by their options' names.
  std::map<std::string, double> numbers() const {
    return {{"lr", lr}, {"temperature", temperature}, {"step", step}};
  }
  std::string group() const { return row + "-k" + std::to_string(k); }
  std::string name() const { return group() + "-seed" + std::to_string(seed); }
};

/// What a draw of random numbers is for.
enum class Purpose { search, start, order, training, dropout, evaluation, picture };

/// All rows for all k and all seeds, rows first.
std::vector<Task> tasks(const Options& options);

/// What a row's numbers are drawn from, by their options' names.
std::map<std::string, experiments::Range> ranges(const Options& options, const std::string& row);

/// The options that decide results, without those that only say which tasks there are.
nlohmann::json settings(const Options& options);

/// What decides a task's result: a checkpoint made under other words can't be continued.
nlohmann::json identity(const Options& options, const Task& task);

/// Names of rows, in the table's order.
const std::vector<std::string>& row_names();

}  // namespace learning_to_explain
