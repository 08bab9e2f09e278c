#include "softtricks/structure/arborescence.hpp"

#include <gtest/gtest.h>

#include "../laws/relax.hpp"

namespace softtricks::laws {
namespace {

std::size_t at(int nodes, int head, int modifier) {
  return static_cast<std::size_t>(head * nodes + modifier);
}

/// One head for each vertex but the root, and heads lead to the root.
bool is_arborescence(const Arborescence& s, const Member& x) {
  int root = s.root;
  std::vector<int> head(static_cast<std::size_t>(s.nodes), -1);
  for (int j = 0; j < s.nodes; ++j) {
    int heads = 0;
    for (int i = 0; i < s.nodes; ++i) {
      if (x[at(s.nodes, i, j)] == 0) continue;
      head[static_cast<std::size_t>(j)] = i;
      ++heads;
    }
    if (heads != (j == s.root ? 0 : 1)) return false;
    if (s.root < 0 && head[static_cast<std::size_t>(j)] == j) {
      if (root >= 0) return false;
      root = j;
    }
  }
  if (root < 0) return false;
  for (int j = 0; j < s.nodes; ++j) {
    int k = j;
    for (int step = 0; step < s.nodes && k != root; ++step) k = head[static_cast<std::size_t>(k)];
    if (k != root) return false;
  }
  return s.single_root == 0 || std::count(head.begin(), head.end(), root) == 1;
}

/// The hull: x >= 0, one head for each vertex, and at least one arc into each vertex set [Edmonds
/// 1967]; of arcs from a root with one child, or of free roots, just one.
double outside(const Arborescence& s, const Numbers& x) {
  const int n = s.nodes;
  double worst = -*std::min_element(x.begin(), x.end()), first = 0;
  for (int j = 0; j < n; ++j) {
    double into = 0;
    for (int i = 0; i < n; ++i) into += x[at(n, i, j)];
    worst = std::max(worst, std::fabs(into - (j == s.root ? 0 : 1)));
    first += s.root < 0 ? x[at(n, j, j)] : x[at(n, s.root, j)];
    if (s.root >= 0) worst = std::max(worst, x[at(n, j, j)]);
  }
  if (s.root < 0 || s.single_root == 1) worst = std::max(worst, std::fabs(first - 1));
  for (unsigned set = 1; set < (1u << n); ++set) {
    if (s.root >= 0 && (set >> s.root & 1u)) continue;
    double into = 0;
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) {
        const bool enters = (set >> j & 1u) && (i == j || !(set >> i & 1u));
        into += enters ? x[at(n, i, j)] : 0;
      }
    }
    worst = std::max(worst, 1 - into);
  }
  return worst;
}

double count_of(const Arborescence& s) {
  if (s.root < 0) return std::pow(s.nodes, s.nodes - 1);
  return std::pow(s.nodes - s.single_root, s.nodes - 2);
}

Subject arborescence(const Arborescence& s) {
  const auto part = [s](std::int64_t length) -> std::optional<Part> {
    if (length <= s.root || (length == 1 && s.single_root == 1)) return std::nullopt;
    Part small{{length, s.root, s.single_root}, {}};
    for (int i = 0; i < length; ++i) {
      for (int j = 0; j < length; ++j) {
        small.entries.push_back(static_cast<int>(at(s.nodes, i, j)));
      }
    }
    return small;
  };
  const std::vector<std::int64_t> shape{s.nodes, s.root, s.single_root};
  return {"arborescence",
          shape,
          static_cast<std::size_t>(s.size()),
          subsets_where(s.size(), [s](const Member& x) { return is_arborescence(s, x); }),
          count_of(s),
          [s](const Numbers& x) { return outside(s, x); },
          s.nodes,
          part,
          engines_of(s, shape)};
}

const bool enrolled = [] {
  for (const Arborescence& s :
       {Arborescence{2, 0, 0}, Arborescence{3, 2, 0}, Arborescence{4, 0, 0}, Arborescence{4, 1, 0},
        Arborescence{2, 1, 1}, Arborescence{3, 0, 1}, Arborescence{4, 1, 1}, Arborescence{1, -1, 0},
        Arborescence{2, -1, 0}, Arborescence{3, -1, 0}, Arborescence{4, -1, 0}}) {
    subjects().push_back(arborescence(s));
  }
  large_engines().emplace_back(441, engines_of(Arborescence{21, 3, 0}, {21, 3, 0}));
  large_engines().emplace_back(441, engines_of(Arborescence{21, 0, 1}, {21, 0, 1}));
  large_engines().emplace_back(441, engines_of(Arborescence{21, -1, 0}, {21, -1, 0}));
  return true;
}();

