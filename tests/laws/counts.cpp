/// Instances of one batch that differ in their count (k) are each what they are by themselves.
#include <gtest/gtest.h>

#include "batch.hpp"

namespace softtricks::laws {
namespace {

struct Counted {
  const char* structure;
  std::vector<std::int64_t> shape;
  std::size_t field;
};

const Counted all[] = {
    {"k_subset", {7, 5}, 1}, {"k_subset", {40, 9}, 1}, {"correlated_k_subset", {6, 4}, 1}};

TEST(Counts, EachInstanceHasItsOwn) {
  Random random(50);
  for (const Counted& subject : all) {
    std::int64_t size = 0;
    ASSERT_TRUE(size_of(subject.structure, subject.shape, size).ok());
    const std::size_t width = static_cast<std::size_t>(size), batch = 45;
    std::vector<std::int64_t> counts;
    for (std::size_t b = 0; b < batch; ++b) {
      const auto most = static_cast<std::uint64_t>(subject.shape[subject.field]);
      counts.push_back(static_cast<std::int64_t>(random() % most) + 1);
    }
    for (const auto& engine : library_engines(subject.structure, subject.shape)) {
      const Numbers utility = engine->rounded(normal(random, width * batch, 2));
      Subject stand_in{
          subject.structure, subject.shape, width, {Member(width, 0)}, 0, {}, 0, {}, {}};
      for_each_request(stand_in, *engine, utility, [&](Request request) {
        SCOPED_TRACE(engine->name + " " + request.verb + " " + request.regularizer);
        request.counts = counts;
        if (request.verb == "log_prob") {
          request.verb = "argmax";
          request.member = (*engine)(request);
          request.verb = "log_prob";
        }
        expect_one_by_one(stand_in, *engine, request);
        const Numbers got = (*engine)(request);
        const std::size_t results = got.size() / batch;
        for (std::size_t b = 0; b < batch; ++b) {
          std::vector<std::int64_t> shape = subject.shape;
          shape[subject.field] = counts[b];
          const LibraryEngine own(subject.structure, shape, engine->dtype);
          Request one = alone(request, width, b);
          one.counts = {};
          const Numbers expected = own(one), mine = row_of(got, results, b);
          for (std::size_t i = 0; i < results; ++i) {
            EXPECT_NEAR(mine[i], expected[i],
                        200 * engine->epsilon() * (1 + std::fabs(expected[i])));
          }
        }
      });
    }
  }
}

TEST(Counts, AreChecked) {
  const float utility[20] = {};
  float out[20];
  std::int64_t counts[] = {1, 2};
  Call call{.verb = "argmax",
            .structure = "k_subset",
            .shape = {10, 3},
            .batch = 2,
            .utility = utility,
            .counts = counts,
            .out = out};
  EXPECT_TRUE(run(call).ok());
  for (const std::int64_t wrong : {0, -1, 4}) {
    counts[1] = wrong;
    const std::string said = run(call).message();
    EXPECT_NE(said.find(std::to_string(wrong)), std::string::npos) << said;
    EXPECT_NE(said.find("instance 1"), std::string::npos) << said;
  }
  call.structure = "one_hot";
  call.shape = {10};
  EXPECT_NE(run(call).message().find("one_hot has no count"), std::string::npos);
}

}  // namespace
}  // namespace softtricks::laws
