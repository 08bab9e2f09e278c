#pragma once
/// A batch is its instances one by one, bit for bit: whatever its size, the threads, the place in
/// it, and the neighbours, be they of another spread, forbidden, infinite or NaN.
#include <functional>

#include <gtest/gtest.h>

#include "argmax.hpp"
#include "enumeration.hpp"

namespace softtricks::laws {

inline bool same_bits(double a, double b) {
  return a == b ? std::signbit(a) == std::signbit(b) : std::isnan(a) && std::isnan(b);
}

inline Numbers row_of(const Numbers& all, std::size_t size, std::size_t b) {
  if (all.empty()) return {};
  const auto first = all.begin() + static_cast<std::ptrdiff_t>(b * size);
  return {first, first + static_cast<std::ptrdiff_t>(size)};
}

/// The one instance b of a batch as a request of its own.
inline Request alone(const Request& batch, std::size_t size, std::size_t b) {
  Request one = batch;
  one.utility = row_of(batch.utility, size, b);
  one.member = row_of(batch.member, size, b);
  one.cotangent = row_of(batch.cotangent, size, b);
  one.other = row_of(batch.other, size, b);
  if (!batch.lengths.empty()) one.lengths = {batch.lengths[b]};
  if (!batch.counts.empty()) one.counts = {batch.counts[b]};
  one.first_instance = batch.first_instance + b;
  one.executor = {};
  return one;
}

/// Cuts loops at odd places, last piece first.
inline Executor jagged_executor() {
  return {[](void*, std::int64_t count, std::int64_t grain, Executor::Body body, void* state) {
            std::vector<std::int64_t> ends{0};
            while (ends.back() < count) ends.push_back(std::min(count, ends.back() + grain + 3));
            for (std::size_t i = ends.size() - 1; i > 0; --i) body(state, ends[i - 1], ends[i]);
          },
          nullptr};
}

/// Utilities of every kind, in an order that puts unlike ones into one pack.
inline Numbers mixed_batch(const Subject& subject, const Engine& engine, std::size_t batch,
                           bool with_bad) {
  Random random(14);
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<Instance> kinds = instances(subject, engine);
  Numbers all;
  for (std::size_t b = 0; b < batch; ++b) {
    Numbers u = kinds[random() % kinds.size()].utility;
    const std::size_t entry = random() % subject.size;
    const std::uint64_t kind = with_bad ? random() % 9 : 9;
    if (kind == 0) u[entry] = std::nan("");
    if (kind == 1) u[entry] = inf;
    if (kind == 2) u = Numbers(subject.size, -inf);
    if (kind == 3) u[entry] = -inf;
    all.insert(all.end(), u.begin(), u.end());
  }
  return all;
}

inline void expect_one_by_one(const Subject& subject, const Engine& engine, Request batch) {
  const std::size_t count = batch.utility.size() / subject.size;
  Numbers expected;
  for (std::size_t b = 0; b < count; ++b) {
    const Numbers row = engine(alone(batch, subject.size, b));
    expected.insert(expected.end(), row.begin(), row.end());
  }
  for (const Executor& executor : {Executor{}, thread_pool(2), thread_pool(3), jagged_executor()}) {
    batch.executor = executor;
    const Numbers got = engine(batch);
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_TRUE(same_bits(got[i], expected[i]))
          << batch.verb << " " << batch.regularizer << ", number " << i << " of " << got.size()
          << " of a batch of " << count << ": " << got[i] << ", alone " << expected[i];
    }
  }
}

