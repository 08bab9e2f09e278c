#include <gtest/gtest.h>

#include "../laws/subject.hpp"

namespace softtricks::laws {
namespace {

/// Its general law (soft samples are marginals) is laws/relax.hpp's; here the two structures for
/// which it has a closed form of its own.
TEST(GibbsEntropy, IsShannonEntropyOnOneHotAndBinaryEntropyOnBits) {
  const Numbers utility{0.5, -1, 2, 0.25};
  const auto relaxed = [&](const char* structure, const char* regularizer) {
    const LibraryEngine engine(structure, {4}, Dtype::float64);
    return engine({.verb = "relax", .utility = utility, .regularizer = regularizer});
  };
  const Numbers choice = relaxed("one_hot", "gibbs_entropy");
  const Numbers shannon = relaxed("one_hot", "shannon_entropy");
  const Numbers bits = relaxed("bit_vector", "gibbs_entropy");
  const Numbers binary = relaxed("bit_vector", "binary_entropy");
  for (std::size_t i = 0; i < utility.size(); ++i) {
    EXPECT_NEAR(choice[i], shannon[i], 1e-15);
    EXPECT_NEAR(bits[i], binary[i], 1e-15);
    EXPECT_NEAR(bits[i], 1 / (1 + std::exp(-utility[i])), 1e-15);
  }
}

}  // namespace
}  // namespace softtricks::laws
