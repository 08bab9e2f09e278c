#pragma once
/// Problems E[loss(X)] whose law of the hard sample is known by enumeration.
#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "estimator.hpp"

namespace softtricks::laws {

inline Numbers member_of(std::size_t size, std::initializer_list<std::size_t> ones) {
  Numbers x(size, 0.0);
  for (const std::size_t e : ones) x[e] = 1;
  return x;
}
inline double sum_of_exp(const Numbers& theta) {
  return std::accumulate(theta.begin(), theta.end(), 0.0,
                         [](double sum, double t) { return sum + std::exp(t); });
}

/// One of n by Gumbel noise: softmax.
inline Law law_of_one_hot(const Numbers& theta) {
  Law law;
  const double sum = sum_of_exp(theta);
  for (std::size_t e = 0; e < theta.size(); ++e) {
    law.add(member_of(theta.size(), {e}), std::exp(theta[e]) / sum);
  }
  return law;
}

/// Bits by logistic noise: independent.
inline Law law_of_bits(const Numbers& theta) {
  Law law;
  for (unsigned set = 0; set < 1u << theta.size(); ++set) {
    Numbers x(theta.size());
    double probability = 1;
    for (std::size_t e = 0; e < theta.size(); ++e) {
      x[e] = set >> e & 1u;
      probability *= 1 / (1 + std::exp(x[e] > 0 ? -theta[e] : theta[e]));
    }
    law.add(x, probability);
  }
  return law;
}

/// Two of n by Gumbel noise: drawn one after the other without replacement.
inline Law law_of_pairs(const Numbers& theta) {
  Law law;
  const double sum = sum_of_exp(theta);
  for (std::size_t a = 0; a < theta.size(); ++a) {
    for (std::size_t b = 0; b < theta.size(); ++b) {
      if (a == b) continue;
      const double wa = std::exp(theta[a]), wb = std::exp(theta[b]);
      law.add(member_of(theta.size(), {a, b}), wa / sum * wb / (sum - wa));
    }
  }
  return law;
}

using Order = std::array<std::size_t, 6>;

/// The spanning tree on 4 nodes that takes edges, as they come, unless they close a circle.
/// [Kruskal 1956]
inline Numbers tree_by(const Order& order) {
  constexpr int ends[6][2] = {{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}};
  int part[4] = {0, 1, 2, 3};
  Numbers x(6, 0.0);
  for (const std::size_t e : order) {
    const int from = part[ends[e][0]], to = part[ends[e][1]];
    if (from == to) continue;
    x[e] = 1;
    for (int& p : part) p = p == from ? to : p;
  }
  return x;
}

/// Calls f(order, probability) for the orders in which exponential alarms of rates exp(theta) go
/// off: drawn without replacement.
template <class F>
void for_each_order(const Numbers& theta, F f) {
  Order order{0, 1, 2, 3, 4, 5};
  do {
    double left = sum_of_exp(theta), probability = 1;
    for (const std::size_t e : order) {
      probability *= std::exp(theta[e]) / left;
      left -= std::exp(theta[e]);
    }
    f(order, probability);
  } while (std::next_permutation(order.begin(), order.end()));
}

/// Trees on 4 nodes of largest utility under Gumbel noise, -log of exponential numbers: the first
/// alarm is the largest utility.
inline Law law_of_gumbel_trees(const Numbers& theta) {
  Law law;
  for_each_order(theta, [&](const Order& order, double p) { law.add(tree_by(order), p); });
  return law;
}

/// Under exponential utilities of rates exp(theta): the first alarm is the least utility.
inline Law law_of_exponential_trees(const Numbers& theta) {
  Law law;
  for_each_order(theta, [&](Order order, double p) {
    std::reverse(order.begin(), order.end());
    law.add(tree_by(order), p);
  });
  return law;
}

/// Under utilities -softplus(theta) E: again the first alarm is the largest utility, at rates
/// 1 / softplus(theta).
inline Law law_of_negative_exponential_trees(const Numbers& theta) {
  Numbers log_rate;
  for (const double t : theta) log_rate.push_back(-std::log(std::log1p(std::exp(t))));
  return law_of_gumbel_trees(log_rate);
}

/// One of n by Gumbel noise of scale 2.
inline Law law_of_noisy_one_hot(const Numbers& theta) {
  Numbers scaled = theta;
  for (double& t : scaled) t /= 2;
  return law_of_one_hot(scaled);
}

/// Two pairs by normal noise of variance 1: the matchings differ by N(theta.difference, 4).
inline Law law_of_two_pairs(const Numbers& theta) {
  const double lead = theta[0] + theta[3] - theta[1] - theta[2];
  Law law;
  law.add({1, 0, 0, 1}, std::erfc(-lead / std::sqrt(8.0)) / 2);
  law.add({0, 1, 1, 0}, std::erfc(lead / std::sqrt(8.0)) / 2);
  return law;
}

/// A structure of a user's own, with argmax and no more: items that a weight limits.
struct Knapsack {
  std::array<int, 5> weight{3, 3, 3, 1, 1};
  int capacity = 5;