/// All calls of the structure on a batch, `visit(request)`, but those with an unwanted regularizer.
template <class Visit>
void for_each_request(
    const Subject& subject, const Engine& engine, const Numbers& utility, Visit visit,
    const std::function<bool(const std::string&)>& wanted = [](const auto&) { return true; }) {
  Random random(15);
  const std::size_t count = utility.size() / subject.size;
  const Numbers cotangent = engine.rounded(normal(random, utility.size(), 1));
  const Numbers other = engine.rounded(normal(random, utility.size(), 1));
  Numbers members;
  for (std::size_t b = 0; b < count; ++b) {
    const Member& m = subject.members[random() % subject.members.size()];
    members.insert(members.end(), m.begin(), m.end());
  }
  for (const VerbInfo& verb : verbs()) {
    for (const std::string& regularizer : regularizers()) {
      const bool relaxes = verb.name.rfind("relax", 0) == 0 || verb.name == "active_set";
      if (!engine.offers(verb.name, regularizer) || (relaxes && !wanted(regularizer))) continue;
      if (!relaxes && regularizer != regularizers().front()) continue;
      Request request{verb.name, utility, members, cotangent, regularizer};
      request.seed = 77;
      request.other = other;
      if (relaxes) request.temperature = 0.7;
      if (relaxes && count % 2 == 1) request.utility_range = 3;
      if (verb.name == "relax_vjp") {
        Request forward = request;
        forward.verb = "relax";
        request.member = engine(forward);
      }
      visit(request);
    }
  }
}

inline void check_batch(const Subject& subject, const Engine& engine) {
  if (!engine.library) return;
  for (const std::size_t count : {1u, 2u, 3u, 15u, 16u, 17u, 33u, 70u}) {
    const Numbers utility = mixed_batch(subject, engine, count, true);
    for_each_request(subject, engine, utility,
                     [&](const Request& r) { expect_one_by_one(subject, engine, r); });
  }
  Request empty{.verb = "argmax", .utility = {}};
  EXPECT_TRUE(engine(empty).empty());
}

/// Bad instances give NaN: a NaN or, but for argmax, +inf among the utilities, or no member left.
inline void check_bad_instances(const Subject& subject, const Engine& engine) {
  if (!engine.library) return;
  const double inf = std::numeric_limits<double>::infinity();
  const std::size_t count = 40;
  const Numbers utility = mixed_batch(subject, engine, count, true);
  for_each_request(subject, engine, utility, [&](const Request& request) {
    const Numbers got = engine(request);
    const std::size_t results = got.size() / count;
    for (std::size_t b = 0; b < count; ++b) {
      const Numbers u = row_of(utility, subject.size, b);
      bool bad = false;
      for (const double x : u) bad |= std::isnan(x) || (x == inf && request.verb != "argmax");
      const bool feasible =
          std::any_of(subject.members.begin(), subject.members.end(),
                      [&](const Member& m) { return std::get<0>(rank_of(m, u)) == 0; });
      for (const double x : row_of(got, results, b)) {
        if (!bad && !feasible && request.verb == "log_partition") {
          EXPECT_EQ(x, -inf);
        } else if (bad || !feasible) {
          EXPECT_TRUE(std::isnan(x)) << request.verb << " " << request.regularizer << ": " << x;
        } else {
          EXPECT_FALSE(std::isnan(x)) << request.verb << " " << request.regularizer;
        }
      }
    }
  });
}

inline void expect_zero_padding(const Part& part, const Numbers& vector) {
  for (std::size_t e = 0; e < vector.size(); ++e) {
    const bool inside = std::find(part.entries.begin(), part.entries.end(), static_cast<int>(e)) !=
                        part.entries.end();
    if (!inside) {
      EXPECT_EQ(vector[e], 0) << "entry " << e << " is padding";
    }
  }
}

