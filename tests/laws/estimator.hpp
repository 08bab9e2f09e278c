#pragma once
/// Losses, laws by enumeration, and what estimators are held against. The problems themselves are
/// in problems.hpp.
#include <cmath>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "shuffled_team.hpp"
#include "softtricks/lists.hpp"
#include "statistics.hpp"

namespace softtricks::laws {

using Numbers = std::vector<double>;
using Serial = SerialTeam<1000>;

/// loss(x) = linear.x + curvature (mixed.x)^2: smooth on the convex hull, unlike on its members.
struct QuadraticLoss {
  Numbers linear, mixed;
  double curvature;

  template <class T>
  T operator()(Vector<const T> x, Vector<T> slope) const {
    double value = 0, inner = 0;
    for (int e = 0; e < x.size; ++e) {
      value += linear[static_cast<std::size_t>(e)] * x[e];
      inner += mixed[static_cast<std::size_t>(e)] * x[e];
    }
    for (int e = 0; e < x.size; ++e) {
      const auto i = static_cast<std::size_t>(e);
      slope[e] = static_cast<T>(linear[i] + 2 * curvature * inner * mixed[i]);
    }
    return static_cast<T>(value + curvature * inner * inner);
  }
  double at(const Numbers& x) const {
    Numbers unused(x.size());
    const int size = static_cast<int>(x.size());
    return (*this)(Vector<const double>{x.data(), size}, Vector<double>{unused.data(), size});
  }
};

inline QuadraticLoss some_loss(std::size_t size, double curvature) {
  QuadraticLoss loss{Numbers(size), Numbers(size), curvature};
  for (std::size_t e = 0; e < size; ++e) {
    loss.linear[e] = std::cos(2.0 * static_cast<double>(e) + 1);
    loss.mixed[e] = std::sin(2.0 * static_cast<double>(e) + 0.5);
  }
  return loss;
}

/// The members that a hard sample may be, with their probabilities.
struct Law {
  std::vector<Numbers> members;
  Numbers probability;

  void add(const Numbers& x, double p) {
    members.push_back(x);
    probability.push_back(p);
  }
  template <class F>
  double mean(F f) const {
    double sum = 0;
    for (std::size_t m = 0; m < members.size(); ++m) sum += probability[m] * f(members[m]);
    return sum;
  }
  Numbers mean() const {
    Numbers sum;
    for (std::size_t e = 0; e < members[0].size(); ++e) {
      sum.push_back(mean([&](const Numbers& x) { return x[e]; }));
    }
    return sum;
  }
};

/// Central differences of f(theta).
template <class F>
Numbers slopes_of(const Numbers& theta, F f, double step = 1e-5) {
  Numbers slopes;
  for (std::size_t e = 0; e < theta.size(); ++e) {
    Numbers up = theta, down = theta;
    up[e] += step;
    down[e] -= step;
    slopes.push_back((f(up) - f(down)) / (2 * step));
  }
  return slopes;
}

template <class Trick>
struct Problem {
  Trick trick;
  Numbers theta;
  Law (*law)(const Numbers& theta);

  double value(const QuadraticLoss& loss) const { return value_at(theta, loss); }
  double value_at(const Numbers& at, const QuadraticLoss& loss) const {
    return law(at).mean([&](const Numbers& x) { return loss.at(x); });
  }
  Numbers gradient(const QuadraticLoss& loss) const {
    return slopes_of(theta, [&](const Numbers& at) { return value_at(at, loss); });
  }
};

/// Memory of a given size, aligned as scratch wants it.
class Room {
 public:
  explicit Room(std::size_t bytes) : memory_(bytes + Scratch::alignment) {}
  Scratch scratch() {
    const auto place = reinterpret_cast<std::uintptr_t>(memory_.data()) % Scratch::alignment;
    return Scratch(memory_.data() + (Scratch::alignment - place));
  }

