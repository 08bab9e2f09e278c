#include "softtricks/structure/one_hot.hpp"

#include <gtest/gtest.h>

#include "../laws/subject.hpp"

namespace softtricks::laws {
namespace {

Subject one_hot(int categories) {
  const auto members = subsets_of(categories, 1);
  const auto outside = [](const Numbers& x) {
    const double sum = std::accumulate(x.begin(), x.end(), 0.0);
    return largest_violation({std::fabs(sum - 1), -*std::min_element(x.begin(), x.end())});
  };
  const auto part = [](std::int64_t length) { return Part{{length}, first_entries(length)}; };
  return {"one_hot",
          {categories},
          static_cast<std::size_t>(categories),
          members,
          1.0 * categories,
          outside,
          categories,
          part,
          engines_of(OneHot{categories}, {categories})};
}

const bool enrolled = [] {
  for (const int categories : {1, 2, 5, 9, 40}) subjects().push_back(one_hot(categories));
  large_engines().emplace_back(300, engines_of(OneHot{300}, {300}));
  return true;
}();

TEST(OneHot, TakesTheFirstOfEquals) {
  const LibraryEngine engine("one_hot", {4}, Dtype::float32);
  EXPECT_EQ(engine({.verb = "argmax", .utility = {1, 3, 3, 2}}), (Numbers{0, 1, 0, 0}));
}

}  // namespace
}  // namespace softtricks::laws
