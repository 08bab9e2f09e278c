#include "graph_layout/options.hpp"

#include <algorithm>
#include <cmath>

#include "common/arguments.hpp"
#include "common/command_line.hpp"
#include "common/error.hpp"
#include "common/search.hpp"

namespace graph_layout {
namespace {

using experiments::Bound;
using experiments::one_of;
using experiments::reject;
using experiments::split;
using experiments::UserError;

constexpr const char* description =
    "Trains the poster's graph-layout models: an encoder guesses from a few frames of a spring\n"
    "layout which tree of springs is at work, a decoder predicts every next frame from it.\n"
    "Writes curves, checkpoints, summary.json and report.html into one folder, and continues "
    "where\n"
    "it stopped when the same command is given again.";
constexpr const char* examples =
    "Examples:\n"
    "  softtricks-graph-layout --preset quick --out runs/quick\n"
    "  softtricks-graph-layout --preset quick --rows spanning_tree --seeds 1,2,3,4,5 --out "
    "runs/seeds\n"
    "  softtricks-graph-layout --preset poster --frames 20 --lr "
    "spanning_tree=3e-4,top_edges=5e-4\n\n"
    "`softtricks-graph-layout tasks ...` prints what the options would train, `summary ...` makes "
    "the\n"
    "table of what is done.\n\n"
    "Rows: independent_edges, top_edges, spanning_tree (relaxed); reinforce, nvil, leave_one_out\n"
    "(spanning trees with score-function gradients).\n"
    "PER ROW is one number or range LEAST..MOST for all rows, or ROW=..., for some, e.g.\n"
    "1e-3,spanning_tree=1e-4..1e-3. Out of a range each seed picks its own number, evenly on a\n"
    "logarithmic scale: seeds of such a row are the trials of a random search, and summary.json\n"
    "holds the one of best validation ELBO, with errors by bootstrapping that choice. Of other\n"
    "rows it holds mean and standard deviation over the seeds.";

/// Calls visit(name, member, help) for every option: the command line and config.json are loops
/// over this list.
template <class AnyOptions, class Visit>
void visit_options(AnyOptions& o, const Visit& visit) {
  visit("preset", o.preset, "quick (minutes on 2 cores), poster (the paper's sizes) or test");
  visit("rows", o.rows, "what to train, separated by commas");
  visit("seeds", o.seeds, "seeds of every row, separated by commas");
  visit("out", o.out, "folder of the run");
  visit("data", o.data, "folder where the drawn data set is kept");
  visit("device", o.device, "cpu or cuda");
  visit("threads", o.threads, "threads of each model in training; 0: cores / jobs");
  visit("jobs", o.jobs, "models trained side by side; 0: chosen from the number of cores");
  visit("no-report", o.no_report, "leave report.html out");
  visit("frames", o.frames, "frames of a layout (the poster: 10; also 20)");
  visit("nodes", o.nodes, "vertices of a layout");
  visit("data-seed", o.data_seed, "seed of the data set");
  visit("train-graphs", o.train_graphs, "layouts to train on");
  visit("validation-graphs", o.validation_graphs, "layouts to choose the best checkpoint by");
  visit("test-graphs", o.test_graphs, "layouts the result is measured on");
  visit("hidden", o.hidden, "width of the networks");
  visit("message-hidden", o.message_hidden, "width of the decoder's messages; 0: as --hidden");
  visit("init-utility-scale", o.init_utility_scale,
        "PER ROW: factor on the initial weights that give the utilities");
  visit("batch", o.batch, "layouts per update");
  visit("updates", o.updates, "updates");
  visit("lr", o.lr, "PER ROW: learning rate of Adam");
  visit("schedule", o.schedule, "learning rate over time: constant, linear or cosine");
  visit("warm-up", o.warm_up, "updates over which the learning rate rises from 0");
  visit("final-lr", o.final_lr, "where linear and cosine end, as a part of --lr");
  visit("encoder-lr", o.encoder_lr, "factor on the encoder's learning rate");
  visit("decoder-lr", o.decoder_lr, "factor on the decoder's learning rate");
  visit("second-decay", o.second_decay, "Adam's decay of squared gradients");
  visit("clip-norm", o.clip_norm, "longest gradient; 0: no limit");
  visit("temperature", o.temperature, "PER ROW: temperature of the relaxation");
  visit("final-temperature", o.final_temperature,
        "PER ROW: temperature at the end, reached geometrically; 0: as --temperature");
  visit("utility-range", o.utility_range,
        "PER ROW: utilities/temperature are floored at their maximum minus this; 0: off");
  visit("hard-after", o.hard_after,
        "part of the updates after which the decoder sees hard samples, with the soft one's "
        "gradient");
  visit("kl-weight", o.kl_weight, "weight of the KL term");
  visit("kl-warm-up", o.kl_warm_up, "updates over which that weight rises from 0");
  visit("kl-over", o.kl_over,
        "directed (an unordered pair counts twice, as in the reference) or undirected (once)");
  visit("prediction-steps", o.prediction_steps,
        "frames predicted from the model's own output before it sees the true one again; 0: the "
        "reference's, 9 for 10 frames, 10 for 20");
  visit("frames-per-update", o.frames_per_update,
        "with --prediction-steps 1: random transitions used per update; 0: all");
  visit("augment", o.augment, "turn and mirror every training layout at random");
  visit("scouts", o.scouts,
        "models that start, from different weights; after --scout-updates the one with the lowest "
        "training loss goes on (independent_edges starts one)");
  visit("scout-updates", o.scout_updates, "updates of all scouts");
  visit("mirror-scouts", o.mirror_scouts,
        "every second scout starts as the one before it with the two message types exchanged");
  visit(
      "decoder-first", o.decoder_first,
      "updates at the start in which only the decoder learns, on graphs drawn by the distances in "
      "the last frame, near vertices joined first");
  visit("encoder-first", o.encoder_first,
        "updates after those in which only the encoder learns, against the decoder as it is");
  visit("nearness", o.nearness, "utility lost per unit of distance in --decoder-first");
  visit("baseline", o.baseline, "of row reinforce: none, moving_average or batch_mean");
  visit("samples", o.samples, "samples per layout of row leave_one_out");
  visit("reference-quirks", o.reference_quirks,
        "repeat what the reference code does where numbers depend on it: batch statistics at test "
        "time, differences for top_edges' gradient, biased moving average");
  visit("difference-step", o.difference_step, "step of those differences");
  visit("evaluate-every", o.evaluate_every, "updates between evaluations");
  visit("evaluate-graphs", o.evaluate_graphs, "validation layouts used for one; 0: all");
  visit("evaluation-batch", o.evaluation_batch, "layouts per batch of an evaluation");
  visit("checkpoint-seconds", o.checkpoint_seconds, "longest time between checkpoints");
}

void apply_quick(Options& o) {
  o.hidden = 64;
  o.batch = 32;
  o.updates = 4000;
  o.lr = "0.002";
  o.schedule = "cosine";
  o.warm_up = 50;
  o.final_lr = 0.02;
  o.temperature = "1";
  o.prediction_steps = 1;
  o.decoder_first = 150;
  o.encoder_first = 75;
  o.evaluate_every = 250;
  o.evaluate_graphs = 1000;
  o.evaluation_batch = 250;
}

void apply_test(Options& o) {
  apply_quick(o);
  o.hidden = 8;
  o.batch = 16;
  o.updates = 60;
  o.warm_up = 10;
  o.decoder_first = 5;
  o.encoder_first = 5;
  o.scouts = 2;
  o.scout_updates = 20;
  o.train_graphs = 400;
  o.validation_graphs = 100;
  o.test_graphs = 100;
  o.evaluate_every = 20;
  o.evaluation_batch = 50;
  o.checkpoint_seconds = 0.05;
}

/// The paper searched learning rate and temperature at random and published no ranges. These are
/// the middle of a box that holds what it and its followers report, learning rate 5e-5 to 2e-3 and
/// temperature 0.05 to 10, both on a logarithmic scale; the range limit is the reference's.
void apply_poster(Options& o) {
  o.lr = "0.0005";
  o.temperature = "0.5";
  o.utility_range = "spanning_tree=15";
}

Options preset(const std::string& name) {
  Options options;
  options.preset = name;
  if (name == "quick") {
    apply_quick(options);
  } else if (name == "test") {
    apply_test(options);
  } else if (name == "poster") {
    apply_poster(options);
  } else {
    throw UserError("--preset: '" + name + "' is none of quick, poster, test");
  }
  return options;
}

void validate_choices(const Options& o) {
  one_of("device", o.device, {"cpu", "cuda"});
  one_of("schedule", o.schedule, {"constant", "linear", "cosine"});
  one_of("kl-over", o.kl_over, {"directed", "undirected"});
  one_of("baseline", o.baseline, {"none", "moving_average", "batch_mean"});
  for (const std::string& row : split(o.rows)) one_of("rows", row, row_names());
  if (split(o.rows).empty()) reject("rows", o.rows, "at least one row");
}

void validate_numbers(const Options& o) {
  const auto d = [](auto value) { return static_cast<double>(value); };
  const std::vector<Bound> bounds = {
      {"threads", d(o.threads), 0},
      {"jobs", d(o.jobs), 0},
      {"frames", d(o.frames), 2},
      {"nodes", d(o.nodes), 2},
      {"data-seed", d(o.data_seed), 0},
      {"train-graphs", d(o.train_graphs), 1},
      {"validation-graphs", d(o.validation_graphs), 1},
      {"test-graphs", d(o.test_graphs), 1},
      {"hidden", d(o.hidden), 1},
      {"message-hidden", d(o.message_hidden), 0},
      {"batch", d(o.batch), 1},
      {"updates", d(o.updates), 1},
      {"warm-up", d(o.warm_up), 0},
      {"final-lr", o.final_lr, 0},
      {"encoder-lr", o.encoder_lr, 0},
      {"decoder-lr", o.decoder_lr, 0},
      {"clip-norm", o.clip_norm, 0},
      {"kl-weight", o.kl_weight, 0},
      {"kl-warm-up", d(o.kl_warm_up), 0},
      {"prediction-steps", d(o.prediction_steps), 0},
      {"frames-per-update", d(o.frames_per_update), 0},
      {"scouts", d(o.scouts), 1},
      {"scout-updates", d(o.scout_updates), 1},
      {"decoder-first", d(o.decoder_first), 0},
      {"encoder-first", d(o.encoder_first), 0},
      {"nearness", o.nearness, 0},
      {"samples", d(o.samples), 2},
      {"evaluate-every", d(o.evaluate_every), 1},
      {"evaluate-graphs", d(o.evaluate_graphs), 0},
      {"evaluation-batch", d(o.evaluation_batch), 1},
      {"checkpoint-seconds", o.checkpoint_seconds, 0},
      {"hard-after", o.hard_after, 0},
  };
  experiments::require_least(bounds);
  if (o.nodes > 200) reject("nodes", std::to_string(o.nodes), "a number from 2 to 200");
  if (!(o.second_decay >= 0 && o.second_decay < 1)) {
    reject("second-decay", std::to_string(o.second_decay), "a number in [0, 1)");
  }
  if (!(o.difference_step > 0)) {
    reject("difference-step", std::to_string(o.difference_step), "a number above 0");
  }
  if (o.frames_per_update > o.frames - 1) {
    reject("frames-per-update", std::to_string(o.frames_per_update), "at most --frames less 1");
  }
  if (o.frames_per_update > 0 && o.prediction_steps != 1) {
    reject("frames-per-update", std::to_string(o.frames_per_update),
           "it only with --prediction-steps 1");
  }
}

Task make_task(const Options& o, const std::string& row, std::int64_t seed) {
  const auto from = ranges(o, row);
  experiments::Search search(seed, static_cast<std::uint32_t>(Purpose::search));
  Task task;
  task.row = row;
  task.seed = seed;
  if (row == "reinforce") task.estimator = Estimator::reinforce;
  if (row == "nvil") task.estimator = Estimator::nvil;
  if (row == "leave_one_out") task.estimator = Estimator::leave_one_out;
  task.lr = search.draw(from.at("lr"));
  task.temperature = search.draw(from.at("temperature"));
  task.final_temperature = search.draw(from.at("final-temperature"));
  if (task.final_temperature == 0) task.final_temperature = task.temperature;
  task.init_utility_scale = search.draw(from.at("init-utility-scale"));
  const double utility_range = search.draw(from.at("utility-range"));
  if (utility_range != 0) task.utility_range = utility_range;
  task.searched = search.ranged();
  // Ordered pairs choose between the two types themselves: which of them means "edge" is left open.
  task.scouts = row == "independent_edges" ? 1 : o.scouts;
  return task;
}

}  // namespace

const std::vector<std::string>& row_names() {
  static const std::vector<std::string> names = {"independent_edges", "top_edges", "spanning_tree",
                                                 "reinforce",         "nvil",      "leave_one_out"};
  return names;
}

Options parse_options(int count, char** arguments) {
  Options options = preset(experiments::find_option(count, arguments, "preset", "quick"));
  experiments::read_command_line(count, arguments,
                                 {"softtricks-graph-layout", description, examples},
                                 [&](const auto& function) { visit_options(options, function); });
  validate_choices(options);
  validate_numbers(options);
  if (options.message_hidden == 0) options.message_hidden = options.hidden;
  if (options.prediction_steps == 0) options.prediction_steps = options.frames >= 20 ? 10 : 9;
  if (options.evaluate_graphs == 0 || options.evaluate_graphs > options.validation_graphs) {
    options.evaluate_graphs = options.validation_graphs;
  }
  tasks(options);  // refuses wrong rows, seeds and numbers per row
  return options;
}

nlohmann::json to_json(const Options& options) {
  return experiments::json_of([&](const auto& function) { visit_options(options, function); });
}

std::vector<Task> tasks(const Options& options) {
  std::vector<Task> all;
  for (const std::string& row : split(options.rows)) {
    for (const std::int64_t seed : experiments::whole_numbers(options.seeds, "seeds", 0)) {
      all.push_back(make_task(options, row, seed));
    }
  }
  return all;
}

std::map<std::string, experiments::Range> ranges(const Options& o, const std::string& row) {
  const auto range = [&](const std::string& text, const std::string& option, double fallback) {
    return experiments::range_for(text, row, row_names(), option, fallback);
  };
  const std::map<std::string, experiments::Range> all = {
      {"lr", range(o.lr, "lr", 5e-4)},
      {"temperature", range(o.temperature, "temperature", 1)},
      {"final-temperature", range(o.final_temperature, "final-temperature", 0)},
      {"init-utility-scale", range(o.init_utility_scale, "init-utility-scale", 1)},
      {"utility-range", range(o.utility_range, "utility-range", 0)}};
  const auto require = [&](const std::string& option, bool zero_too) {
    const double least = all.at(option).least;
    if (least > 0 || (zero_too && least == 0)) return;
    reject(option, std::to_string(least), zero_too ? "a number above 0, or 0" : "a number above 0");
  };
  require("lr", false);
  require("temperature", false);
  require("final-temperature", true);
  require("utility-range", true);
  return all;
}

nlohmann::json settings(const Options& options) {
  nlohmann::json json = to_json(options);
  for (const char* free : {"preset", "rows", "seeds", "out", "data", "threads", "jobs", "no-report",
                           "checkpoint-seconds"}) {
    json.erase(free);
  }
  return json;
}

nlohmann::json identity(const Options& options, const Task& task) {
  nlohmann::json json = settings(options);
  // Words for other rows don't matter to this one.
  for (const auto& [name, value] : task.numbers()) json[name] = value;
  json["row"] = task.row;
  json["seed"] = task.seed;
  return json;
}

}  // namespace graph_layout
