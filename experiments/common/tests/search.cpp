#include "common/search.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "common/error.hpp"
#include "common/task_list.hpp"

namespace experiments {
namespace {

TEST(Choice, TheLeastLossIsChosenAndBootstrapped) {
  // Of two trials drawn with replacement the worse one is left in one draw of four.
  const Choice two = choose({{0.5, {7.0, 1.0}}, {0.3, {3.0, 1.0}}}, 100000);
  EXPECT_EQ(two.trial, 1u);
  EXPECT_NEAR(two.deviations[0], 4 * std::sqrt(0.25 * 0.75), 0.02);
  EXPECT_NEAR(two.deviations[1], 0, 1e-6);
  EXPECT_EQ(choose({{0.1, {2.0}}}, 100).deviations[0], 0);
}

TEST(Choice, ATrialWithoutAScoreIsNotChosen) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(choose({{none, {7.0}}, {0.3, {3.0}}}, 10).trial, 1u);
}

TEST(Choice, TheGreatestScoreWhereThatIsBest) {
  const std::vector<nlohmann::json> results = {
      {{"elbo", -3.0}, {"validation", -1.0}, {"seconds", 1.0}, {"identity", {}}},
      {{"elbo", -2.0}, {"validation", -5.0}, {"seconds", 2.0}, {"identity", {}}}};
  const nlohmann::json greatest = chosen_result(results, {"validation", true}, {"elbo"});
  EXPECT_EQ(greatest.at("elbo"), -3.0);
  EXPECT_EQ(greatest.at("trials"), 2);
  EXPECT_EQ(greatest.at("seconds"), 3.0);
  EXPECT_NEAR(greatest.at("elbo_std"), std::sqrt(0.25 * 0.75), 0.01);
  EXPECT_FALSE(greatest.contains("identity"));
  EXPECT_EQ(chosen_result(results, {"validation", false}, {"elbo"}).at("elbo"), -2.0);
  EXPECT_TRUE(chosen_result({results[0]}, {"validation", true}, {"elbo"}).at("elbo_std").is_null());
}

TEST(Range, ANumberOrARangeForOneRowOrAll) {
  const std::vector<std::string> rows = {"a", "b"};
  const auto range = [&](const std::string& text, const std::string& row) {
    return range_for(text, row, rows, "lr", 7);
  };
  EXPECT_EQ(range("0", "a").least, 0);
  EXPECT_TRUE(range("0", "a").single());
  EXPECT_EQ(range("b=1..4", "a").most, 7);
  EXPECT_EQ(range("b=1..4,3", "b").most, 4);
  EXPECT_NEAR(range("1..4", "a").at(0.5), 2, 1e-12);
  EXPECT_LE(range("0.0005..0.01", "a").at(1 - 0x1p-53), 0.01);
  for (const char* wrong : {"0..1", "2..1", "1..", "c=1", "1..2..3", "x"}) {
    EXPECT_THROW(range(wrong, "a"), UserError) << wrong;
  }
}

TEST(Search, DrawsDependOnTheSeedAndLieInTheRange) {
  const Range range{0.01, 100};
  Search search(3, 0), again(3, 0), other(4, 0);
  const double first = search.draw(range);
  EXPECT_EQ(again.draw(range), first);
  EXPECT_NE(other.draw(range), first);
  EXPECT_NE(search.draw(range), first);
  EXPECT_TRUE(search.ranged());
  Search fixed(3, 0);
  EXPECT_EQ(fixed.draw({-2, -2}), -2);
  EXPECT_FALSE(fixed.ranged());
  for (std::int64_t seed = 0; seed < 1000; ++seed) {
    const double value = Search(seed, 0).draw(range);
    EXPECT_TRUE(0.01 <= value && value <= 100);
  }
}

TEST(TaskList, HoldsTheBoundsOfWhatIsSearched) {
  TaskList list("layout", {"elbo", true}, {{"updates", 3}});
  list.add_ranges({{"lr", {0.1, 1}}, {"step", {2, 2}}});
  list.add({"a-seed1", "a", false, {{"rows", "a"}}, {{"k", 3}}}, {{"lr", 0.5}, {"step", 2}});
  list.add({"a-seed2", "a", true, {{"rows", "a"}}, {{"k", 5}}}, {{"lr", 2}, {"step", 2}});
  const nlohmann::json json = list.json();
  EXPECT_EQ(json.at("parameters"), nlohmann::json({{"lr", nlohmann::json::array({0.1, 2})},
                                                   {"k", nlohmann::json::array({3, 5})}}));
  EXPECT_EQ(json.at("tasks")[0].at("parameters"), nlohmann::json({{"lr", 0.5}, {"k", 3}}));
  EXPECT_EQ(json.at("score").at("goal"), "maximize");
}

}  // namespace
}  // namespace experiments
