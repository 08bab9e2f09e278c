#include "softtricks/estimator/fenchel_young.hpp"

#include "../laws/problems.hpp"

namespace softtricks::laws {
namespace {

template <class Structure, class Regularizer>
using Quiet = StochasticSoftmax<Structure, Gumbel, Regularizer>;  // the perturbation plays no part

/// The loss, and its gradient behind it.
template <class T = double, class Trick>
std::vector<T> loss_of(const Trick& trick, const std::vector<T>& theta,
                       const std::vector<T>& target) {
  const FenchelYoung<Trick> loss{trick};
  const int size = static_cast<int>(theta.size());
  Room room(loss.template scratch<T>());
  std::vector<T> result(theta.size() + 1);
  result[0] =
      loss.loss(Serial(), Vector<const T>{theta.data(), size}, Vector<const T>{target.data(), size},
                Vector<T>{result.data() + 1, size}, room.scratch());
  return result;
}

template <class Trick>
Numbers soft_of(const Trick& trick, const Numbers& theta) {
  const int size = static_cast<int>(theta.size());
  Room room(trick.template scratch<double>());
  Numbers x(theta.size());
  trick.soft(Serial(), Vector<const double>{theta.data(), size}, Vector<double>{x.data(), size},
             room.scratch());
  return x;
}

Numbers some_theta(int size) {
  Numbers theta(static_cast<std::size_t>(size));
  for (std::size_t e = 0; e < theta.size(); ++e) {
    theta[e] = 0.8 * std::sin(3.0 * static_cast<double>(e) + 2);
  }
  return theta;
}

/// Calls f(trick) for all four regularizers of structures at some temperatures.
template <class F>
void for_each_trick(F f) {
  const auto of = [&](const auto& structure) {
    using S = std::decay_t<decltype(structure)>;
    for (const double t : {0.4, 1.0, 3.0}) {
      f(Quiet<S, GibbsEntropy>{structure, t});
      f(Quiet<S, SquaredNorm>{structure, t});
      f(Quiet<S, BinaryEntropy>{structure, t});
      f(Quiet<S, ShannonEntropy>{structure, t});
    }
  };
  of(OneHot{4});
  of(BitVector{3});
  of(KSubset{5, 2});
}

/// For all targets in the hull: never negative, 0 at the soft sample alone (but for GibbsEntropy,
/// whose f is left out there), and the gradient is the slope of the loss.
template <class Trick>
void check_loss(const Trick& trick, const Law& law) {
  const Numbers theta = some_theta(trick.size());
  std::vector<Numbers> targets = law.members;
  targets.push_back(law.mean());
  const Numbers soft = soft_of(trick, theta);
  for (const Numbers& target : targets) {
    const Numbers got = loss_of(trick, theta, target);
    for (std::size_t e = 0; e < theta.size(); ++e) {
      EXPECT_NEAR(got[e + 1], soft[e] - target[e], 1e-15);
    }
    expect_slopes(theta, got, [&](const Numbers& at) { return loss_of(trick, at, target)[0]; });
    double distance = 0;
    for (std::size_t e = 0; e < theta.size(); ++e) distance += std::fabs(soft[e] - target[e]);
    EXPECT_GT(got[0], distance > 1e-3 ? 1e-9 : -1e-12);
  }
}
TEST(FenchelYoung, IsALossWithItsGradient) {
  for_each_trick([](const auto& trick) {
    SCOPED_TRACE(decltype(trick.structure)::name);
    const Numbers theta = some_theta(trick.size());
    check_loss(trick, gibbs_law(trick.structure, theta));
    const Numbers soft = soft_of(trick, theta);
    using Structure = std::decay_t<decltype(trick.structure)>;
    if (!std::is_same_v<std::decay_t<decltype(trick)>, Quiet<Structure, GibbsEntropy>>) {
      EXPECT_NEAR(loss_of(trick, theta, soft)[0], 0, 1e-12);
    }
  });
}

/// SparseMAP of structures that have no more than argmax for it.
TEST(FenchelYoung, SparseMapLoss) {
  const auto check = [](const auto& structure, const Law& law) {
    SCOPED_TRACE(structure.name);
    for (const double t : {0.3, 1.0}) {
      check_loss(Quiet<std::decay_t<decltype(structure)>, SquaredNorm>{structure, t}, law);
    }
  };
  const auto check_gibbs = [&](const auto& structure) {
    check(structure, gibbs_law(structure, some_theta(structure.size())));
  };
  check_gibbs(SpanningTree{4});
  check_gibbs(LinearChain{3, 2});
  check_gibbs(Matching{3});
  check(Knapsack(), law_of_knapsacks(some_theta(5)));
}

double f_of(SquaredNorm, double x) { return x * x / 2; }
double f_of(ShannonEntropy, double x) { return x > 0 ? x * std::log(x) : 0; }
double f_of(BinaryEntropy, double x) {
  return f_of(ShannonEntropy(), x) + f_of(ShannonEntropy(), 1 - x);
}

/// Bits are alone with themselves: their largest u x - t f(x) by trying all x of a grid.
template <class Regularizer>
void check_bits(double t) {
  const Numbers theta{0.3, -0.8, 1.7}, target{1, 0, 0.5};
  double expected = 0;
  for (std::size_t e = 0; e < 3; ++e) {
    const auto score = [&](double x) { return theta[e] * x - t * f_of(Regularizer(), x); };
    double best = -infinity<double>;
    for (int i = 0; i <= 100000; ++i) best = std::max(best, score(i / 100000.0));
    expected += best - score(target[e]);
  }
  EXPECT_NEAR(loss_of(Quiet<BitVector, Regularizer>{BitVector{3}, t}, theta, target)[0], expected,
              1e-8);
}
TEST(FenchelYoung, ValuesOfBits) {
  for (const double t : {0.5, 2.0}) {
    check_bits<SquaredNorm>(t);
    check_bits<ShannonEntropy>(t);
    check_bits<BinaryEntropy>(t);
  }
}

/// The loss of conditional random fields, by all members.
TEST(FenchelYoung, GibbsEntropyIsMinusLogProb) {
  const auto check = [](const auto& structure) {
    SCOPED_TRACE(structure.name);
    using S = std::decay_t<decltype(structure)>;
    const Numbers theta = some_theta(structure.size());
    const double t = 0.6;
    Numbers scaled = theta;
    for (double& u : scaled) u /= t;
    const Law law = gibbs_law(structure, scaled);
    for (std::size_t m = 0; m < law.members.size(); ++m) {
      EXPECT_NEAR(loss_of(Quiet<S, GibbsEntropy>{structure, t}, theta, law.members[m])[0],
                  -t * std::log(law.probability[m]), 1e-12);
    }
  };
  check(OneHot{4});
  check(KSubset{5, 2});
  check(SpanningTree{4});
  check(LinearChain{3, 2});
}

/// The sparsemax loss in its usual form, (z_S^2 - tau^2) / 2 + 1/2 - z_y with S the support.
/// [Martins, Astudillo 2016]
TEST(FenchelYoung, SparsemaxLoss) {
  const Numbers z{0.9, 0.5, -0.3, 0.7};
  const double tau = (0.9 + 0.5 + 0.7 - 1) / 3;
  double expected = 0.5 - z[1];
  for (const double v : z) expected += v > tau ? (v * v - tau * tau) / 2 : 0;
  const Quiet<OneHot, SquaredNorm> trick{OneHot{4}, 1};
  EXPECT_NEAR(loss_of(trick, z, {0, 1, 0, 0})[0], expected, 1e-14);
}

/// Exactly 0 for a target that leads by a margin.
TEST(FenchelYoung, SquaredNormHasAMargin) {
  const Quiet<KSubset, SquaredNorm> trick{KSubset{5, 2}, 1};
  const Numbers target{0, 1, 0, 1, 0};
  EXPECT_EQ(loss_of(trick, Numbers{0.1, 1.4, 0.3, 1.5, -2}, target), Numbers(6, 0.0));
  EXPECT_GT(loss_of(trick, Numbers{0.1, 1.2, 0.3, 1.5, -2}, target)[0], 0);
}

TEST(FenchelYoung, Extremes) {
  for_each_trick([](const auto& trick) {
    const auto check = [&]<class T>(T) {
      auto cold = trick;
      cold.temperature = 0.01;
      std::vector<T> theta(static_cast<std::size_t>(trick.size())), target(theta.size(), T(0));
      target[0] = target[2] = T(1);
      if (std::is_same_v<std::decay_t<decltype(trick.structure)>, OneHot>) target[2] = T(0);
      for (std::size_t e = 0; e < theta.size(); ++e) {
        theta[e] = static_cast<T>(1e4 * std::sin(5 * static_cast<double>(e)));
      }
      for (const bool excluded : {false, true}) {
        if (excluded) theta[1] = -infinity<T>;
        const std::vector<T> got = loss_of<T>(cold, theta, target);
        for (const T number : got) EXPECT_TRUE(std::isfinite(number));
        if (excluded) {
          EXPECT_EQ(got[2], T(0));
        }
      }
      target[1] = T(1);
      EXPECT_EQ(loss_of<T>(cold, theta, target)[0], infinity<T>) << "the target is excluded";
      theta[0] = not_a_number<T>;
      EXPECT_TRUE(std::isnan(loss_of<T>(cold, theta, target)[0]));
    };
    check(float());
    check(double());
  });
}

}  // namespace
}  // namespace softtricks::laws