/// Closed forms, where nobody can enumerate.
TEST(Arborescence, CountsOfLargeGraphs) {
  for (const int nodes : {6, 17, 50}) {
    for (const auto& [root, single] : {std::pair{0, 0}, {nodes - 1, 0}, {2, 1}, {-1, 0}}) {
      const Arborescence s{nodes, root, single};
      for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
        const LibraryEngine engine("arborescence", {nodes, root, single}, dtype);
        const Numbers zero(static_cast<std::size_t>(s.size()), 0.0);
        const int power = root < 0 ? nodes - 1 : nodes - 2;
        const double log_count = power * std::log(nodes - single);
        EXPECT_NEAR(engine({.verb = "log_partition", .utility = zero}).at(0), log_count,
                    100 * engine.epsilon() * log_count);
      }
    }
  }
}

/// The value of the best of some arborescences on vertices 0 .. nodes-1 by brute force, each
/// vertex's head tried in turn.
double best_value(const Arborescence& s, const Numbers& u) {
  std::vector<int> head(static_cast<std::size_t>(s.nodes), 0);
  double best = -std::numeric_limits<double>::infinity();
  for (;;) {
    Member x(u.size(), 0);
    double value = 0;
    for (int j = 0; j < s.nodes; ++j) {
      if (j == s.root) continue;
      x[at(s.nodes, head[static_cast<std::size_t>(j)], j)] = 1;
      value += u[at(s.nodes, head[static_cast<std::size_t>(j)], j)];
    }
    if (value > best && is_arborescence(s, x)) best = value;
    std::size_t j = 0;
    while (j < head.size() && ++head[j] == s.nodes) head[j++] = 0;
    if (j == head.size()) return best;
  }
}

/// Small integers: many ties and nested cycles; and arcs that are forbidden.
TEST(Arborescence, BestOfManyTies) {
  std::mt19937_64 random(31);
  for (const Arborescence& s :
       {Arborescence{5, 0, 0}, Arborescence{5, 3, 1}, Arborescence{5, -1, 0}}) {
    const LibraryEngine engine("arborescence", {s.nodes, s.root, s.single_root}, Dtype::float32);
    for (int draw = 0; draw < 150; ++draw) {
      Numbers u(static_cast<std::size_t>(s.size()));
      for (double& value : u) {
        value = static_cast<double>(random() % (draw % 2 ? 3 : 50));
        if (draw % 3 == 0 && random() % 3 == 0) value = -std::numeric_limits<double>::infinity();
      }
      const double best = best_value(s, u);
      const Numbers x = engine({.verb = "argmax", .utility = u});
      if (best == -std::numeric_limits<double>::infinity()) {
        EXPECT_TRUE(std::isnan(x[0]));
        continue;
      }
      double value = 0;
      for (std::size_t e = 0; e < u.size(); ++e) value += x[e] != 0 ? u[e] : 0;
      EXPECT_TRUE(is_arborescence(s, Member(x.begin(), x.end())));
      EXPECT_EQ(value, best);
    }
  }
}

/// A cycle within a cycle within ...: the best heads alone are a chain of two-cycles of cycles.
TEST(Arborescence, NestedCycles) {
  for (const int nodes : {7, 40, 129}) {
    const Arborescence s{nodes, 0, 0};
    Numbers u(static_cast<std::size_t>(s.size()), -1e4), tree(u.size(), 0.0);
    for (int j = 1; j < nodes; ++j) {
      for (int i = 1; i < nodes; ++i) u[at(nodes, i, j)] = -std::abs(i - j) * (i + j);
    }
    u[at(nodes, 0, nodes - 1)] = -5e3;
    for (int j = 1; j + 1 < nodes; ++j) tree[at(nodes, j + 1, j)] = 1;
    tree[at(nodes, 0, nodes - 1)] = 1;
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
      const LibraryEngine engine("arborescence", {nodes}, dtype);
      EXPECT_EQ(engine({.verb = "argmax", .utility = u}), tree);
    }
  }
}

/// Fields that are left out take their defaults; what makes no sense is refused.
TEST(Arborescence, Shapes) {
  std::int64_t size = 0;
  EXPECT_TRUE(size_of("arborescence", {7}, size).ok());
  EXPECT_EQ(size, 49);
  EXPECT_TRUE(size_of("arborescence", {7, 2}, size).ok());
  for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{},
                                                 {0},
                                                 {3, 3},
                                                 {3, -2},
                                                 {3, 0, 2},
                                                 {3, -1, 1},
                                                 {1, 0, 1},
                                                 {3, 0, 0, 0}}) {
    EXPECT_FALSE(size_of("arborescence", shape, size).ok());
  }
}

/// What stands in entries that count for nothing makes no difference, and gets no gradient.
TEST(Arborescence, IdleEntries) {
  std::mt19937_64 random(32);
  std::normal_distribution<double> normal;
  const int nodes = 6;
  for (const int single : {0, 1}) {
    const Arborescence s{nodes, 2, single};
    Numbers plain(36), g(36);
    for (double& value : plain) value = normal(random);
    for (double& value : g) value = normal(random);
    Numbers odd = plain;
    s.for_each_idle_entry([&](int e) {
      odd[static_cast<std::size_t>(e)] =
          e % 2 == 0 ? 1e4 : -std::numeric_limits<double>::infinity();
    });
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
      const LibraryEngine engine("arborescence", {nodes, 2, single}, dtype);
      for (const char* verb : {"argmax", "marginals", "marginals_vjp", "sample", "entropy",
                               "log_partition", "relax"}) {
        const auto result = [&](const Numbers& u) {
          Request request{.verb = verb, .utility = u, .cotangent = g};
          request.utility_range = 2;
          return engine(request);
        };
        EXPECT_EQ(result(plain), result(odd)) << verb;
      }
      const Numbers gradient = engine({"marginals_vjp", odd, {}, g});
      s.for_each_idle_entry([&](int e) { EXPECT_EQ(gradient[static_cast<std::size_t>(e)], 0); });
    }
  }
}

