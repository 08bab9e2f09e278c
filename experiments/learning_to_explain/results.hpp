#pragma once
/// What a run leaves for its readers, put together from the folders of its tasks. No LibTorch here:
/// the parent process of the trainings calls it.
#include <string>
#include <vector>

#include "learning_to_explain/options.hpp"

namespace learning_to_explain {

/// A trial of a search: what chooses it, and what is reported of the chosen one.
struct Trial {
  double validation = 0;  // the least is chosen
  std::vector<double> reported;
};

/// The trial that is chosen, and for each reported number the standard deviation of it over
/// `rounds` choices out of as many trials drawn with replacement.
struct Choice {
  std::size_t trial = 0;
  std::vector<double> deviations;
};
Choice choose(const std::vector<Trial>& trials, std::int64_t rounds);

void write_config(const Options& options, const std::vector<std::string>& arguments);

/// summary.json and picture.json from the tasks that are done; returns the summary.
nlohmann::json write_summary(const Options& options, const std::vector<std::string>& arguments);

/// The table of a summary, for a terminal.
std::string table(const nlohmann::json& summary);

}  // namespace learning_to_explain