 private:
  std::vector<char> memory_;
};

/// One estimate: the value, and the gradient behind it. `loss`: of members, or a target.
template <class T = double, class E, class Loss, class Team = Serial>
std::vector<T> estimate(const E& estimator, const std::vector<T>& theta, std::uint64_t instance,
                        Loss& loss, const Team& team = Team()) {
  static_assert(Estimator<E, T, Loss>);
  const int entries = static_cast<int>(theta.size());
  Room room(estimator.template scratch<T>());
  std::vector<T> result(theta.size() + 1);
  result[0] = estimator.estimate(team, Vector<const T>{theta.data(), entries}, 11, instance, loss,
                                 Vector<T>{result.data() + 1, entries}, room.scratch());
  return result;
}

/// Means over many instances, with their standard errors.
struct Averages {
  Numbers mean, error;
};

template <class Draw>
Averages average(int draws, Draw draw) {
  Numbers sum, square;
  for (int i = 0; i < draws; ++i) {
    const Numbers x = draw(static_cast<std::uint64_t>(i));
    sum.resize(x.size());
    square.resize(x.size());
    for (std::size_t e = 0; e < x.size(); ++e) {
      sum[e] += x[e];
      square[e] += x[e] * x[e];
    }
  }
  Averages result{sum, square};
  for (std::size_t e = 0; e < sum.size(); ++e) {
    const double mean = sum[e] / draws;
    result.mean[e] = mean;
    result.error[e] = std::sqrt(std::max(0.0, square[e] / draws - mean * mean) / draws);
  }
  return result;
}

/// The mean of draw(instance), value and gradient, is as expected to five standard errors and
/// `bias`; so is how much of the expected gradient there is in it. Without bias, a gradient wrong
/// by a tenth would be noticed (but by the fewer draws of sanitizers).
template <class Draw>
void expect_mean(const Numbers& expected, int draws, Draw draw, double bias = 0) {
  double square = 0;
  for (std::size_t e = 1; e < expected.size(); ++e) square += expected[e] * expected[e];
  const Averages got = average(sanitized ? draws / 20 : draws, [&](std::uint64_t instance) {
    Numbers x = draw(instance);
    double part = 0;
    for (std::size_t e = 1; e < x.size(); ++e) part += x[e] * expected[e];
    x.push_back(square > 0 ? part / square : 1);
    return x;
  });
  for (std::size_t e = 0; e < expected.size(); ++e) {
    EXPECT_NEAR(got.mean[e], expected[e], 5 * got.error[e] + bias + 1e-9)
        << (e == 0 ? "value" : "slope") << " by entry " << e;
  }
  if (square < 1e-6) return;
  const double slack = 5 * got.error.back() + bias / std::sqrt(square) + 1e-9;
  EXPECT_NEAR(got.mean.back(), 1, slack) << "scale of the gradient";
  if (bias == 0 && !sanitized) {
    EXPECT_LT(slack, 0.05) << "too few draws to notice a wrong scale";
  }
}

inline Numbers value_and_slopes(double value, Numbers slopes, double scale = 1) {
  for (double& slope : slopes) slope *= scale;
  slopes.insert(slopes.begin(), value);
  return slopes;
}

/// Value and gradient are those of the problem.
template <class Trick, class Draw>
void expect_unbiased(const Problem<Trick>& problem, const QuadraticLoss& loss, int draws, Draw draw,
                     double bias = 0, double gradient_scale = 1) {
  SCOPED_TRACE(decltype(problem.trick.structure)::name);
  expect_mean(value_and_slopes(problem.value(loss), problem.gradient(loss), gradient_scale), draws,
              draw, bias);
}

/// Estimates of one instance are the same again and for every order of a team's work, up to
/// rounding, and are added to the gradient at hand.
template <class T, class Estimator, class Loss>
void expect_repeatable(const Estimator& estimator, const std::vector<T>& theta, Loss& loss) {
  const int entries = static_cast<int>(theta.size());
  const double slack = 500 * epsilon<T>;
  Room room(estimator.template scratch<T>());
  for (std::uint64_t instance = 0; instance < 5; ++instance) {
    const std::vector<T> once = estimate<T>(estimator, theta, instance, loss);
    EXPECT_EQ(once, estimate<T>(estimator, theta, instance, loss));
    std::vector<T> gradient(theta.size(), T(10));
    estimator.estimate(ShuffledTeam(), Vector<const T>{theta.data(), entries}, 11, instance, loss,
                       Vector<T>{gradient.data(), entries}, room.scratch());
    for (std::size_t e = 0; e < gradient.size(); ++e) {
      EXPECT_NEAR(gradient[e], T(10) + once[e + 1], slack * (10 + std::fabs(once[e + 1])));
    }
  }
}

/// Finite at any spread of finite utilities; exactly 0 at an excluded entry; NaN where one is NaN.
template <class T, class Estimator, class Loss>
void expect_finite(const Estimator& estimator, std::size_t size, Loss& loss) {
  for (const double spread : {0.0, 1.0, 1e3, 1e4}) {
    std::vector<T> theta(size);
    for (std::size_t e = 0; e < size; ++e) {
      theta[e] = static_cast<T>(spread * std::sin(5 * static_cast<double>(e)));
    }
    for (const bool excluded : {false, true}) {
      if (excluded) theta[1] = -infinity<T>;
      for (std::uint64_t instance = 0; instance < 10; ++instance) {
        const std::vector<T> got = estimate<T>(estimator, theta, instance, loss);
        for (const T number : got) EXPECT_TRUE(std::isfinite(number)) << spread;
        if (excluded) {
          EXPECT_EQ(got[2], T(0)) << spread;
        }
      }
    }
    theta[0] = not_a_number<T>;
    const std::vector<T> spoilt = estimate<T>(estimator, theta, 0, loss);
    EXPECT_TRUE(std::isnan(spoilt[0]) && std::isnan(spoilt[1]));
  }
}

/// Both, in float and double, of an estimator of problems with a location. make(T()): the
/// estimator.
template <class Make>
void expect_sound(const Numbers& theta, Make make) {
  const auto check = [&]<class T>(T) {
    const auto estimator = make(T());
    QuadraticLoss loss = some_loss(theta.size(), 1);
    expect_repeatable<T>(estimator, std::vector<T>(theta.begin(), theta.end()), loss);
    expect_finite<T>(estimator, theta.size(), loss);
  };
  check(float());
  check(double());
}

/// The gradient at a fixed seed against central differences of `value(theta)`.
template <class Value>
void expect_slopes(const Numbers& theta, const Numbers& got, Value value) {
  const Numbers expected = slopes_of(theta, value, 1e-6);
  for (std::size_t e = 0; e < theta.size(); ++e) EXPECT_NEAR(got[e + 1], expected[e], 1e-6);
}

}  // namespace softtricks::laws
