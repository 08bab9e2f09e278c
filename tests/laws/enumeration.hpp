#pragma once
/// The Gibbs law of an instance by summing over all members in long double, and utilities to try.
#include <cmath>
#include <random>

#include "statistics.hpp"
#include "subject.hpp"

namespace softtricks::laws {

using Real = long double;

inline Real dot(const Member& x, const Numbers& u) {
  Real sum = 0;
  for (std::size_t e = 0; e < u.size(); ++e) {
    if (x[e] != 0) sum += u[e];
  }
  return sum;
}

inline double largest_size(const Numbers& x) {
  double largest = 0;
  for (const double value : x) {
    if (std::isfinite(value)) largest = std::max(largest, std::fabs(value));
  }
  return largest;
}

class Gibbs {
 public:
  Gibbs(const std::vector<Member>& members, const Numbers& utility)
      : members_(members), score_(members.size()), probability_(members.size()) {
    const Real none = -std::numeric_limits<Real>::infinity();
    Real best = none;
    for (std::size_t m = 0; m < members.size(); ++m) {
      score_[m] = dot(members[m], utility);
      if (score_[m] > best) best_ = m;
      best = std::max(best, score_[m]);
    }
    feasible_ = best > none;
    Real sum = 0;
    for (const Real s : score_) sum += feasible_ ? std::exp(s - best) : 0;
    log_partition_ = best + std::log(sum);
    for (std::size_t m = 0; m < members.size(); ++m) {
      probability_[m] = feasible_ ? std::exp(score_[m] - best) / sum : 0;
    }
  }

  bool feasible() const { return feasible_; }
  Real log_partition() const { return log_partition_; }
  const std::vector<Real>& probability() const { return probability_; }
  Real score(std::size_t m) const { return score_[m]; }

  Real entropy() const {
    Real sum = 0;
    for (std::size_t m = 0; m < members_.size(); ++m) {
      if (probability_[m] > 0) sum -= probability_[m] * (score_[m] - log_partition_);
    }
    return sum;
  }

  /// P(x_e = value)
  Real chance(std::size_t e, int value) const {
    Real sum = 0;
    for (std::size_t m = 0; m < members_.size(); ++m) {
      if (members_[m][e] == value) sum += probability_[m];
    }
    return sum;
  }

  /// Covariance of x with cotangent.x, from differences to the likeliest member, so that it keeps
  /// its relative accuracy when hardly anything is left to vary.
  std::vector<Real> covariance(const Numbers& cotangent) const {
    const std::size_t size = cotangent.size();
    std::vector<Real> y(members_.size()), result(size);
    Real mean = 0;
    for (std::size_t m = 0; m < members_.size(); ++m) {
      for (std::size_t e = 0; e < size; ++e) {
        y[m] += static_cast<Real>(cotangent[e]) * (members_[m][e] - members_[best_][e]);
      }
      mean += probability_[m] * y[m];
    }
    for (std::size_t e = 0; e < size; ++e) {
      const Real in = chance(e, 1), out = chance(e, 0);
      for (std::size_t m = 0; m < members_.size(); ++m) {
        const Real centered = members_[m][e] != 0 ? out : -in;
        result[e] += probability_[m] * centered * (y[m] - mean);
      }
    }
    return result;
  }

 private:
  const std::vector<Member>& members_;
  std::vector<Real> score_, probability_;
  Real log_partition_ = 0;
  std::size_t best_ = 0;
  bool feasible_ = false;
};

using Random = std::mt19937_64;

inline Numbers normal(Random& random, std::size_t size, double scale) {
  std::normal_distribution<double> law(0, scale);
  Numbers x(size);
  for (double& value : x) value = law(random);
  return x;
}

/// Normal plus Gumbel noise, over a temperature: what a soft sample is made of.
inline Numbers perturbed(Random& random, std::size_t size, double temperature) {
  Numbers x = normal(random, size, 1);
  std::extreme_value_distribution<double> gumbel;
  for (double& value : x) value = (value + gumbel(random)) / temperature;
  return x;
}

/// Sets about a third of the utilities to -inf, but leaves a member.
inline void mask(Random& random, const std::vector<Member>& members, Numbers& utility) {
  const Member& kept = members[random() % members.size()];
  for (std::size_t e = 0; e < utility.size(); ++e) {
    if (kept[e] == 0 && random() % 2 == 0) utility[e] = -std::numeric_limits<double>::infinity();
  }
}

inline Numbers repeated(const Numbers& row, std::size_t times) {
  Numbers all;
  for (std::size_t i = 0; i < times; ++i) all.insert(all.end(), row.begin(), row.end());
  return all;
}

struct Instance {
  std::string label;
  Numbers utility;
};

/// Finite and masked utilities of many kinds, as the engine will see them. Feasible, all of them.
inline std::vector<Instance> instances(const Subject& subject, const Engine& engine) {
  Random random(7);
  std::vector<Instance> all;
  const auto add = [&](const char* label, Numbers u) { all.push_back({label, engine.rounded(u)}); };
  const std::size_t size = subject.size;
  add("zero", Numbers(size, 0.0));
  add("equal", Numbers(size, -2.5));
  for (int draw = 0; draw < 3; ++draw) add("normal", normal(random, size, 1));
  for (const double t : {0.5, 0.1, 0.02}) add("perturbed", perturbed(random, size, t));
  Numbers ties = normal(random, size, 1);
  for (double& u : ties) u = std::round(u);
  add("ties", ties);
  for (int draw = 0; draw < 3; ++draw) {
    Numbers masked = normal(random, size, draw < 2 ? 2 : 60);
    mask(random, subject.members, masked);
    add("masked", masked);
  }
  Numbers far = normal(random, size, 1);
  for (double& u : far) u += 300;
  add("far", far);
  add("spread over 100", normal(random, size, 40));
  add("spread over 1000", normal(random, size, 400));
  return all;
}

}  // namespace softtricks::laws
