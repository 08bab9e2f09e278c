// A knapsack, of which nothing is known but a solver, learns to hold given items.
#include <cstddef>
#include <cstdio>
#include <vector>

#include <softtricks/lists.hpp>

int main() {
  using namespace softtricks;
  const Oracle knapsack{4, [](auto utility, auto x) {  // tries all 16 sets of items
                          const int weight[] = {3, 2, 2, 1}, capacity = 4;
                          double best = -1;
                          for (int set = 0; set < 16; ++set) {
                            int load = 0;
                            double value = 0;
                            for (int i = 0; i < 4; ++i) {
                              if (set >> i & 1) load += weight[i], value += utility[i];
                            }
                            if (load > capacity || value <= best) continue;
                            best = value;
                            for (int i = 0; i < 4; ++i) x[i] = set >> i & 1;
                          }
                        }};
  using Trick = StochasticSoftmax<decltype(knapsack), Normal, SquaredNorm>;
  FixedStep<double> step{1.0};
  const ImplicitMle<Trick, FixedStep<double>> estimator{{.structure = knapsack}, step};
  std::vector<double> theta(4, 0.0);
  std::vector<std::byte> room(estimator.scratch<double>());
  auto loss = [](Vector<const double> x, Vector<double> slope) {  // how much differs from 0 1 1 0
    const double target[] = {0, 1, 1, 0};
    double value = 0;
    for (int i = 0; i < 4; ++i) {
      slope[i] = 2 * (x[i] - target[i]);
      value += (x[i] - target[i]) * (x[i] - target[i]);
    }
    return value;
  };
  double recent = 0;
  for (int draw = 0; draw < 2000; ++draw) {
    if (draw % 500 == 0) recent = 0;
    std::vector<double> gradient(4, 0.0);
    recent += estimator.estimate(SerialTeam<>(), Vector<const double>{theta.data(), 4}, 1,
                                 static_cast<std::uint64_t>(draw), loss,
                                 Vector<double>{gradient.data(), 4}, Scratch(room.data())) /
              500;
    for (int i = 0; i < 4; ++i) theta[i] -= 0.05 * gradient[i];
    if (draw % 500 == 499) std::printf("%.3f\n", recent);
  }
}
