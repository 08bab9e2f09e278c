#include "softtricks/estimator/gumbel_rao.hpp"

#include "../laws/problems.hpp"
#include "../laws/statistics.hpp"

namespace softtricks::laws {
namespace {

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

/// Utilities given a hard sample x, for many instances; [instance][entry].
template <class Trick>
std::vector<Numbers> given(const Trick& trick, const Numbers& theta, const Numbers& x, int count) {
  const int size = static_cast<int>(theta.size());
  Room room(trick.template scratch<double>());
  std::vector<Numbers> drawn(static_cast<std::size_t>(count), theta);
  for (int i = 0; i < count; ++i) {
    trick.perturb_given(
        Serial(), Vector<const double>{theta.data(), size}, Vector<const double>{x.data(), size},
        Stream<double>(5, static_cast<std::uint64_t>(i)),
        Vector<double>{drawn[static_cast<std::size_t>(i)].data(), size}, room.scratch());
  }
  return drawn;
}

/// Every entry, and every two together, fill the unit interval and square evenly.
void expect_uniform(const std::vector<Numbers>& drawn) {
  const std::size_t size = drawn[0].size(), side = 6;
  for (std::size_t a = 0; a < size; ++a) {
    for (std::size_t b = a; b < size; ++b) {
      std::vector<double> counts(side * side, 0.0);
      for (const Numbers& v : drawn) {
        const double first = v[a],
                     second = a == b ? 36 * v[a] - std::floor(6 * v[a]) * 6 : 6 * v[b];
        ASSERT_TRUE(first >= 0 && first <= 1);
        const auto row = std::min(side - 1, static_cast<std::size_t>(6 * first));
        const auto column = std::min(side - 1, static_cast<std::size_t>(second));
        counts[row * side + column] += 1;
      }
      const std::vector<double> expected(side * side, static_cast<double>(drawn.size()) / 36);
      EXPECT_LT(chi_square_deviate(counts, expected), one_in_a_million) << a << " " << b;
    }
  }
}

/// The largest of Gumbel numbers is one with location log sum exp, and the others below it follow
/// their own law cut off there: distribution functions make uniform numbers of all of them.
TEST(GumbelRao, UtilitiesOfOneHotGivenTheHardSample) {
  const double scale = 1.7;
  const Numbers theta{0.2, -0.5, 3.0, 0.1};
  Numbers scaled = theta;
  for (double& t : scaled) t /= scale;
  const double total = std::log(sum_of_exp(scaled));
  for (std::size_t winner = 0; winner < 4; ++winner) {
    std::vector<Numbers> drawn =
        given(ChoiceTrick{OneHot{4}, 1, {scale}}, theta, member_of(4, {winner}), 40000);
    for (Numbers& u : drawn) {
      for (double& v : u) v /= scale;
      const double best = u[winner];
      for (std::size_t e = 0; e < 4; ++e) {
        ASSERT_LE(u[e], best);
        u[e] = e == winner ? std::exp(-std::exp(total - best))
                           : std::exp(std::exp(scaled[e] - best) - std::exp(scaled[e] - u[e]));
      }
    }
    expect_uniform(drawn);
  }
}

/// Utilities and noise of half the size, at half the locations.
template <class Trick>
void expect_scaled(const Trick& plain, const Numbers& theta, const Numbers& x) {
  Trick narrow = plain;
  narrow.perturbation.scale = 0.5;
  Numbers half = theta;
  for (double& t : half) t /= 2;
  const auto drawn = given(plain, theta, x, 20), scaled = given(narrow, half, x, 20);
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    for (std::size_t e = 0; e < theta.size(); ++e) EXPECT_EQ(scaled[i][e], drawn[i][e] / 2);
  }
}

TEST(GumbelRao, ScalesOfPerturbations) {
  const Numbers theta{0.2, -0.5, 3.0, 0.1};
  expect_scaled(ChoiceTrick{OneHot{4}, 1}, theta, member_of(4, {2}));
  expect_scaled(BitsTrick{BitVector{4}, 1}, theta, member_of(4, {0, 1}));
}

TEST(GumbelRao, UtilitiesOfBitsGivenTheHardSample) {
  const double scale = 0.6;
  const Numbers theta{0.3, -4.0, 2.5};
  for (unsigned set = 0; set < 8; ++set) {
    const Numbers x{double(set & 1u), double(set >> 1 & 1u), double(set >> 2 & 1u)};
    std::vector<Numbers> drawn = given(BitsTrick{BitVector{3}, 1, {scale}}, theta, x, 40000);
    for (Numbers& u : drawn) {
      for (std::size_t e = 0; e < 3; ++e) {
        ASSERT_EQ(u[e] > 0, x[e] > 0);
        const double z = (u[e] - theta[e]) / scale, zero = -theta[e] / scale;
        u[e] = x[e] > 0 ? logistic(-z) / logistic(-zero) : logistic(z) / logistic(zero);
      }
    }
    expect_uniform(drawn);
  }
}

/// Also where the hard sample is one in exp(10000).
TEST(GumbelRao, UtilitiesOfUnlikelySamples) {
  for (const Numbers& u :
       given(ChoiceTrick{OneHot{3}, 1}, {0, 1e4, -infinity<double>}, member_of(3, {0}), 100)) {
    EXPECT_TRUE(std::isfinite(u[0]) && u[1] <= u[0] && u[2] == -infinity<double>);
  }
  for (const Numbers& u :
       given(BitsTrick{BitVector{3}, 1}, {-1e4, 1e4, -infinity<double>}, {1, 0, 0}, 100)) {
    EXPECT_TRUE(u[0] > 0 && u[0] < 50 && u[1] < 0 && u[1] > -50 && u[2] == -infinity<double>);
  }
}

/// Mean of f(d) where `keep`, d ~ Logistic(location).
template <class F>
double logistic_mean(double location, F f) {
  const int count = 400000;
  double sum = 0;
  for (int i = 0; i < count; ++i) {
    const double u = (i + 0.5) / count;
    sum += f(location + std::log(u / (1 - u)));
  }
  return sum / count;
}

/// Slope at the hard sample times the soft sample's Jacobian s (1 - s) / t, by quadrature: of two
/// categories with Gumbel noise, whose utilities differ by a logistic number, and of one bit.
TEST(GumbelRao, MeanIsStraightThroughs) {
  const double t = 0.4;
  const auto bend = [&](double d) { return logistic(d / t) * logistic(-d / t) / t; };
  const Numbers choice{0.5, -0.3}, bit{0.6};
  const QuadraticLoss loss = some_loss(2, 1), bit_loss = some_loss(1, 1);
  const auto slope_at = [](const QuadraticLoss& of, const Numbers& x) {
    Numbers slope(x.size());
    const int size = static_cast<int>(x.size());
    of(Vector<const double>{x.data(), size}, Vector<double>{slope.data(), size});
    return slope;
  };
  const Numbers first = slope_at(loss, {1, 0}), second = slope_at(loss, {0, 1});
  const double rate = logistic_mean(0.8, [&](double d) {
    return bend(d) * (d > 0 ? first[0] - first[1] : second[0] - second[1]);
  });
  const double chance = logistic(0.8);
  const double value = chance * loss.at({1, 0}) + (1 - chance) * loss.at({0, 1});
  const Numbers on = slope_at(bit_loss, {1}), off = slope_at(bit_loss, {0});
  const double bit_rate =
      logistic_mean(bit[0], [&](double d) { return bend(d) * (d > 0 ? on[0] : off[0]); });
  const double bit_value =
      logistic(bit[0]) * bit_loss.at({1}) + logistic(-bit[0]) * bit_loss.at({0});
  for (const int draws : {1, 5}) {
    const GumbelRao<ChoiceTrick> two{{OneHot{2}, t}, draws};
    expect_mean({value, rate, -rate}, 100000,
                [&](std::uint64_t i) { return estimate(two, choice, i, loss); });
    const GumbelRao<BitsTrick> one{{BitVector{1}, t}, draws};
    expect_mean({bit_value, bit_rate}, 100000,
                [&](std::uint64_t i) { return estimate(one, bit, i, bit_loss); });
  }
}

/// In more dimensions: the same value draw by draw, the same mean, less variance.
template <class Trick>
void compare(const Trick& trick, const Numbers& theta) {
  const QuadraticLoss loss = some_loss(theta.size(), 1);
  const std::size_t size = theta.size();
  const int count = sanitized ? 5000 : 400000;
  // The differences, then the squares of both.
  const Averages got = average(count, [&](std::uint64_t instance) {
    const Numbers plain = estimate(StraightThrough<Trick>{trick}, theta, instance, loss);
    const Numbers smooth = estimate(GumbelRao<Trick>{trick, 8}, theta, instance, loss);
    EXPECT_EQ(smooth[0], plain[0]);
    Numbers all;
    double square = 0, smooth_square = 0;
    for (std::size_t e = 1; e <= size; ++e) {
      all.push_back(smooth[e] - plain[e]);
      all.push_back(plain[e]);
      square += plain[e] * plain[e];
      smooth_square += smooth[e] * smooth[e];
    }
    all.push_back(square);
    all.push_back(smooth_square);
    return all;
  });
  double largest = 0, error = 0;
  for (std::size_t e = 0; e < size; ++e) {
    EXPECT_NEAR(got.mean[2 * e], 0, 5 * got.error[2 * e]);
    largest = std::max(largest, std::fabs(got.mean[2 * e + 1]));
    error = std::max(error, got.error[2 * e]);
  }
  if (!sanitized) {
    EXPECT_LT(5 * error, 0.05 * largest) << "too few draws to notice a wrong scale";
  }
  EXPECT_LT(got.mean[2 * size + 1], 0.6 * got.mean[2 * size]);
}

TEST(GumbelRao, HasLessVarianceThanStraightThrough) {
  compare(ChoiceTrick{OneHot{4}, 0.2}, {0.2, -0.5, 1.0, 0.1});
  compare(BitsTrick{BitVector{3}, 0.2}, {0.3, -0.8, 0.5});
  compare(StochasticSoftmax<OneHot, Gumbel, SquaredNorm>{OneHot{4}, 0.5}, {0.2, -0.5, 1.0, 0.1});
}

/// Only where the posterior is known.
static_assert(!DrawsPosterior<PairTrick> && !DrawsPosterior<KnapsackTrick>);
static_assert(!DrawsPosterior<StochasticSoftmax<OneHot, Normal, GibbsEntropy>>);

TEST(GumbelRao, Sound) {
  expect_sound({0.2, -0.5, 1.0, 0.1}, [](auto) {
    return GumbelRao<ChoiceTrick>{{OneHot{4}, 0.01}, 3};
  });
  expect_sound({0.3, -0.8, 0.5}, [](auto) {
    return GumbelRao<BitsTrick>{{BitVector{3}, 0.01}, 3};
  });
}

}  // namespace
}  // namespace softtricks::laws
