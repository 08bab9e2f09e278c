#pragma once
/// Problems E[loss(X)] whose value is known by enumeration, and what estimators are held against.
#include <cmath>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "softtricks/lists.hpp"

namespace softtricks::laws {

using Numbers = std::vector<double>;
using Serial = SerialTeam<1000>;

/// loss(x) = linear.x + curvature (mixed.x)^2: smooth on the convex hull, unlike on its members.
struct QuadraticLoss {
  Numbers linear, mixed;
  double curvature;

  double operator()(Vector<const double> x, Vector<double> slope) const {
    double value = 0, inner = 0;
    for (int e = 0; e < x.size; ++e) {
      value += linear[static_cast<std::size_t>(e)] * x[e];
      inner += mixed[static_cast<std::size_t>(e)] * x[e];
    }
    for (int e = 0; e < x.size; ++e) {
      const auto i = static_cast<std::size_t>(e);
      slope[e] = linear[i] + 2 * curvature * inner * mixed[i];
    }
    return value + curvature * inner * inner;
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
    loss.linear[e] = std::cos(3.0 * static_cast<double>(e) + 1);
    loss.mixed[e] = std::sin(2.0 * static_cast<double>(e) + 0.5);
  }
  return loss;
}

/// E[loss] of one of n by Gumbel noise: softmax.
inline double expected_of_one_hot(const Numbers& theta, const QuadraticLoss& loss) {
  double sum = 0, value = 0;
  for (const double t : theta) sum += std::exp(t);
  for (std::size_t e = 0; e < theta.size(); ++e) {
    Numbers x(theta.size(), 0.0);
    x[e] = 1;
    value += std::exp(theta[e]) / sum * loss.at(x);
  }
  return value;
}

/// E[loss] of bits by logistic noise: independent.
inline double expected_of_bits(const Numbers& theta, const QuadraticLoss& loss) {
  double value = 0;
  for (unsigned set = 0; set < 1u << theta.size(); ++set) {
    Numbers x(theta.size());
    double probability = 1;
    for (std::size_t e = 0; e < theta.size(); ++e) {
      x[e] = set >> e & 1u;
      probability *= 1 / (1 + std::exp(x[e] > 0 ? -theta[e] : theta[e]));
    }
    value += probability * loss.at(x);
  }
  return value;
}

/// E[loss] of two of n by Gumbel noise: drawn one after the other without replacement.
inline double expected_of_pairs(const Numbers& theta, const QuadraticLoss& loss) {
  double sum = 0, value = 0;
  for (const double t : theta) sum += std::exp(t);
  for (std::size_t a = 0; a < theta.size(); ++a) {
    for (std::size_t b = 0; b < theta.size(); ++b) {
      if (a == b) continue;
      const double wa = std::exp(theta[a]), wb = std::exp(theta[b]);
      Numbers x(theta.size(), 0.0);
      x[a] = x[b] = 1;
      value += wa / sum * wb / (sum - wa) * loss.at(x);
    }
  }
  return value;
}

template <class Trick>
struct Problem {
  Trick trick;
  Numbers theta;
  double (*expected)(const Numbers& theta, const QuadraticLoss& loss);

  double value(const QuadraticLoss& loss) const { return expected(theta, loss); }
  Numbers gradient(const QuadraticLoss& loss) const {
    Numbers slopes;
    for (std::size_t e = 0; e < theta.size(); ++e) {
      Numbers up = theta, down = theta;
      up[e] += 1e-5;
      down[e] -= 1e-5;
      slopes.push_back((expected(up, loss) - expected(down, loss)) / 2e-5);
    }
    return slopes;
  }
};

using ChoiceTrick = StochasticSoftmax<OneHot, Gumbel, GibbsEntropy>;
using BitsTrick = StochasticSoftmax<BitVector, Logistic, GibbsEntropy>;
using PairTrick = StochasticSoftmax<KSubset, Gumbel, BinaryEntropy>;

/// Calls f(problem) for problems of three structures at a temperature.
template <class F>
void for_each_problem(double temperature, F f) {
  f(Problem<ChoiceTrick>{{OneHot{4}, temperature}, {0.2, -0.5, 1.0, 0.1}, expected_of_one_hot});
  f(Problem<BitsTrick>{{BitVector{3}, temperature}, {0.3, -0.8, 0.5}, expected_of_bits});
  f(Problem<PairTrick>{{KSubset{4, 2}, temperature}, {0.2, -0.5, 0.7, 0.1}, expected_of_pairs});
}

/// One estimate: the value, and the gradient behind it.
template <class Estimator>
Numbers estimate(const Estimator& estimator, const Numbers& theta, std::uint64_t instance,
                 const QuadraticLoss& loss, std::size_t scratch_arrays) {
  const std::size_t size = theta.size();
  std::vector<char> memory(estimator.trick.template scratch<double>() + Scratch::alignment +
                           scratch_arrays * (size * sizeof(double) + Scratch::alignment));
  const auto place = reinterpret_cast<std::uintptr_t>(memory.data()) % Scratch::alignment;
  Numbers result(size + 1, 0.0);
  const int entries = static_cast<int>(size);
  result[0] = estimator.estimate(Serial(), Vector<const double>{theta.data(), entries}, 11,
                                 instance, loss, Vector<double>{result.data() + 1, entries},
                                 Scratch(memory.data() + (Scratch::alignment - place)));
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

/// Value and gradient are those of the problem, to five standard errors and `bias`.
template <class Trick>
void expect_unbiased(const Problem<Trick>& problem, const QuadraticLoss& loss,
                     const Averages& estimates, double bias = 0, double gradient_scale = 1) {
  Numbers exact = problem.gradient(loss);
  for (double& slope : exact) slope *= gradient_scale;
  exact.insert(exact.begin(), problem.value(loss));
  for (std::size_t e = 0; e < exact.size(); ++e) {
    EXPECT_NEAR(estimates.mean[e], exact[e], 5 * estimates.error[e] + bias + 1e-9)
        << (e == 0 ? "value" : "slope") << " of " << decltype(problem.trick.structure)::name;
  }
}

/// The gradient at a fixed seed against central differences of `value(theta)`.
template <class Value>
void expect_slopes(const Numbers& theta, const Numbers& got, Value value) {
  for (std::size_t e = 0; e < theta.size(); ++e) {
    Numbers up = theta, down = theta;
    up[e] += 1e-6;
    down[e] -= 1e-6;
    EXPECT_NEAR(got[e + 1], (value(up) - value(down)) / 2e-6, 1e-6);
  }
}

}  // namespace softtricks::laws
