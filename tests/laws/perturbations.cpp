/// Laws of a perturbation, from its distribution function alone: the density integrates to it, the
/// draws follow it, and kl and all derivatives are what numerical integration and differences say.
#include <algorithm>
#include <random>

#include "perturbation.hpp"
#include "softtricks/registry.hpp"
#include "statistics.hpp"

namespace softtricks::laws {
namespace {

class PerturbationLaws : public testing::TestWithParam<PerturbationSubject> {
 protected:
  using Numbers = std::vector<double>;

  /// The verb on one row, in float or double; for *_vjp d theta, then d value.
  Numbers call(const std::string& verb, const Numbers& theta, const Numbers& value,
               const Numbers& cotangent, bool single, std::uint64_t seed = 1,
               std::uint64_t first = 0, std::int64_t batch = 1, Executor executor = {}) const {
    return single ? call_as<float>(verb, theta, value, cotangent, seed, first, batch, executor)
                  : call_as<double>(verb, theta, value, cotangent, seed, first, batch, executor);
  }
  bool offers(const std::string& verb) const {
    for (const PerturbationInfo& info : perturbations()) {
      if (info.name == GetParam().name) return std::ranges::count(info.verbs, verb) == 1;
    }
    return false;
  }
  /// Where the support starts; 1e-12 of the mass aside.
  double low(double theta) const {
    return GetParam().low + (GetParam().low_follows_theta ? theta : 0);
  }
  /// The value below which a share of the mass lies.
  double quantile(double theta, double share) const {
    double below = low(theta), above = GetParam().high;
    for (int i = 0; i < 80; ++i) {
      const double middle = (below + above) / 2;
      (GetParam().distribution(theta, middle) < share ? below : above) = middle;
    }
    return below;
  }
  double one(const std::string& verb, double theta, double value) const {
    return call(verb, {theta}, {value}, {}, false).at(0);
  }

