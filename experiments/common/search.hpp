#pragma once
/// Random searches: seeds are trials, each with numbers of its own out of the ranges given; one
/// trial of each group is chosen by its validation score.
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/arguments.hpp"

namespace experiments {

/// The number of result.json that trials are chosen by.
struct Score {
  const char* name;
  bool greatest;  // is best; else the least
};

/// A trial of a search: what chooses it, and what is reported of the chosen one.
struct Trial {
  double loss = 0;  // the least is chosen; NaN never is where another can be
  std::vector<double> reported;
};

/// The trial that is chosen, and for each reported number the standard deviation of it over
/// `rounds` choices out of as many trials drawn with replacement.
struct Choice {
  std::size_t trial = 0;
  std::vector<double> deviations;
};
Choice choose(const std::vector<Trial>& trials, std::int64_t rounds);

/// A line of the table out of the results of one group's trials: the chosen one with its
/// `reported` numbers' errors as NAME_std (null for a single trial), `trials` and all their
/// seconds.
nlohmann::json chosen_result(const std::vector<nlohmann::json>& results, const Score& score,
                             const std::vector<std::string>& reported);

/// NaN for whatever is no number: so NaN is written in JSON.
double number_in(const nlohmann::json& value);

/// Draws the numbers of one task, and notes what they are drawn from.
class Search {
 public:
  /// `purpose` tells the draws from others of this seed.
  Search(std::int64_t seed, std::uint32_t purpose) : seed_(seed), purpose_(purpose) {}

  double draw(const Range& range);
  /// Was there anything to choose?
  bool ranged() const { return ranged_; }

 private:
  std::int64_t seed_, drawn_ = 0;
  std::uint32_t purpose_;
  bool ranged_ = false;
};

}  // namespace experiments
