#include "softtricks/structure/matching.hpp"

#include <bit>

#include "matching_cases.hpp"

namespace softtricks::laws {
namespace {

std::vector<Member> permutations(int pairs) {
  std::vector<int> column(static_cast<std::size_t>(pairs));
  std::iota(column.begin(), column.end(), 0);
  std::vector<Member> found;
  do {
    Member x(static_cast<std::size_t>(pairs * pairs));
    for (int i = 0; i < pairs; ++i) x[at(pairs, i, column[static_cast<std::size_t>(i)])] = 1;
    found.push_back(x);
  } while (std::next_permutation(column.begin(), column.end()));
  return found;
}

Subject matching(int pairs) {
  const auto part = [pairs](std::int64_t length) {
    Part small{{length}, {}};
    for (int i = 0; i < length; ++i) {
      for (int j = 0; j < length; ++j) small.entries.push_back(i * pairs + j);
    }
    return small;
  };
  Subject subject{"matching",
                  {pairs},
                  static_cast<std::size_t>(pairs * pairs),
                  permutations(pairs),
                  std::tgamma(pairs + 1.0),
                  [pairs](const Numbers& x) { return outside(pairs, x); },
                  pairs,
                  part,
                  engines_of(Matching{pairs}, {pairs})};
  subject.argmax_roundings = 4.0 * pairs;
  return subject;
}

const bool enrolled = [] {
  for (const int pairs : {1, 2, 3, 4}) subjects().push_back(matching(pairs));
  large_engines().emplace_back(361, engines_of(Matching{19}, {19}));
  return true;
}();

/// The column of each row of a permutation matrix; fails where x is none.
std::vector<int> columns_of(int pairs, const Numbers& x) {
  EXPECT_EQ(unbalanced(pairs, x), 0);
  std::vector<int> columns;
  for (int i = 0; i < pairs; ++i) {
    for (int j = 0; j < pairs; ++j) {
      const double value = x[at(pairs, i, j)];
      EXPECT_TRUE(value == 0 || value == 1) << value;
      if (value == 1) columns.push_back(j);
    }
  }
  return columns;
}

TEST(Matching, ArgmaxOfLargeInstances) {
  Random random(40);
  for (const int pairs : {5, 16, 17, 64, 100, 200}) {
    if (sanitized && pairs > 64) continue;
    for (const char* kind : {"normal", "few integers", "integers", "products", "all equal", "far",
                             "by rows", "sparse"}) {
      const Numbers all = utilities_of_kind(random, pairs, kind);
      for (const auto& engine : both(pairs)) {
        SCOPED_TRACE(engine->name + ", " + kind + ", " + std::to_string(pairs));
        const Numbers u = engine->rounded(all);
        const Numbers x = engine->operator()({.verb = "argmax", .utility = u});
        Real value = 0;
        const std::vector<int> columns = columns_of(pairs, x);
        for (int i = 0; i < pairs; ++i)
          value += u[at(pairs, i, columns[static_cast<std::size_t>(i)])];
        EXPECT_GE(value, best_value(pairs, u) - 4.0 * pairs * engine->epsilon() * largest_size(u));
      }
    }
  }
}

/// One permutation allowed and hidden among pairs that lead nowhere: above the diagonal all is
/// allowed, too.
TEST(Matching, OnlyOneMatchingAllowed) {
  Random random(41);
  for (const int pairs : {2, 7, 30, 65}) {
    Numbers u = normal(random, static_cast<std::size_t>(pairs * pairs), 5), expected(u.size(), 0.0);
    for (int i = 0; i < pairs; ++i) {
      for (int j = 0; j < i; ++j) u[at(pairs, i, j)] = -inf;
      expected[at(pairs, i, i)] = 1;
    }
    for (const auto& engine : both(pairs)) {
      EXPECT_EQ(engine->operator()({.verb = "argmax", .utility = u}), expected);
      for (const char* regularizer : {"shannon_entropy", "squared_norm"}) {
        const Numbers soft =
            engine->operator()({.verb = "relax", .utility = u, .regularizer = regularizer});
        for (std::size_t e = 0; e < u.size(); ++e) {
          EXPECT_NEAR(soft[e], expected[e], 1000 * engine->epsilon());
        }
      }
    }
  }
}

TEST(Matching, ForbiddenRowsAndColumns) {
  const int pairs = 20;
  for (const auto& engine : both(pairs)) {
    for (const int kind : {0, 1, 2}) {
      Numbers u(static_cast<std::size_t>(pairs * pairs), 1.0);
      for (int i = 0; i < pairs; ++i) {
        if (kind == 0) u[at(pairs, 3, i)] = -inf;
        if (kind == 1) u[at(pairs, i, 3)] = -inf;
        // Three rows want the same two columns.
        for (int j = 2; j < pairs && kind == 2 && i < 3; ++j) u[at(pairs, i, j)] = -inf;
      }
      for (const double x : engine->operator()({.verb = "argmax", .utility = u})) {
        EXPECT_TRUE(std::isnan(x));
      }
      for (const char* regularizer : {"shannon_entropy", "squared_norm"}) {
        const Request request{.verb = "relax", .utility = u, .regularizer = regularizer};
        for (const double x : engine->operator()(request)) EXPECT_TRUE(std::isnan(x));
      }
    }
  }
}

/// As many pairs at +inf as go together, then the sum of the rest.
TEST(Matching, InfiniteUtilitiesComeFirst) {
  for (const auto& engine : both(3)) {
    const auto best = [&](const Numbers& u) {
      return columns_of(3, engine->operator()({.verb = "argmax", .utility = u}));
    };
    EXPECT_EQ(best({inf, inf, 9, inf, 0, 0, 5, 1, 1}), (std::vector<int>{1, 0, 2}));
    EXPECT_EQ(best({inf, 1, 2, inf, 4, 0, inf, 0, 0}), (std::vector<int>{2, 1, 0}));
    EXPECT_EQ(best({1e30, inf, 2, 0, 7, 0, 5, 0, 1}), (std::vector<int>{1, 2, 0}));
  }
}

/// The largest u.x over matchings of the rows from `row` on with columns not in `taken`, or the log
/// of the sum over them of exp(u.x). `partial`: rows may stay alone.
struct Rectangle {
  int rows, columns;
  Numbers utility;
  bool partial = false;

