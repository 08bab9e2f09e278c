/// Laws on shapes too large to enumerate: draws against marginals, batches of packs of many kinds
/// against single instances.
#include <numeric>

#include <gtest/gtest.h>

#include "batch.hpp"
#include "statistics.hpp"

namespace softtricks::laws {
namespace {

struct Shape {
  const char* structure;
  std::vector<std::int64_t> shape;
};

const Shape shapes[] = {{"one_hot", {128}},          {"bit_vector", {100}},
                        {"k_subset", {64, 8}},       {"k_subset", {350, 10}},
                        {"k_subset", {40, 37}},      {"spanning_tree", {10}},
                        {"spanning_tree", {13}},     {"spanning_tree", {30}},
                        {"spanning_tree", {64}},     {"correlated_k_subset", {64, 8}},
                        {"linear_chain", {13, 5}},   {"linear_chain", {50, 10}},
                        {"grid_path", {12, 9}},      {"dag_path", {25}},
                        {"projective_tree", {9, 0}}, {"projective_tree", {20, 1}},
                        {"arborescence", {13}},      {"arborescence", {20, 2, 1}},
                        {"arborescence", {12, -1}},  {"arborescence", {40, 7}},
                        {"matching", {9}},           {"matching", {40}}};

Request first_instances(Request request, std::size_t size, std::size_t count) {
  for (Numbers* const rows :
       {&request.utility, &request.member, &request.cotangent, &request.other}) {
    rows->resize(std::min(rows->size(), size * count));
  }
  return request;
}

bool samples(const Engine& engine) { return engine.offers("sample", "gibbs_entropy"); }

std::size_t size_of(const Shape& shape) {
  std::int64_t size = 0;
  EXPECT_TRUE(softtricks::size_of(shape.structure, shape.shape, size).ok());
  return static_cast<std::size_t>(size);
}

/// As often as marginals say, each entry to 5.5 standard deviations, in ordinary and in far spread
/// arithmetic; and members, all of them.
TEST(Large, SamplesHaveTheirMarginals) {
  Random random(21);
  for (const Shape& shape : shapes) {
    const std::size_t size = size_of(shape);
    if (sanitized && size > 300) continue;
    const std::size_t draws = size < 100 ? 2000 : size < 400 ? 600 : 150;
    for (const auto& own : library_engines(shape.structure, shape.shape)) {
      const Engine& engine = *own;
      if (!samples(engine)) continue;
      for (const double scale : {1.0, 30.0, 400.0}) {
        SCOPED_TRACE(engine.name + ", " + shape.structure + " of " + std::to_string(size) +
                     ", scale " + std::to_string(scale));
        Numbers u = normal(random, size, scale);
        // Ties between far apart levels, so that something is left to chance.
        for (double& x : u) x = scale > 1 ? std::round(x / scale) * scale + 0.1 * x / scale : x;
        u = engine.rounded(u);
        Request request{.verb = "sample", .utility = repeated(u, draws), .seed = 4};
        const Numbers x = engine(request), marginals = engine({.verb = "marginals", .utility = u});
        for (std::size_t e = 0; e < size; ++e) {
          double count = 0;
          for (std::size_t b = 0; b < draws; ++b) count += x[b * size + e];
          const double p = marginals[e], n = static_cast<double>(draws);
          const double deviation = std::sqrt(n * p * std::fabs(1 - p));
          EXPECT_NEAR(count, n * p, 5.5 * deviation + 5) << "entry " << e;
        }
        request.verb = "log_prob";
        request.member = x;
        for (const double value : engine(request)) ASSERT_TRUE(std::isfinite(value));
      }
    }
  }
}

TEST(Large, BatchIsOneByOne) {
  Random random(22);
  for (const Shape& shape : shapes) {
    const std::size_t size = size_of(shape);
    if (sanitized && size > 300) continue;
    const std::size_t count = 17;
    for (const auto& own : library_engines(shape.structure, shape.shape)) {
      const Engine& engine = *own;
      Numbers utility;
      for (std::size_t b = 0; b < count; ++b) {
        const double scales[] = {0.3, 2, 20, 300, 4000};
        const Numbers u = normal(random, size, scales[random() % 5]);
        utility.insert(utility.end(), u.begin(), u.end());
        if (b % 7 == 3) utility[b * size + random() % size] = std::nan("");
        if (b % 3 == 1)
          utility[b * size + random() % size] = -std::numeric_limits<double>::infinity();
      }
      Subject subject{shape.structure, shape.shape, size, {}, 0, {}, 0, {}, {}};
      const Numbers x = engine({.verb = "argmax", .utility = Numbers(size, 1.0)});
      subject.members = {Member(x.begin(), x.end())};
      // Relaxations go one by one, for up to seconds in the largest shapes: smaller ones must do.
      const auto quick = [](const std::string& r) { return r == "gibbs_entropy"; };
      const auto one_by_one = [&](const Request& r) {
        const bool few = size > 100 && !quick(r.regularizer);
        expect_one_by_one(subject, engine, few ? first_instances(r, size, 3) : r);
      };
      const auto wanted = [&](const std::string& r) {
        // Chains of hundreds of entries have faces of hundreds of members.
        const bool chain = std::string(shape.structure) == "linear_chain";
        return quick(r) || size <= (r == "squared_norm" ? (chain ? 350u : 450u) : 100u);
      };
      for_each_request(subject, engine, engine.rounded(utility), one_by_one, wanted);
    }
  }
}

/// argmax of large instances has at least the value of many draws.
TEST(Large, NoDrawBeatsArgmax) {
  Random random(23);
  for (const Shape& shape : shapes) {
    const std::size_t size = size_of(shape);
    if (sanitized && size > 300) continue;
    const std::size_t draws = 50;
    for (const auto& own : library_engines(shape.structure, shape.shape)) {
      const Engine& engine = *own;
      if (!samples(engine)) continue;
      const Numbers u = engine.rounded(normal(random, size, 3));
      Numbers best = engine({.verb = "argmax", .utility = u});
      const double top = static_cast<double>(dot(Member(best.begin(), best.end()), u));
      const Numbers x = engine({.verb = "sample", .utility = repeated(u, draws)});
      for (std::size_t b = 0; b < draws; ++b) {
        const Numbers row = row_of(x, size, b);
        EXPECT_GE(top, static_cast<double>(dot(Member(row.begin(), row.end()), u)));
      }
      EXPECT_TRUE(std::isfinite(engine({"log_prob", u, best}).at(0)));
    }
  }
}

/// Projections of large instances: the best member for the residual is not better than they are.
TEST(Large, NoMemberBeatsAProjection) {
  Random random(25);
  for (const Shape& shape : shapes) {
    const std::size_t size = size_of(shape);
    for (const auto& own : library_engines(shape.structure, shape.shape)) {
      const Engine& engine = *own;
      if (!engine.offers("relax", "squared_norm") || (sanitized && size > 300)) continue;
      for (const double scale : {0.3, 1.0, 10.0, 1e4}) {
        SCOPED_TRACE(engine.name + ", " + shape.structure + " of " + std::to_string(size) +
                     ", scale " + std::to_string(scale));
        const Numbers u = engine.rounded(normal(random, size, scale));
        const Numbers x = engine({.verb = "relax", .utility = u, .regularizer = "squared_norm"});
        Numbers residual = u;
        for (std::size_t e = 0; e < size; ++e) residual[e] -= x[e];
        const Numbers best = engine({.verb = "argmax", .utility = residual});
        // Entries that share a sum are known only as far as it is: to a rounding of all of x.
        const double known = std::accumulate(x.begin(), x.end(), 0.0) * engine.epsilon();
        double gain = 0, slack = 0, near = 0;
        for (std::size_t e = 0; e < size; ++e) {
          const double away = best[e] - x[e], rise = residual[e] * away;
          gain += rise;
          slack += std::fabs(away) * (1 + std::fabs(u[e]) + x[e]);
          if (x[e] > 0 && x[e] < 1)
            near += std::fabs(residual[e]) * std::min(std::fabs(away), known);
        }
        // What solver/active_set.hpp promises of faces of hundreds of members.
        const double left = engine.single() ? 128 * engine.epsilon() : 0x1p-30;
        EXPECT_LE(gain, left * slack + near);
      }
    }
  }
}

/// CoreEngine throws where a verb writes behind the scratch that its structure asks for.
TEST(Large, ScratchSuffices) {
  Random random(24);
  for (const auto& [size, engines] : large_engines()) {
    for (const auto& engine : engines) {
      SCOPED_TRACE(engine->name);
      for (const double scale : {1.0, 500.0}) {
        const Numbers utility = engine->rounded(normal(random, size, scale));
        Subject subject{"", {}, size, {Member(size, 0)}, 0, {}, 0, {}, {}};
        for_each_request(subject, *engine, utility,
                         [&](const Request& request) { EXPECT_NO_THROW((*engine)(request)); });
      }
    }
  }
}

}  // namespace
}  // namespace softtricks::laws
