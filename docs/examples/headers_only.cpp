// Marginals of spanning trees with the headers alone, one instance.
#include <cstddef>
#include <cstdio>
#include <vector>

#include <softtricks/lists.hpp>

int main() {
  using namespace softtricks;
  const SpanningTree tree{.nodes = 3};
  const std::vector<double> utility{4.0, 1.0, 2.0};
  std::vector<double> marginals(3);
  std::vector<std::byte> room(tree.scratch<double>());
  tree.marginals(SerialTeam<>(), Vector<const double>{utility.data(), 3}, 3.0,
                 Vector<double>{marginals.data(), 3}, Scratch(room.data()));
  std::printf("%.4f %.4f %.4f\n", marginals[0], marginals[1], marginals[2]);
}
