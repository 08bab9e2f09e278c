// A gradient of E[loss] through soft spanning trees, with the headers alone.
#include <cstddef>
#include <cstdio>
#include <vector>

#include <softtricks/lists.hpp>

int main() {
  using namespace softtricks;
  using Trick = StochasticSoftmax<SpanningTree, Gumbel, GibbsEntropy>;
  const Relaxed<Trick> estimator{{.structure = {.nodes = 4}, .temperature = 0.5}};
  const int size = estimator.trick.size();
  const std::vector<double> theta(size, 0.0);
  std::vector<double> gradient(size, 0.0);
  std::vector<std::byte> room(estimator.scratch<double>());
  auto loss = [](Vector<const double> x, Vector<double> slope) {  // the square of the first entry
    for (int e = 0; e < x.size; ++e) slope[e] = e == 0 ? 2 * x[e] : 0;
    return x[0] * x[0];
  };
  const int draws = 10000;
  double mean = 0;
  for (int draw = 0; draw < draws; ++draw) {
    mean += estimator.estimate(SerialTeam<>(), Vector<const double>{theta.data(), size}, 1, draw,
                               loss, Vector<double>{gradient.data(), size}, Scratch(room.data())) /
            draws;
  }
  std::printf("%.4f", mean);
  for (const double g : gradient) std::printf(" %.4f", g / draws);
  std::printf("\n");
}
