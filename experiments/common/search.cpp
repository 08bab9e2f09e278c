#include "common/search.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include "common/seeds.hpp"

namespace experiments {
namespace {

using Json = nlohmann::json;
constexpr std::int64_t bootstrap_rounds = 100000;

}  // namespace

Choice choose(const std::vector<Trial>& trials, std::int64_t rounds) {
  const auto best = [&](const std::vector<std::size_t>& drawn) {
    return *std::ranges::min_element(drawn, {}, [&](std::size_t i) {
      return std::isnan(trials[i].loss) ? INFINITY : trials[i].loss;
    });
  };
  std::vector<std::size_t> all(trials.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  Choice choice{best(all), std::vector<double>(trials[0].reported.size(), 0)};
  std::vector<double> squares(choice.deviations.size(), 0), sums(squares);
  std::mt19937_64 engine(1);
  for (std::int64_t round = 0; round < rounds; ++round) {
    for (std::size_t& i : all) i = engine() % trials.size();
    const Trial &chosen = trials[best(all)], &centre = trials[choice.trial];
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const double difference = chosen.reported[i] - centre.reported[i];
      sums[i] += difference;
      squares[i] += difference * difference;
    }
  }
  const auto count = static_cast<double>(rounds);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const double mean = sums[i] / count;
    choice.deviations[i] = std::sqrt(std::max(0.0, squares[i] / count - mean * mean));
  }
  return choice;
}

Json chosen_result(const std::vector<Json>& results, const Score& score,
                   const std::vector<std::string>& reported) {
  std::vector<Trial> trials;
  double seconds = 0;
  for (const Json& result : results) {
    const double value = number_in(result.at(score.name));
    Trial trial{score.greatest ? -value : value, {}};
    for (const std::string& name : reported) trial.reported.push_back(number_in(result.at(name)));
    trials.push_back(trial);
    seconds += number_in(result.at("seconds"));
  }
  const Choice choice = choose(trials, bootstrap_rounds);
  Json row = results[choice.trial];
  row.erase("identity");
  row["trials"] = trials.size();
  row["seconds"] = seconds;
  for (std::size_t i = 0; i < reported.size(); ++i) {
    row[reported[i] + "_std"] = trials.size() > 1 ? Json(choice.deviations[i]) : Json();
  }
  return row;
}

double number_in(const Json& value) { return value.is_number() ? double(value) : NAN; }

double Search::draw(const Range& range) {
  ranged_ |= !range.single();
  const std::int64_t words = seed_for(seed_, purpose_, drawn_++);
  return range.at(static_cast<double>(words >> 11) * 0x1p-52);
}

}  // namespace experiments