  static constexpr const char* name = "knapsack";
  int size() const { return 5; }
  int longest() const { return 5; }
  template <class T>
  std::size_t scratch() const {
    return 0;
  }
  template <class T, class Team>
  void argmax(const Team&, Vector<const T> utility, T, Vector<T> x, Scratch) const {
    T best = -infinity<T>;
    unsigned winner = 0;
    for (unsigned set = 0; set < 32; ++set) {
      int load = 0;
      T value = 0;
      for (int i = 0; i < 5; ++i) {
        if ((set >> i & 1u) == 0) continue;
        load += weight[static_cast<std::size_t>(i)];
        value += utility[i];
      }
      if (load > capacity || value <= best) continue;
      best = value;
      winner = set;
    }
    for (int i = 0; i < 5; ++i) x[i] = T(winner >> i & 1u);
  }
};

/// At most one of the heavy items fits, and both light ones always: by Gumbel noise, of which the
/// largest of some is a Gumbel number again, independent of which it is.
inline Law law_of_knapsacks(const Numbers& theta) {
  const double heavy = sum_of_exp({theta[0], theta[1], theta[2]}), none = std::exp(-heavy);
  Law law;
  for (unsigned set = 0; set < 16; ++set) {
    const unsigned first = set & 3u;
    Numbers x(5, 0.0);
    if (first < 3) x[first] = 1;
    double p = first < 3 ? std::exp(theta[first]) / heavy * (1 - none) : none;
    for (std::size_t light = 3; light < 5; ++light) {
      x[light] = set >> (light - 1) & 1u;
      const double out = std::exp(-std::exp(theta[light]));
      p *= x[light] > 0 ? 1 - out : out;
    }
    law.add(x, p);
  }
  return law;
}

/// The Gibbs law of a structure, its members found by trying all vectors.
template <class Structure>
Law gibbs_law(const Structure& structure, const Numbers& theta) {
  const int size = structure.size();
  Room room(structure.template scratch<double>());
  Law law;
  double sum = 0;
  for (unsigned set = 0; set < 1u << size; ++set) {
    Numbers x(theta.size());
    double utility = 0;
    for (std::size_t e = 0; e < x.size(); ++e) {
      x[e] = set >> e & 1u;
      utility += x[e] * theta[e];
    }
    if (!structure.contains(Serial(), Vector<const double>{x.data(), size},
                            static_cast<double>(structure.longest()), room.scratch())) {
      continue;
    }
    law.add(x, std::exp(utility));
    sum += std::exp(utility);
  }
  for (double& p : law.probability) p /= sum;
  return law;
}

using ChoiceTrick = StochasticSoftmax<OneHot, Gumbel, GibbsEntropy>;
using BitsTrick = StochasticSoftmax<BitVector, Logistic, GibbsEntropy>;
using PairTrick = StochasticSoftmax<KSubset, Gumbel, BinaryEntropy>;
using TreeTrick = StochasticSoftmax<SpanningTree, Gumbel, GibbsEntropy>;
using ExponentialTreeTrick = StochasticSoftmax<SpanningTree, Exponential, GibbsEntropy>;
using NegativeTreeTrick = StochasticSoftmax<SpanningTree, NegativeExponential, GibbsEntropy>;
using MatchingTrick = StochasticSoftmax<Matching, Normal, ShannonEntropy>;
using KnapsackTrick = StochasticSoftmax<Knapsack, Gumbel, SquaredNorm>;

inline Numbers some_tree_theta() { return {0.4, -0.3, 0.1, 0.6, -0.2, 0.3}; }

/// Calls f(problem) for problems of five structures at a temperature.
template <class F>
void for_each_problem(double temperature, F f) {
  f(Problem<ChoiceTrick>{{OneHot{4}, temperature}, {0.2, -0.5, 1.0, 0.1}, law_of_one_hot});
  f(Problem<BitsTrick>{{BitVector{3}, temperature}, {0.3, -0.8, 0.5}, law_of_bits});
  f(Problem<PairTrick>{{KSubset{4, 2}, temperature}, {0.2, -0.5, 0.7, 0.1}, law_of_pairs});
  f(Problem<TreeTrick>{{SpanningTree{4}, temperature}, some_tree_theta(), law_of_gumbel_trees});
  f(Problem<KnapsackTrick>{
      {Knapsack(), temperature}, {-0.5, 0.1, -0.9, -0.2, 0.3}, law_of_knapsacks});
}

/// For estimators that ask for argmax alone; U = theta + noise.
template <class F>
void for_each_location_problem(F f) {
  for_each_problem(1, f);
  f(Problem<ChoiceTrick>{
      {OneHot{4}, 1, Gumbel{.scale = 2}}, {0.2, -0.5, 1.0, 0.1}, law_of_noisy_one_hot});
  f(Problem<MatchingTrick>{{Matching{2}, 1}, {0.4, -0.2, 0.1, 0.3}, law_of_two_pairs});
}
/// And where theta is no location.
template <class F>
void for_each_argmax_problem(F f) {
  for_each_location_problem(f);
  f(Problem<ExponentialTreeTrick>{
      {SpanningTree{4}, 1}, some_tree_theta(), law_of_exponential_trees});
  f(Problem<NegativeTreeTrick>{
      {SpanningTree{4}, 1}, some_tree_theta(), law_of_negative_exponential_trees});
}

}  // namespace softtricks::laws
