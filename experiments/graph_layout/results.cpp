#include "graph_layout/results.hpp"

#include <cmath>
#include <filesystem>

#include "common/run.hpp"
#include "common/task_list.hpp"
#include "graph_layout/train.hpp"

namespace graph_layout {
namespace {

using experiments::Path;
using experiments::read_json;
using experiments::write_json;
using Json = nlohmann::json;

constexpr const char* experiment = "graph-layout";
constexpr experiments::Score score{"validation_elbo", true};
const std::vector<std::string> reported{"elbo", "edge_precision", "edge_recall", "nll", "kl"};

/// The command that makes one row alone.
std::string row_command(const std::vector<std::string>& arguments, const std::string& row) {
  std::vector<std::string> kept = experiments::without_option(arguments, "rows");
  kept.insert(kept.end(), {"--rows", row});
  return experiments::command_line(experiment, kept);
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// Standard deviation over seeds; null for a single one.
Json deviation(const std::vector<double>& values) {
  if (values.size() < 2) return nullptr;
  const double centre = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - centre) * (value - centre);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

/// Mean and standard deviation over the seeds of one configuration.
Json mean_result(const std::vector<Json>& results) {
  Json row = {{"name", results[0].at("name")}};
  std::vector<std::string> keys = reported;
  keys.emplace_back("seconds");
  for (const std::string& key : keys) {
    std::vector<double> values;
    for (const Json& result : results) values.push_back(result.at(key));
    row[key] = mean(values);
    row[key + "_std"] = deviation(values);
  }
  for (const Json& result : results) row["seeds"].push_back(result.at("seed"));
  row["updates"] = results[0].at("updates");
  return row;
}

/// Puts one row's samples beside what is there of the same layouts.
void add_picture(Json& picture, const Json& samples, const std::string& row) {
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Json& sample = samples[i];
    if (picture["samples"].size() <= i) {
      picture["samples"].push_back({{"truth", sample.at("truth")},
                                    {"positions", sample.at("positions")},
                                    {"rows", Json::object()}});
    }
    picture["samples"][i]["rows"][row] = {{"edges", sample.at("edges")},
                                          {"soft", sample.at("soft")}};
  }
}

}  // namespace

void write_config(const Options& options, const std::vector<std::string>& arguments) {
  experiments::write_config(options.out, to_json(options), experiment, arguments);
}

void write_summary(const Options& options, const std::vector<std::string>& arguments) {
  Json rows = Json::array(), picture = {{"samples", Json::array()}}, nearest;
  std::vector<Json> results;
  const std::vector<Task> all = tasks(options);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const TaskFolder folder = folder_of(options, all[i]);
    if (std::filesystem::exists(folder.result())) {
      results.push_back(read_json(folder.result(), "result file"));
      nearest = results.back().value("nearest_tree_precision", nearest);
    }
    const bool last_of_row = i + 1 == all.size() || all[i + 1].row != all[i].row;
    if (!last_of_row || results.empty()) continue;
    rows.push_back(all[i].searched ? experiments::chosen_result(results, score, reported)
                                   : mean_result(results));
    rows.back()["command"] = row_command(arguments, all[i].row);
    Task shown = all[i];
    shown.seed = all[i].searched ? rows.back().at("seed") : results[0].at("seed");
    const Path samples = folder_of(options, shown).picture();
    if (std::filesystem::exists(samples)) {
      add_picture(picture, read_json(samples, "picture file"), shown.row);
    }
    results.clear();
  }
  write_json(Path(options.out) / "picture.json", picture, "picture file");
  const Json summary = {{"task", experiment},
                        {"preset", options.preset},
                        {"command", experiments::command_line(experiment, arguments)},
                        {"rows", rows},
                        {"nearest_tree_precision", nearest},
                        {"date", experiments::today()},
                        {"machine", experiments::machine()}};
  write_json(Path(options.out) / "summary.json", summary, "summary");
}

Json task_list(const Options& options) {
  experiments::TaskList list(experiment, score, settings(options));
  list.add_choices("row", row_names());
  for (const std::string& row : row_names()) list.add_ranges(ranges(options, row));
  for (const Task& task : tasks(options)) {
    list.add({.name = task.name(),
              .group = task.row,
              .done = finished(options, task),
              .arguments = {{"rows", task.row}, {"seeds", std::to_string(task.seed)}},
              .parameters = {{"row", task.row}}},
             task.numbers());
  }
  return list.json();
}

}  // namespace graph_layout
