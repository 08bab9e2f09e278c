#include "softtricks/structure/linear_chain.hpp"

#include <gtest/gtest.h>

#include "../laws/subject.hpp"

namespace softtricks::laws {
namespace {

/// Places of the numbers of a chain, by counting them off in the order that the layout states.
struct Layout {
  int length, states;
  int unary(int t, int s) const { return t * states + s; }
  int pair(int t, int from, int to) const {
    return length * states + (t * states + from) * states + to;
  }
  int size() const { return length * states + (length - 1) * states * states; }
};

std::vector<Member> paths(const Layout& at) {
  std::vector<Member> found;
  std::vector<int> state(static_cast<std::size_t>(at.length), 0);
  for (bool more = true; more;) {
    Member x(static_cast<std::size_t>(at.size()), 0);
    for (int t = 0; t < at.length; ++t) {
      const int here = state[static_cast<std::size_t>(t)];
      x[static_cast<std::size_t>(at.unary(t, here))] = 1;
      if (t == 0) continue;
      const int before = state[static_cast<std::size_t>(t) - 1];
      x[static_cast<std::size_t>(at.pair(t - 1, before, here))] = 1;
    }
    found.push_back(x);
    more = false;
    for (int& s : state) {  // counting with `states` as the base
      more = ++s < at.states;
      if (more) break;
      s = 0;
    }
  }
  return found;
}

/// The hull: x >= 0, one state a step, and transitions that agree with the states at both ends.
double outside(const Layout& at, const Numbers& x) {
  const auto value = [&](int e) { return x[static_cast<std::size_t>(e)]; };
  double worst = -*std::min_element(x.begin(), x.end());
  for (int t = 0; t < at.length; ++t) {
    double one = -1;
    for (int s = 0; s < at.states; ++s) {
      one += value(at.unary(t, s));
      double out = value(at.unary(t, s)), in = out;
      for (int other = 0; other < at.states; ++other) {
        if (t + 1 < at.length) out -= value(at.pair(t, s, other));
        if (t > 0) in -= value(at.pair(t - 1, other, s));
      }
      if (t + 1 < at.length) worst = std::max(worst, std::fabs(out));
      if (t > 0) worst = std::max(worst, std::fabs(in));
    }
    worst = std::max(worst, std::fabs(one));
  }
  return worst;
}

Subject linear_chain(int length, int states) {
  const Layout at{length, states};
  const auto part = [at](std::int64_t shorter) {
    Part small{{shorter, at.states}, {}};
    for (int e = 0; e < shorter * at.states; ++e) small.entries.push_back(e);
    for (int e = 0; e < (shorter - 1) * at.states * at.states; ++e) {
      small.entries.push_back(at.pair(0, 0, 0) + e);
    }
    return small;
  };
  return {"linear_chain",
          {length, states},
          static_cast<std::size_t>(at.size()),
          paths(at),
          std::pow(states, length),
          [at](const Numbers& x) { return outside(at, x); },
          length,
          part,
          engines_of(LinearChain{length, states}, {length, states})};
}

const bool enrolled = [] {
  for (const auto& [length, states] : {std::pair{1, 1}, {1, 3}, {3, 1}, {2, 3}, {4, 2}, {3, 3}}) {
    subjects().push_back(linear_chain(length, states));
  }
  large_engines().emplace_back(20 * 5 + 19 * 25, engines_of(LinearChain{20, 5}, {20, 5}));
  return true;
}();

/// All utilities 0: states^length paths, and every state as likely as any other.
TEST(LinearChain, CountsItsPaths) {
  const int length = 60, states = 7;
  const LibraryEngine engine("linear_chain", {length, states}, Dtype::float32);
  const Numbers zero(static_cast<std::size_t>(Layout{length, states}.size()), 0.0);
  EXPECT_NEAR(engine({.verb = "log_partition", .utility = zero}).at(0), length * std::log(states),
              1e-4);
  const Numbers x = engine({.verb = "marginals", .utility = zero});
  for (std::size_t e = 0; e < x.size(); ++e) {
    EXPECT_NEAR(x[e], e < length * states ? 1.0 / states : 1.0 / (states * states), 1e-6);
  }
}

}  // namespace
}  // namespace softtricks::laws