 private:
  template <class T>
  Numbers call_as(const std::string& verb, const Numbers& theta, const Numbers& value,
                  const Numbers& cotangent, std::uint64_t seed, std::uint64_t first,
                  std::int64_t batch, const Executor& executor) const {
    const std::vector<T> a(theta.begin(), theta.end()), b(value.begin(), value.end()),
        g(cotangent.begin(), cotangent.end());
    const bool two = verb.ends_with("_vjp") && verb != "sample_vjp";
    std::vector<T> out(a.size()), out_value(a.size());
    PerturbationCall c;
    c.verb = verb;
    c.perturbation = GetParam().name;
    c.parameters = GetParam().parameters;
    c.dtype = sizeof(T) == 4 ? Dtype::float32 : Dtype::float64;
    c.batch = batch;
    c.size = static_cast<std::int64_t>(a.size()) / batch;
    c.theta = a.data();
    c.value = b.empty() ? nullptr : b.data();
    c.cotangent = g.empty() ? nullptr : g.data();
    c.seed = seed;
    c.first_instance = first;
    c.out = out.data();
    c.out_value = out_value.data();
    c.executor = executor;
    const Status status = run(c);
    EXPECT_TRUE(status.ok()) << status.message();
    Numbers result(out.begin(), out.end());
    if (two) result.insert(result.end(), out_value.begin(), out_value.end());
    return result;
  }
};

/// Integral of f over [low, high]: Gauss and Legendre's rule of 5 points on 800 pieces.
template <class F>
double integral(double low, double high, F f) {
  const double place[] = {0.0, 0.5384693101056831, 0.9061798459386640};
  const double weight[] = {0.5688888888888889, 0.4786286704993665, 0.2369268850561891};
  const int pieces = 800;
  const double half = (high - low) / pieces / 2;
  double sum = 0;
  for (int i = 0; i < pieces; ++i) {
    const double middle = low + (2 * i + 1) * half;
    sum += weight[0] * f(middle);
    for (int j = 1; j < 3; ++j) {
      sum += weight[j] * (f(middle - half * place[j]) + f(middle + half * place[j]));
    }
  }
  return sum * half;
}

const double thetas[] = {-2.0, -0.3, 0.0, 1.5};

TEST_P(PerturbationLaws, DensityIsTheDistributionsSlope) {
  const PerturbationSubject& law = GetParam();
  if (!offers("log_prob")) GTEST_SKIP();
  for (const double theta : thetas) {
    const double mass = integral(low(theta), law.high,
                                 [&](double u) { return std::exp(one("log_prob", theta, u)); });
    EXPECT_NEAR(mass, 1, 1e-8) << "theta = " << theta;
    for (int i = 1; i < 40; ++i) {
      const double u = low(theta) + (law.high - low(theta)) * i / 40, h = 1e-5;
      const double slope =
          (law.distribution(theta, u + h) - law.distribution(theta, u - h)) / (2 * h);
      EXPECT_NEAR(std::exp(one("log_prob", theta, u)), slope, 1e-9 + 1e-6 * slope);
    }
  }
}

TEST_P(PerturbationLaws, KlIsTheIntegral) {
  const PerturbationSubject& law = GetParam();
  if (!offers("kl")) GTEST_SKIP();
  for (const double theta : thetas) {
    for (const double other : {-2.0, -0.35, 0.0, 1e-3, 1.5}) {
      const double expected = integral(law.low, law.high, [&](double u) {
        const double p = one("log_prob", theta, u), q = one("log_prob", other, u);
        return p > -700 ? std::exp(p) * (p - q) : 0.0;
      });
      EXPECT_NEAR(one("kl", theta, other), expected, 1e-7) << theta << " from " << other;
    }
    EXPECT_EQ(one("kl", theta, theta), 0);
  }
  // Float keeps relative accuracy where the two laws are close, and is finite where far.
  for (const double d : {1e-6, 1e-3, 0.1, 0.2499, 0.2501, 1.0, 10.0, 80.0}) {
    for (const double sign : {-1.0, 1.0}) {
      const double exact = one("kl", sign * double(float(d)), 0);
      const double single = call("kl", {sign * d}, {0.0}, {}, true).at(0);
      EXPECT_GE(single, 0);
      EXPECT_GE(exact, 0);
      if (d < 50) {
        EXPECT_NEAR(single / exact, 1, 1e-4) << "difference " << sign * d;
      }
    }
  }
}

TEST_P(PerturbationLaws, DerivativesAreDifferences) {
  for (const std::string verb : {"transform", "log_prob", "kl"}) {
    if (!offers(verb)) continue;
    for (const double a : thetas) {
      for (const double step : {0.1, 0.24, 0.8, 2.5}) {
        const double inside = GetParam().high > 0 ? std::max(low(a), -1.0) + 2 * step : -2 * step;
        const double b = verb == "kl"          ? a - step
                         : verb == "transform" ? step
                                               : inside,
                     g = 1.7, h = 1e-5;
        const double by_a = (one(verb, a + h, b) - one(verb, a - h, b)) / (2 * h);
        const double by_b = (one(verb, a, b + h) - one(verb, a, b - h)) / (2 * h);
        for (const bool single : {false, true}) {
          const std::vector<double> got = call(verb + "_vjp", {a}, {b}, {g}, single);
          const double tolerance = single ? 1e-5 : 1e-7;
          EXPECT_NEAR(got[0], g * by_a, tolerance * (1 + std::fabs(g * by_a))) << verb;
          EXPECT_NEAR(got[1], g * by_b, tolerance * (1 + std::fabs(g * by_b))) << verb;
        }
      }
    }
  }
}

/// A draw is the transform of its noise, bit for bit, and noise does not know theta.
TEST_P(PerturbationLaws, NoiseAndTransformAreTheDraw) {
  std::mt19937_64 random(5);
  const std::size_t rows = 3;
  for (const std::size_t size : {1u, 16u, 37u, 64u, 150u}) {
    Numbers theta(rows * size);
    for (double& x : theta) x = std::normal_distribution<double>()(random);
    for (const bool single : {true, false}) {
      const Numbers noise = call("noise", theta, {}, {}, single, 4, 9, rows);
      EXPECT_EQ(noise, call("noise", Numbers(theta.size(), 7.0), {}, {}, single, 4, 9, rows));
      EXPECT_EQ(call("transform", theta, noise, {}, single, 0, 0, rows),
                call("sample", theta, {}, {}, single, 4, 9, rows));
    }
  }
}

/// Whatever finite theta is, neither a draw nor a derivative is NaN.
TEST_P(PerturbationLaws, ExtremeThetaGivesNoNan) {
  for (const double theta : {-1e4, -700.0, -100.0, -88.0, -41.0, -39.0, 39.0, 88.0, 100.0, 1e4}) {
    for (const bool single : {true, false}) {
      const Numbers at(40, theta), ones(40, 1.0);
      const Numbers u = call("sample", at, {}, {}, single);
      std::vector<Numbers> results{u, call("sample_vjp", at, u, ones, single)};
      for (const std::string verb : {"log_prob", "kl"}) {
        if (!offers(verb)) continue;
        for (const Numbers& value : {at, Numbers(40, 0.0), Numbers(40, -1.0), Numbers(40, 3.0)}) {
          results.push_back(call(verb, at, value, {}, single));
          results.push_back(call(verb + "_vjp", at, value, ones, single));
        }
      }
      for (const Numbers& numbers : results) {
        EXPECT_FALSE(std::ranges::any_of(numbers, [](double x) { return std::isnan(x); }))
            << "theta = " << theta << (single ? ", float" : "") << ", result "
            << &numbers - results.data();
      }
    }
  }
}

/// With the seed kept, U is a function of theta; sample_vjp is its slope.
TEST_P(PerturbationLaws, DrawsFollowTheta) {
  const std::size_t size = 100;
  const double h = 1e-6, g = 0.6;
  for (const double theta : thetas) {
    const Numbers at(size, theta), u = call("sample", at, {}, {}, false);
    const Numbers up = call("sample", Numbers(size, theta + h), {}, {}, false);
    const Numbers down = call("sample", Numbers(size, theta - h), {}, {}, false);
    const Numbers slopes = call("sample_vjp", at, u, Numbers(size, g), false);
    for (std::size_t i = 0; i < size; ++i) {
      const double expected = g * (up[i] - down[i]) / (2 * h);
      EXPECT_NEAR(slopes[i], expected, 1e-7 * (1 + std::fabs(expected)));
    }
  }
}

/// Moments, and counts in 50 equally likely cells (by the distribution function).
TEST_P(PerturbationLaws, DrawsFollowTheDistribution) {
  const PerturbationSubject& law = GetParam();
  const std::size_t draws = 200000;
  for (const bool single : {true, false}) {
    for (const double theta : {0.0, -1.0}) {
      const Numbers u = call("sample", Numbers(draws, theta), {}, {}, single, 42);
      std::vector<double> counts(50), expected(50, draws / 50.0), bounds;
      for (int cell = 1; cell < 50; ++cell) bounds.push_back(quantile(theta, cell / 50.0));
      double mean = 0, square = 0;
      for (const double value : u) {
        ASSERT_TRUE(std::isfinite(value));
        ++counts[static_cast<std::size_t>(std::ranges::upper_bound(bounds, value) -
                                          bounds.begin())];
        mean += value;
        square += value * value;
      }
      EXPECT_LT(chi_square_deviate(counts, expected), one_in_a_million);
      if (theta != 0) continue;
      mean /= draws;
      const double variance = square / draws - mean * mean;
      EXPECT_NEAR(mean, law.mean, 5 * std::sqrt(law.variance / draws));
      EXPECT_NEAR(variance, law.variance, 5 * law.variance * std::sqrt(8.0 / draws));
    }
  }
}

/// Neighbouring entries, rows and seeds are independent: pairs above and below the median.
TEST_P(PerturbationLaws, DrawsAreIndependent) {
  const std::size_t rows = 400, size = 150, draws = rows * size;
  const auto u = call("sample", Numbers(draws, 0.0), {}, {}, true, 7, 0, rows);
  const auto other = call("sample", Numbers(draws, 0.0), {}, {}, true, 8, 0, rows);
  const double median = quantile(0, 0.5);
  const auto upper = [&](double x) { return x > median ? 1u : 0u; };
  for (const std::size_t lag :
       {std::size_t{0}, std::size_t{1}, std::size_t{16}, std::size_t{64}, size}) {
    std::vector<double> counts(4), expected(4, static_cast<double>(draws - lag) / 4);
    for (std::size_t i = 0; i + lag < draws; ++i) {
      ++counts[2 * upper(u[i]) + upper((lag == 0 ? other : u)[i + lag])];
    }
    EXPECT_LT(chi_square_deviate(counts, expected), one_in_a_million) << "lag " << lag;
  }
}

/// A row's draws depend on seed, row number and place in the row, and on nothing else.
TEST_P(PerturbationLaws, DrawsDoNotDependOnTheBatch) {
  std::mt19937_64 random(3);
  for (const std::size_t size : {1u, 3u, 15u, 16u, 17u, 31u, 33u, 64u, 65u, 200u}) {
    const std::size_t rows = 37;
    Numbers theta(rows * size);
    for (double& x : theta) x = std::normal_distribution<double>()(random);
    for (const bool single : {true, false}) {
      const auto whole = call("sample", theta, {}, {}, single, 9, 100, rows);
      EXPECT_EQ(whole, call("sample", theta, {}, {}, single, 9, 100, rows, thread_pool(3)));
      EXPECT_NE(whole, call("sample", theta, {}, {}, single, 10, 100, rows));
      for (std::size_t row = 0; row < rows; ++row) {
        const auto first = theta.begin() + static_cast<std::ptrdiff_t>(row * size);
        const Numbers one_row(first, first + static_cast<std::ptrdiff_t>(size));
        const auto got = call("sample", one_row, {}, {}, single, 9, 100 + row);
        ASSERT_TRUE(std::equal(got.begin(), got.end(),
                               whole.begin() + static_cast<std::ptrdiff_t>(row * size)))
            << "row " << row << " of " << size;
      }
    }
  }
}

/// Whatever is computed for an entry, its neighbours don't matter.
TEST_P(PerturbationLaws, EntriesAreIndependent) {
  std::mt19937_64 random(6);
  Numbers theta(50), value(50);
  for (double& x : theta) x = std::normal_distribution<double>()(random);
  for (double& x : value)
    x = (GetParam().high > 0 ? 4 : -4) * std::normal_distribution<double>()(random);
  for (const std::string verb : {"transform", "log_prob", "kl"}) {
    if (!offers(verb)) continue;
    for (const bool single : {true, false}) {
      const Numbers all = call(verb + "_vjp", theta, value, Numbers(50, 1.0), single);
      for (std::size_t i = 0; i < theta.size(); ++i) {
        const Numbers alone = call(verb + "_vjp", {theta[i]}, {value[i]}, {1.0}, single);
        EXPECT_EQ(alone[0], all[i]) << verb;
        EXPECT_EQ(alone[1], all[50 + i]) << verb;
      }
    }
  }
}

TEST_P(PerturbationLaws, EmptyArrays) {
  EXPECT_TRUE(call("sample", {}, {}, {}, true).empty());
  EXPECT_TRUE(call("transform", {}, {}, {}, false).empty());
}

INSTANTIATE_TEST_SUITE_P(Perturbations, PerturbationLaws,
                         testing::ValuesIn(perturbation_subjects()), [](const auto& subject) {
                           return subject.param.name + "_" + std::to_string(subject.index);
                         });

}  // namespace
}  // namespace softtricks::laws