  template <class Add>
  void for_each(Add add, int row = 0, unsigned taken = 0, Real value = 0) const {
    if (row == rows) {
      if (partial || std::popcount(taken) == std::min(rows, columns)) add(value, taken);
      return;
    }
    if (partial || rows > columns) for_each(add, row + 1, taken, value);
    for (int j = 0; j < columns; ++j) {
      if ((taken >> j & 1u) != 0) continue;
      const double u = utility[static_cast<std::size_t>(row * columns + j)];
      for_each(add, row + 1, taken | 1u << j, value + u);
    }
  }
  Real best() const {
    Real most = -inf;
    for_each([&](Real value, unsigned) { most = std::max(most, value); });
    return most;
  }
  Real log_partition() const {
    Real sum = 0;
    for_each([&](Real value, unsigned) { sum += std::exp(value); });
    return std::log(sum);
  }
  /// All other pairs at 0.
  Numbers padded_to(int pairs) const {
    Numbers u(static_cast<std::size_t>(pairs * pairs), 0.0);
    for (int i = 0; i < rows; ++i) {
      for (int j = 0; j < columns; ++j) {
        u[at(pairs, i, j)] = utility[static_cast<std::size_t>(i * columns + j)];
      }
    }
    return u;
  }
  /// u.x within the rectangle, and how many pairs that are.
  std::pair<Real, int> value_of(int pairs, const Numbers& x) const {
    Real value = 0;
    int count = 0;
    for (int i = 0; i < rows; ++i) {
      for (int j = 0; j < columns; ++j) {
        if (x[at(pairs, i, j)] == 0) continue;
        value += utility[static_cast<std::size_t>(i * columns + j)];
        ++count;
      }
    }
    return {value, count};
  }
};

const std::pair<int, int> rectangles[] = {{1, 1}, {1, 4}, {4, 1}, {2, 5}, {5, 3}, {3, 4}, {4, 4}};

/// The shorter side filled up with 0: as many pairs as it has, of largest sum. And the Gibbs law of
/// these, for each stands for equally many members.
TEST(Matching, RectangularByPadding) {
  Random random(45);
  for (const auto& [rows, columns] : rectangles) {
    const int pairs = std::max(rows, columns), few = std::min(rows, columns);
    for (const double scale : {1.0, 10.0}) {
      const Numbers all = normal(random, static_cast<std::size_t>(rows * columns), scale);
      for (const auto& engine : both(pairs)) {
        SCOPED_TRACE(engine->name + ", " + std::to_string(rows) + " x " + std::to_string(columns));
        const Rectangle rectangle{rows, columns, engine->rounded(all)};
        const Numbers u = rectangle.padded_to(pairs);
        const double tolerance = 16 * pairs * engine->epsilon() * (1 + largest_size(u));
        const Numbers x = engine->operator()({.verb = "argmax", .utility = u});
        const auto [value, count] = rectangle.value_of(pairs, x);
        EXPECT_EQ(count, few);
        EXPECT_NEAR(value, rectangle.best(), tolerance);
        EXPECT_NEAR(engine->operator()({.verb = "log_partition", .utility = u}).at(0),
                    rectangle.log_partition() + std::lgamma(pairs - few + 1.0L), tolerance);
      }
    }
  }
}

/// Rows and columns that may stay alone: a partner of utility 0 for each.
TEST(Matching, PartialByPadding) {
  Random random(46);
  for (const auto& [rows, columns] : rectangles) {
    const int pairs = rows + columns;
    for (const double scale : {1.0, 10.0}) {
      Numbers all = normal(random, static_cast<std::size_t>(rows * columns), scale);
      if (scale > 1) all[random() % all.size()] = -inf;
      for (const auto& engine : both(pairs)) {
        SCOPED_TRACE(engine->name + ", " + std::to_string(rows) + " x " + std::to_string(columns));
        const Rectangle rectangle{rows, columns, engine->rounded(all), true};
        const Numbers u = rectangle.padded_to(pairs);
        const Numbers x = engine->operator()({.verb = "argmax", .utility = u});
        EXPECT_NEAR(rectangle.value_of(pairs, x).first, rectangle.best(),
                    4 * pairs * engine->epsilon() * largest_size(u));
      }
    }
  }
}

/// By inclusion and exclusion [Ryser 1963], without row and column `skip`.
Real permanent(int pairs, const std::vector<Real>& w, int skip_row = -1, int skip_column = -1) {
  std::vector<int> columns;
  for (int j = 0; j < pairs; ++j) {
    if (j != skip_column) columns.push_back(j);
  }
  Real total = 0;
  for (unsigned set = 0; set < 1u << columns.size(); ++set) {
    Real product = (columns.size() - static_cast<std::size_t>(std::popcount(set))) % 2 ? -1 : 1;
    for (int i = 0; i < pairs; ++i) {
      if (i == skip_row) continue;
      Real sum = 0;
      for (std::size_t c = 0; c < columns.size(); ++c) {
        if ((set >> c & 1u) != 0) sum += w[at(pairs, i, columns[c])];
      }
      product *= sum;
    }
    total += product;
  }
  return total;
}

TEST(Matching, SumsAreThoseOfPermanents) {
  Random random(47);
  for (const int pairs : {5, 8, 9, 12, 16}) {
    if (sanitized && pairs > 9) continue;
    const Numbers all = normal(random, static_cast<std::size_t>(pairs * pairs), 1);
    for (const auto& engine : both(pairs)) {
      SCOPED_TRACE(engine->name + ", " + std::to_string(pairs));
      const Numbers u = engine->rounded(all);
      std::vector<Real> w;
      for (const double value : u) w.push_back(std::exp(static_cast<Real>(value)));
      const Real sum = permanent(pairs, w), expected = std::log(sum);
      EXPECT_NEAR(engine->operator()({.verb = "log_partition", .utility = u}).at(0), expected,
                  16 * engine->epsilon() * expected);
      const Numbers x = engine->operator()({.verb = "marginals", .utility = u});
      EXPECT_LE(outside(pairs, x), 40 * engine->epsilon());
      for (int e = 0; e < pairs * pairs && pairs < 12; ++e) {
        const std::size_t entry = static_cast<std::size_t>(e);
        const Real part = permanent(pairs, w, e / pairs, e % pairs);
        EXPECT_NEAR(x[entry], w[entry] * part / sum, 40 * engine->epsilon());
      }
    }
  }
}

TEST(Matching, SumsAreRefusedWhereTheyTakeTooLong) {
  const auto status = [](const char* verb, int pairs, const char* regularizer = "gibbs_entropy") {
    Call call;
    call.verb = verb;
    call.structure = "matching";
    call.shape = {pairs};
    call.regularizer = regularizer;
    return run(call);
  };
  for (const char* verb : {"log_partition", "marginals", "marginals_vjp", "sample", "log_prob",
                           "entropy", "relax", "relax_vjp"}) {
    EXPECT_TRUE(status(verb, 16).ok()) << verb;
    for (const int pairs : {17, 4096}) {
      const std::string message = status(verb, pairs).message();
      for (const char* word : {"up to 16 pairs", "permanents", "squared_norm"}) {
        EXPECT_NE(message.find(word), std::string::npos) << verb << ": " << message;
      }
    }
  }
  for (const char* verb : {"relax", "relax_vjp"}) {
    EXPECT_TRUE(status(verb, 4096, "squared_norm").ok());
    EXPECT_TRUE(status(verb, 4096, "shannon_entropy").ok());
  }
  EXPECT_TRUE(status("argmax", 4096).ok());
}

}  // namespace
}  // namespace softtricks::laws