/// Forbids about half of the arcs, but none of a path from vertex 0, root or not.
void forbid_half(Random& random, int nodes, Numbers& utility) {
  for (int i = 0; i < nodes; ++i) {
    for (int j = 0; j < nodes; ++j) {
      if (j == i + 1 || (i == 0 && j == 0) || random() % 2 == 0) continue;
      utility[at(nodes, i, j)] = -std::numeric_limits<double>::infinity();
    }
  }
}

/// In the hull, and by Chu, Liu and Edmonds no arborescence is better to first order.
TEST(Arborescence, SoftSamplesAreOptimalOnLargerGraphs) {
  Random random(33);
  for (const Arborescence& s :
       {Arborescence{11, 0, 0}, Arborescence{10, 0, 1}, Arborescence{10, -1, 0}}) {
    const Engines engines = library_engines("arborescence", {s.nodes, s.root, s.single_root});
    for (int draw = 0; draw < (sanitized ? 3 : 12); ++draw) {
      for (std::size_t k = 0; k < engines.size(); ++k) {
        const Engine& engine = *engines[k];
        const auto size = static_cast<std::size_t>(s.size());
        Numbers utility = normal(random, size, draw % 3 == 0 ? 0.3 : draw % 3);
        if (draw % 4 == 3) forbid_half(random, s.nodes, utility);
        s.for_each_idle_entry([&](int e) {
          utility[static_cast<std::size_t>(e)] = -std::numeric_limits<double>::infinity();
        });
        utility = engine.rounded(utility);
        for (const RegularizerSubject& r : regularizer_subjects()) {
          if (r.name == "squared_norm") continue;
          SCOPED_TRACE(engine.name + " " + r.name + ", draw " + std::to_string(draw));
          const Numbers x = engine({.verb = "relax", .utility = utility, .regularizer = r.name});
          EXPECT_LE(outside(s, x), s.nodes * 16 * engine.epsilon());
          const std::vector<Real> slopes = gain_slopes(engine, r, utility, x);
          const Numbers best =
              (*engines[k | 1])({.verb = "argmax", .utility = {slopes.begin(), slopes.end()}});
          expect_not_better(engine, r, utility, x, Member(best.begin(), best.end()));
          expect_derivative_along(engine, *engines[k | 1], r.name, utility, random);
        }
      }
    }
  }
}

/// Arcs in no arborescence get 0, arcs in all of them 1, both without a derivative, though their
/// utilities are finite; spreads that leave hard samples; levels far apart with near ties.
TEST(Arborescence, SoftSamplesAreFiniteAtAnySpread) {
  Random random(34);
  const double inf = std::numeric_limits<double>::infinity();
  for (const auto& engine : library_engines("arborescence", {9})) {
    for (int draw = 0; draw < 40; ++draw) {
      const double scales[] = {1, 30, 300, 4000};
      Numbers utility = normal(random, 81, scales[draw % 4]);
      for (double& u : utility) {
        if (draw % 5 == 0) u -= 1000.0 * static_cast<double>(random() % 4);
      }
      for (int i = 1; i < 9; ++i) utility[at(9, i, 1)] = utility[at(9, i == 1 ? 0 : i, 2)] = -inf;
      utility = engine->rounded(utility);
      for (const char* regularizer : {"binary_entropy", "shannon_entropy"}) {
        SCOPED_TRACE(engine->name + " " + regularizer);
        const Numbers x =
            (*engine)({.verb = "relax", .utility = utility, .regularizer = regularizer});
        const Numbers vjp = (*engine)({"relax_vjp", utility, x, Numbers(81, 1.5), regularizer});
        EXPECT_LE(outside({9, 0, 0}, x), engine->single() ? 1e-6 : 1e-9);
        for (const double value : vjp) EXPECT_TRUE(std::isfinite(value));
        for (const std::size_t taken : {at(9, 0, 1), at(9, 1, 2)}) {
          EXPECT_EQ(x[taken], 1);
          EXPECT_EQ(vjp[taken], 0);
        }
      }
    }
  }
}

TEST(Arborescence, RefusesSoftSamplesOfVeryLargeGraphs) {
  Call call;
  call.structure = "arborescence";
  call.shape = {65};
  call.verb = "relax";
  call.regularizer = "binary_entropy";
  EXPECT_NE(run(call).message().find("at most 64 nodes"), std::string::npos);
}

}  // namespace
}  // namespace softtricks::laws
