#include "softtricks/structure/bit_vector.hpp"

#include <gtest/gtest.h>

#include "../laws/subject.hpp"

namespace softtricks::laws {
namespace {

Subject bit_vector(int bits) {
  const auto members = subsets_where(bits, [](const Member&) { return true; });
  const auto outside = [](const Numbers& x) {
    const auto [least, most] = std::minmax_element(x.begin(), x.end());
    return largest_violation({-*least, *most - 1});
  };
  const auto part = [](std::int64_t length) { return Part{{length}, first_entries(length)}; };
  return {
      "bit_vector", {bits}, static_cast<std::size_t>(bits),     members, std::exp2(bits), outside,
      bits,         part,   engines_of(BitVector{bits}, {bits})};
}

const bool enrolled = [] {
  for (const int bits : {1, 3, 7, 12}) subjects().push_back(bit_vector(bits));
  large_engines().emplace_back(300, engines_of(BitVector{300}, {300}));
  return true;
}();

TEST(BitVector, LeavesOutWhatIsWorthNothing) {
  const LibraryEngine engine("bit_vector", {3}, Dtype::float32);
  EXPECT_EQ(engine({.verb = "argmax", .utility = {0, -0.0, 1e-40}}), (Numbers{0, 0, 1}));
}

}  // namespace
}  // namespace softtricks::laws
