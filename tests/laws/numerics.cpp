/// The numerics law: on the very float or double inputs, against arithmetic of hundreds to
/// thousands of digits, the worst marginal is off by less than 1e-5 in float and 1e-11 in double
/// (1e-10 over 1e4 nats), and its derivative, relative to the largest entry, by 1e-4 and 1e-9; at
/// any temperature, with forbidden entries, over spreads of 1e4 nats.
#include <functional>
#include <random>

#include <gtest/gtest.h>

#include "derivation_reference.hpp"
#include "kernel_engine.hpp"
#include "softtricks/lists.hpp"

namespace softtricks::laws {
namespace {

using Random = std::mt19937_64;

Numbers perturbed(Random& random, std::size_t size, double temperature) {
  std::normal_distribution<double> normal;
  std::extreme_value_distribution<double> gumbel;
  Numbers u(size);
  for (double& x : u) x = (normal(random) + gumbel(random)) / temperature;
  return u;
}

Numbers normal_numbers(Random& random, std::size_t size) {
  std::normal_distribution<double> normal;
  Numbers x(size);
  for (double& value : x) value = normal(random);
  return x;
}

void expect_accurate(const Engine& engine, const Numbers& utility, const Numbers& direction,
                     const Reference& exact) {
  const bool far = finite_spread(utility) > 3000;
  const double allowed = engine.single() ? 1e-5 : far ? 1e-10 : 1e-11;
  const Numbers marginal = engine({.verb = "marginals", .utility = utility});
  const Numbers vjp = engine({"marginals_vjp", utility, {}, direction});
  double largest = 0;
  for (const double g : direction) largest = std::max(largest, std::fabs(g));
  Digits scale = Digits(1e-25) * largest;
  for (const Digits& d : exact.derivative) scale = std::max(scale, Digits(abs(d)));
  double worst = 0, worst_vjp = 0;
  for (std::size_t e = 0; e < utility.size(); ++e) {
    ASSERT_TRUE(std::isfinite(marginal[e])) << "entry " << e;
    ASSERT_TRUE(std::isfinite(vjp[e])) << "entry " << e;
    if (!std::isfinite(utility[e])) {
      EXPECT_EQ(marginal[e], 0);
      EXPECT_EQ(vjp[e], 0);
    }
    worst = std::max(worst, static_cast<double>(abs(exact.marginal[e] - marginal[e])));
    worst_vjp = std::max(worst_vjp, static_cast<double>(abs(exact.derivative[e] - vjp[e]) / scale));
  }
  EXPECT_LT(worst, allowed) << "marginals by " << engine.name;
  EXPECT_LT(worst_vjp, engine.single() ? 1e-4 : 1e-9)
      << "marginals_vjp by " << engine.name << ", largest entry " << static_cast<double>(scale);
  std::printf("    %-22s marginals %.1e  vjp %.1e\n", engine.name.c_str(), worst, worst_vjp);
}

using Referee = std::function<Reference(const Numbers& utility, const Numbers& direction)>;

/// The library and its kernels of every instruction set, in float and double, on one draw.
/// `shared`: one reference for both, from inputs that are floats.
void check(const std::string& structure, const std::vector<std::int64_t>& shape,
           const Numbers& utility, bool shared, Random& random, const Referee& referee) {
  const Engines engines = library_engines(structure, shape);
  const Engine& single = *engines.front();
  const Numbers rounded = single.rounded(utility);
  const Numbers direction = single.rounded(normal_numbers(random, utility.size()));
  std::printf("  %s of %lld, spread %.0f nats\n", structure.c_str(),
              static_cast<long long>(shape.front()), finite_spread(utility));
  const Reference of_rounded = referee(rounded, direction);
  const Reference of_given = shared ? of_rounded : referee(utility, direction);
  for (const auto& engine : engines) {
    const bool as_float = engine->single() || shared;
    expect_accurate(*engine, as_float ? rounded : utility, direction,
                    as_float ? of_rounded : of_given);
  }
}

void check_tree(int nodes, const Numbers& utility, bool shared, Random& random) {
  check("spanning_tree", {nodes}, utility, shared, random,
        [nodes](const Numbers& u, const Numbers& g) { return TreeReference(nodes, u).along(g); });
}

/// Forbids about two thirds of the edges, but none of a path through all vertices.
void forbid(Random& random, int nodes, Numbers& utility) {
  std::size_t e = 0;
  for (int i = 0; i < nodes; ++i) {
    for (int j = i + 1; j < nodes; ++j, ++e) {
      if (j != i + 1 && random() % 3 != 0) utility[e] = -std::numeric_limits<double>::infinity();
    }
  }
}

std::size_t edges_of(int nodes) { return static_cast<std::size_t>(nodes * (nodes - 1) / 2); }

const double temperatures[] = {1, 0.5, 0.2, 0.1, 0.05, 0.01};

void check_temperatures(int nodes, int draws) {
  Random random(static_cast<std::uint64_t>(nodes));
  for (const double t : temperatures) {
    SCOPED_TRACE("temperature " + std::to_string(t));
    for (int draw = 0; draw < draws; ++draw) {
      Numbers u = perturbed(random, edges_of(nodes), t);
      if (draw % 2 == 1) forbid(random, nodes, u);
      check_tree(nodes, u, nodes >= 50, random);
    }
  }
}

TEST(Numerics, TreesOf10) { check_temperatures(10, 12); }
TEST(Numerics, TreesOf20) { check_temperatures(20, 4); }
TEST(Numerics, TreesOf50) { check_temperatures(50, 1); }

Numbers scaled_to(Numbers u, double spread) {
  const double factor = spread / finite_spread(u);
  for (double& x : u) x *= factor;
  return u;
}

TEST(Numerics, TreesOverTenThousandNats) {
  Random random(1);
  for (const double spread : {1e2, 1e3, 1e4}) {
    for (const int nodes : {10, 20}) {
      for (int draw = 0; draw < (nodes == 10 ? 6 : 2); ++draw) {
        Numbers u = scaled_to(perturbed(random, edges_of(nodes), 1), spread);
        if (draw % 2 == 1) forbid(random, nodes, u);
        check_tree(nodes, u, nodes == 20, random);
      }
    }
  }
  check_tree(50, scaled_to(perturbed(random, edges_of(50), 1), 1e4), true, random);
}

/// Clusters tens to thousands of nats apart, and near ties within: many trees share the mass while
/// weights differ beyond all range. Ordinary draws at such spreads leave one tree.
TEST(Numerics, TreesWithNearTiesAtAnySpread) {
  Random random(2);
  std::normal_distribution<double> normal;
  for (const double step : {10.0, 37.0, 80.0, 700.0, 3000.0}) {
    for (const int nodes : {10, 20}) {
      Numbers u(edges_of(nodes));
      for (double& x : u) x = -step * static_cast<double>(random() % 4) + normal(random);
      check_tree(nodes, u, nodes == 20, random);
    }
  }
}

/// One tree far above all others: the derivative is tiny, and is asked for relative to itself.
TEST(Numerics, TreesNearCertainty) {
  Random random(3);
  const int nodes = 10;
  for (const double gap : {5.0, 12.0, 20.0, 35.0}) {
    Numbers u = normal_numbers(random, edges_of(nodes));
    for (std::size_t e = 0, i = 0; i + 1 < static_cast<std::size_t>(nodes); ++i) {
      u[e] += gap;  // edge (i, i + 1)
      e += static_cast<std::size_t>(nodes) - 1 - i;
    }
    check_tree(nodes, u, false, random);
  }
}

void check_arborescence(const std::vector<std::int64_t>& shape, const Numbers& utility, bool shared,
                        Random& random) {
  const int nodes = static_cast<int>(shape[0]), root = static_cast<int>(shape[1]);
  check("arborescence", shape, utility, shared, random, [=](const Numbers& u, const Numbers& g) {
    return ArborescenceReference(nodes, root, shape[2] == 1, u).along(g);
  });
}

/// Forbids about two thirds of the arcs, but none of a path from the root, vertex 0 or a free one.
void forbid_arcs(Random& random, int nodes, Numbers& utility) {
  for (int i = 0; i < nodes; ++i) {
    for (int j = 0; j < nodes; ++j) {
      const bool on_path = j == i + 1 || (i == 0 && j == 0);
      if (on_path || random() % 3 == 0) continue;
      utility[static_cast<std::size_t>(i * nodes + j)] = -std::numeric_limits<double>::infinity();
    }
  }
}

/// The kinds of root.
std::vector<std::vector<std::int64_t>> rooted(int nodes) {
  return {{nodes, 0, 0}, {nodes, 0, 1}, {nodes, -1, 0}};
}

TEST(Numerics, Arborescences) {
  Random random(7);
  for (const int nodes : {10, 20}) {
    for (const double t : temperatures) {
      SCOPED_TRACE("temperature " + std::to_string(t));
      for (const auto& shape : rooted(nodes)) {
        for (int draw = 0; draw < (nodes == 10 ? 4 : 2); ++draw) {
          Numbers u = perturbed(random, static_cast<std::size_t>(nodes * nodes), t);
          if (draw % 2 == 1) forbid_arcs(random, nodes, u);
          check_arborescence(shape, u, nodes == 20, random);
        }
      }
    }
  }
}

TEST(Numerics, ArborescenceOf50) {
  Random random(8);
  for (const auto& shape : rooted(50)) {
    check_arborescence(shape, perturbed(random, 2500, 0.5), true, random);
  }
}

TEST(Numerics, ArborescencesOverTenThousandNats) {
  Random random(9);
  for (const double spread : {1e2, 1e3, 1e4}) {
    for (const auto& shape : rooted(10)) {
      for (int draw = 0; draw < 4; ++draw) {
        Numbers u = perturbed(random, 100, 1);
        if (draw % 2 == 1) forbid_arcs(random, 10, u);
        check_arborescence(shape, scaled_to(u, spread), false, random);
      }
    }
    check_arborescence({20, 0, 1}, scaled_to(perturbed(random, 400, 1), spread), true, random);
  }
}

TEST(Numerics, ArborescencesWithNearTiesAtAnySpread) {
  Random random(10);
  std::normal_distribution<double> normal;
  for (const double step : {10.0, 37.0, 80.0, 700.0, 3000.0}) {
    for (const auto& shape : rooted(10)) {
      for (int draw = 0; draw < 2; ++draw) {
        Numbers u(100);
        for (double& x : u) x = -step * static_cast<double>(random() % 4) + normal(random);
        check_arborescence(shape, u, false, random);
      }
    }
  }
}

/// One arborescence far above all others, a path or a star.
TEST(Numerics, ArborescencesNearCertainty) {
  Random random(11);
  const int nodes = 10;
  for (const double gap : {5.0, 12.0, 20.0, 35.0, 200.0}) {
    for (const auto& shape : rooted(nodes)) {
      for (const bool star : {false, true}) {
        Numbers u = normal_numbers(random, 100);
        u[0] += gap;
        for (int j = 1; j < nodes; ++j) {
          const int head = j == 1 ? 0 : star ? 1 : j - 1;
          u[static_cast<std::size_t>(head * nodes + j)] += gap;
        }
        check_arborescence(shape, u, false, random);
      }
    }
  }
}

void check_subset(int items, int k, const Numbers& utility, Random& random) {
  check("k_subset", {items, k}, utility, false, random,
        [k](const Numbers& u, const Numbers& g) { return subset_reference(k, u, g); });
}

TEST(Numerics, Subsets) {
  Random random(4);
  const std::pair<int, int> shapes[] = {{10, 3}, {64, 8}, {350, 10}, {100, 50}, {100, 97}};
  for (const auto& [items, k] : shapes) {
    const std::size_t size = static_cast<std::size_t>(items);
    for (const double t : temperatures) {
      SCOPED_TRACE("temperature " + std::to_string(t));
      check_subset(items, k, perturbed(random, size, t), random);
    }
    for (const double spread : {1.0, 10.0, 1e2, 1e3, 1e4}) {
      Numbers u = scaled_to(perturbed(random, size, 1), spread);
      for (int i = 0; i + k < items; i += 3) u[static_cast<std::size_t>(i)] = -infinity<double>;
      check_subset(items, k, u, random);
    }
  }
}

TEST(Numerics, LargeSubsets) {
  Random random(5);
  for (const double spread : {1.0, 30.0, 1e3, 1e4}) {
    check_subset(1000, 100, scaled_to(perturbed(random, 1000, 1), spread), random);
  }
}

/// Groups of near ties far apart, the last chosen among many equals.
TEST(Numerics, SubsetsWithNearTiesAtAnySpread) {
  Random random(6);
  std::normal_distribution<double> normal;
  for (const double step : {10.0, 90.0, 800.0, 3000.0}) {
    for (const int k : {1, 5, 12, 19}) {
      Numbers u(20);
      for (double& x : u) x = -step * static_cast<double>(random() % 4) + 0.5 * normal(random);
      check_subset(20, k, u, random);
    }
  }
}

template <class Graph>
void check_program(const Graph& graph, const std::vector<std::int64_t>& shape) {
  Random random(7);
  const auto size = static_cast<std::size_t>(graph.size());
  const auto check_on = [&](const Numbers& u) {
    check(Graph::name, shape, u, false, random, [&](const Numbers& given, const Numbers& g) {
      return DerivationReference<Graph>(graph, given).along(g);
    });
  };
  for (const double t : temperatures) check_on(perturbed(random, size, t));
  for (const double spread : {1e3, 1e4}) check_on(scaled_to(perturbed(random, size, 1), spread));
  for (const double step : {37.0, 700.0, 3000.0}) {  // near ties on levels far apart
    Numbers u = normal_numbers(random, size);
    for (double& x : u) x -= step * static_cast<double>(random() % 3);
    check_on(u);
  }
  Numbers masked = perturbed(random, size, 0.1);
  for (std::size_t e = 1; e + 1 < size; ++e) {  // the ends of a grid path must stay
    if (random() % 16 == 0) masked[e] = -std::numeric_limits<double>::infinity();
  }
  check_on(masked);
}

TEST(Numerics, LinearChains) { check_program(LinearChain{30, 5}, {30, 5}); }

/// Equal utilities of any size: every state is as likely, whatever powers of two that comes to.
TEST(Numerics, ChainsOfEqualUtilities) {
  const LinearChain chain{5, 4};
  const double step = std::log(2.0) / 2;
  for (const auto& engine : library_engines("linear_chain", {5, 4})) {
    for (int n = -600; n <= 600; ++n) {
      const Numbers u(static_cast<std::size_t>(chain.size()), n * step);
      const Numbers marginal = (*engine)({.verb = "marginals", .utility = u});
      for (std::size_t e = 0; e < u.size(); ++e) {
        ASSERT_NEAR(marginal[e], e < 20 ? 1.0 / 4 : 1.0 / 16, 1e-6) << engine->name << " at " << n;
      }
    }
  }
}
TEST(Numerics, CorrelatedSubsets) { check_program(CorrelatedKSubset{60, 12}, {60, 12}); }
TEST(Numerics, ProjectiveTrees) { check_program(ProjectiveTree{12, 0}, {12, 0}); }
TEST(Numerics, SingleRootedProjectiveTrees) { check_program(ProjectiveTree{12, 1}, {12, 1}); }
TEST(Numerics, GridPaths) { check_program(GridPath{12, 10}, {12, 10}); }
TEST(Numerics, DagPaths) { check_program(DagPath{20}, {20}); }

/// The program of a matching under its name.
struct MatchingProgram : PermutationProgram {
  using PermutationProgram::PermutationProgram;
  static constexpr const char* name = "matching";
};
TEST(Numerics, Matchings) { check_program(MatchingProgram(7), {7}); }

/// The references agree with each other: 1 of 3 items are the trees of three vertices, left out.
TEST(Numerics, ReferencesAgree) {
  const Numbers u{0.3, -1.2, 0.8}, minus{-0.3, 1.2, -0.8}, g{1, -0.5, 2}, h{-1, 0.5, -2};
  const Reference tree = TreeReference(3, u).along(g), left_out = subset_reference(1, minus, h);
  for (std::size_t e = 0; e < 3; ++e) {
    EXPECT_NEAR(static_cast<double>(tree.marginal[e] + left_out.marginal[e]), 1, 1e-15);
    EXPECT_NEAR(static_cast<double>(tree.derivative[e] + left_out.derivative[e]), 0, 1e-15);
  }
}

}  // namespace
}  // namespace softtricks::laws

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
