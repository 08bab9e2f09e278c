#include "learning_to_explain/results.hpp"

#include <cmath>
#include <cstdio>
#include <filesystem>

#include "common/run.hpp"
#include "common/task_list.hpp"
#include "learning_to_explain/train.hpp"

namespace learning_to_explain {
namespace {

using experiments::number_in;
using experiments::read_json;
using experiments::write_json;
using Json = nlohmann::json;

constexpr const char* experiment = "aspect-ratings";
constexpr experiments::Score score{"validation_mse", false};
const std::vector<std::string> reported{"mse", "precision", "sampled_mse", "sampled_precision"};

/// The command that makes one line of the table alone.
std::string row_command(const std::vector<std::string>& arguments, const Task& task) {
  auto kept = experiments::without_option(experiments::without_option(arguments, "rows"), "k");
  kept.insert(kept.end(), {"--rows", task.row, "--k", std::to_string(task.k)});
  return experiments::command_line(experiment, kept);
}

/// Puts one row's selections beside what is there of the same reviews.
void add_picture(Json& picture, const Json& samples, const std::string& row, std::int64_t k) {
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (picture["samples"].size() <= i) {
      picture["samples"].push_back({{"words", samples[i].at("words")},
                                    {"truth", samples[i].at("truth")},
                                    {"rating", samples[i].at("rating")},
                                    {"rows", Json::array()}});
    }
    picture["samples"][i]["rows"].push_back({{"name", row},
                                             {"k", k},
                                             {"predicted", samples[i].at("predicted")},
                                             {"selected", samples[i].at("selected")},
                                             {"often", samples[i].at("often")}});
  }
}

}  // namespace

void write_config(const Options& options, const std::vector<std::string>& arguments) {
  experiments::write_config(options.out, to_json(options), experiment, arguments);
}

Json write_summary(const Options& options, const std::vector<std::string>& arguments) {
  Json rows = Json::array(), picture = {{"samples", Json::array()}};
  std::vector<Json> results;
  const std::vector<Task> all = tasks(options);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const TaskFolder folder = folder_of(options, all[i]);
    if (std::filesystem::exists(folder.result())) {
      results.push_back(read_json(folder.result(), "result file"));
    }
    const bool last_of_group = i + 1 == all.size() || all[i + 1].group() != all[i].group();
    if (!last_of_group || results.empty()) continue;
    rows.push_back(experiments::chosen_result(results, score, reported));
    rows.back()["command"] = row_command(arguments, all[i]);
    Task chosen = all[i];
    chosen.seed = rows.back().at("seed");
    const Path samples = folder_of(options, chosen).picture();
    if (std::filesystem::exists(samples)) {
      add_picture(picture, read_json(samples, "picture file"), chosen.row, chosen.k);
    }
    results.clear();
  }
  write_json(Path(options.out) / "picture.json", picture, "picture file");
  const Json summary = {{"task", experiment},
                        {"preset", options.preset},
                        {"command", experiments::command_line(experiment, arguments)},
                        {"corpus", options.corpus},
                        {"aspect", options.aspect},
                        {"rows", rows},
                        {"date", experiments::today()},
                        {"machine", experiments::machine()}};
  write_json(Path(options.out) / "summary.json", summary, "summary");
  return summary;
}

Json task_list(const Options& options) {
  experiments::TaskList list(experiment, score, settings(options));
  list.add_choices("row", row_names());
  for (const std::string& row : row_names()) list.add_ranges(ranges(options, row));
  for (const Task& task : tasks(options)) {
    list.add({.name = task.name(),
              .group = task.group(),
              .done = finished(options, task),
              .arguments = {{"rows", task.row},
                            {"k", std::to_string(task.k)},
                            {"seeds", std::to_string(task.seed)}},
              .parameters = {{"row", task.row}, {"k", task.k}}},
             task.numbers());
  }
  return list.json();
}

std::string table(const Json& summary) {
  std::string text = "row                      k   MSE x100        precision %     trials\n";
  char line[160], number[24];
  // 100 times a number, or `without` where there is none.
  const auto written = [&](const char* format, const Json& value, const char* without) {
    const double found = number_in(value);
    if (!std::isfinite(found)) return std::string(without);
    std::snprintf(number, sizeof number, format, 100 * found);
    return std::string(number);
  };
  for (const Json& row : summary.at("rows")) {
    std::snprintf(line, sizeof line, "%-22s %3d  %5s%-9s  %5s%-9s  %4d\n",
                  row.at("name").get<std::string>().c_str(), row.at("k").get<int>(),
                  written("%.2f", row.at("mse"), "-").c_str(),
                  written(" +- %.2f", row.at("mse_std"), "").c_str(),
                  written("%.1f", row.at("precision"), "-").c_str(),
                  written(" +- %.2f", row.at("precision_std"), "").c_str(),
                  row.at("trials").get<int>());
    text += line;
  }
  return text;
}

}  // namespace learning_to_explain
