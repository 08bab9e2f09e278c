#include <cmath>

#include <gtest/gtest.h>

#include "learning_to_explain/results.hpp"

namespace learning_to_explain {
namespace {

TEST(Choice, TheLeastValidationErrorIsChosenAndBootstrapped) {
  // Of two trials drawn with replacement the worse one is left in one draw of four.
  const Choice two = choose({{0.5, {7.0, 1.0}}, {0.3, {3.0, 1.0}}}, 100000);
  EXPECT_EQ(two.trial, 1u);
  EXPECT_NEAR(two.deviations[0], 4 * std::sqrt(0.25 * 0.75), 0.02);
  EXPECT_NEAR(two.deviations[1], 0, 1e-6);
  EXPECT_EQ(choose({{0.1, {2.0}}}, 100).deviations[0], 0);
}

}  // namespace
}  // namespace learning_to_explain