/// An instance of some length is the smaller structure: its numbers there, zeros elsewhere, and
/// what stands in the padding makes no difference.
inline void check_lengths(const Subject& subject, const Engine& engine) {
  if (!engine.library) return;
  Random random(16);
  const std::size_t count = 19;
  Numbers utility = mixed_batch(subject, engine, count, false);
  std::vector<std::int64_t> lengths;
  for (std::size_t b = 0; b < count; ++b) {
    lengths.push_back(static_cast<std::int64_t>(b) % subject.longest + 1);
    const std::optional<Part> part = subject.part(lengths.back());
    const Numbers u = normal(random, subject.size, 3);
    for (std::size_t e = 0; e < subject.size; ++e) {
      const bool inside = part && std::find(part->entries.begin(), part->entries.end(),
                                            static_cast<int>(e)) != part->entries.end();
      utility[b * subject.size + e] = engine.rounded(inside || !part ? u[e] : std::nan(""));
    }
  }
  for_each_request(subject, engine, utility, [&](Request request) {
    request.lengths = lengths;
    if (request.verb == "relax_vjp") {
      Request forward = request;
      forward.verb = "relax";
      request.member = engine(forward);
    }
    expect_one_by_one(subject, engine, request);
    const Numbers got = engine(request);
    const std::size_t results = got.size() / count;
    for (std::size_t b = 0; b < count; ++b) {
      SCOPED_TRACE(request.verb + " " + request.regularizer + ", length " +
                   std::to_string(lengths[b]));
      const std::optional<Part> part = subject.part(lengths[b]);
      const Numbers row = row_of(got, results, b);
      if (!part) {
        for (const double x : row) EXPECT_FALSE(std::isfinite(x)) << "no member is that short";
        continue;
      }
      const auto cut = [&](const Numbers& all) {
        Numbers some;
        for (const int e : part->entries) some.push_back(all[static_cast<std::size_t>(e)]);
        return some;
      };
      // Vectors of entries, then numbers.
      const Result kind = result_of(request.verb);
      const std::size_t vectors = kind == Result::number    ? 0
                                  : kind == Result::entries ? 1
                                                            : results / (subject.size + 1);
      Numbers mine;
      for (std::size_t v = 0; v < vectors; ++v) {
        const Numbers vector = row_of(row, subject.size, v);
        expect_zero_padding(*part, vector);
        const Numbers inside = cut(vector);
        mine.insert(mine.end(), inside.begin(), inside.end());
      }
      mine.insert(mine.end(), row.begin() + static_cast<std::ptrdiff_t>(vectors * subject.size),
                  row.end());
      if (request.verb == "log_prob" || request.verb == "sample") continue;  // see below
      if (request.verb == "active_set") continue;  // there may be several for one soft sample
      if (part->entries.empty()) {
        if (kind == Result::number) {
          EXPECT_EQ(row[0], 0) << "one member, the empty one";
        }
        continue;
      }
      const LibraryEngine small(subject.structure, part->shape, engine.dtype);
      Request one = alone(request, subject.size, b);
      one.lengths = {};
      one.utility = cut(one.utility);
      one.member = cut(one.member);
      one.cotangent = cut(one.cotangent);
      one.other = cut(one.other);
      const Numbers expected = small(one);
      ASSERT_EQ(mine.size(), expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) {
        if (mine[i] == expected[i]) continue;  // also -inf, where there are no further members
        EXPECT_NEAR(mine[i], expected[i], 200 * engine.epsilon() * (1 + std::fabs(expected[i])));
      }
    }
  });
}

/// Exact draws of short instances are members, and are as probable as log_prob says.
inline void check_short_samples(const Subject& subject, const Engine& engine) {
  if (!engine.library) return;
  const std::size_t draws = 4000;
  for (std::int64_t length = 1; length <= subject.longest; ++length) {
    if (!subject.part(length)) continue;
    const Numbers utility(subject.size * draws, 0.0);
    Request request{.verb = "sample", .utility = utility};
    request.lengths.assign(draws, length);
    request.seed = 33;
    request.member = engine(request);
    request.verb = "log_prob";
    const Numbers log_prob = engine(request);
    // At u = 0 all members are equally likely.
    request.verb = "log_partition";
    const double expected = -engine(request).at(0);
    for (const double value : log_prob) {
      ASSERT_NEAR(value, expected, 64 * engine.epsilon() * (1 + std::fabs(expected)));
    }
  }
}

}  // namespace softtricks::laws
