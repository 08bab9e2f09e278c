// A structure of one's own: what fits into a knapsack, from a solver alone.
#include <cstddef>
#include <cstdio>
#include <vector>

#include <softtricks/lists.hpp>

using namespace softtricks;

struct Knapsack {
  std::vector<int> weight;
  int capacity;

  // x = the choice of largest utility.x among those of weight at most `capacity`: dynamic program.
  template <class T>
  void operator()(Vector<const T> utility, Vector<T> x) const {
    const int items = utility.size, columns = capacity + 1;
    std::vector<T> best(static_cast<std::size_t>((items + 1) * columns), T(0));  // of the first i
    const auto with = [&](int i, int room) {  // item i and the best of those before it
      return room < weight[i] ? T(-infinity<T>) : utility[i] + best[i * columns + room - weight[i]];
    };
    for (int i = 0; i < items; ++i) {
      for (int room = 0; room <= capacity; ++room) {
        best[(i + 1) * columns + room] = max(best[i * columns + room], with(i, room));
      }
    }
    for (int i = items - 1, room = capacity; i >= 0; --i) {
      x[i] = with(i, room) > best[i * columns + room] ? T(1) : T(0);
      room -= x[i] == T(1) ? weight[i] : 0;
    }
  }
};

int main() {
  const Oracle knapsack{4, Knapsack{{3, 4, 5, 6}, 10}};
  using Trick = StochasticSoftmax<decltype(knapsack), Gumbel, SquaredNorm>;
  const Trick trick{.structure = knapsack, .temperature = 0.5};
  const SerialTeam<> team;
  std::vector<std::byte> room(trick.scratch<double>() + 64);
  const Scratch scratch(room.data());

  std::vector<double> theta{1.0, 1.0, 1.2, 1.5}, utility(4), hard(4), soft(4), slope(4);
  const auto read = [](const std::vector<double>& v) { return Vector<const double>{v.data(), 4}; };
  const auto write = [](std::vector<double>& v) { return Vector<double>{v.data(), 4}; };
  const auto print = [](const char* what, const std::vector<double>& v) {
    std::printf("%s %.4f %.4f %.4f %.4f\n", what, v[0], v[1], v[2], v[3]);
  };

  trick.perturb(team, read(theta), /*seed=*/1, /*instance=*/0, write(utility));
  trick.hard(team, read(utility), write(hard), scratch);
  trick.soft(team, read(utility), write(soft), scratch);
  print("hard", hard);
  print("soft", soft);
  // How item 2 of the soft sample changes with the utilities.
  const std::vector<double> third{0, 0, 1, 0};
  trick.soft_vjp(team, read(utility), read(soft), read(third), write(slope), scratch);
  print("slope", slope);

  // The choices that the soft sample mixes, the heaviest first.
  std::vector<double> choices(3 * 4), weights(3), scaled(utility);
  for (double& u : scaled) u /= trick.temperature;
  SquaredNorm::active_set(knapsack, team, read(scaled), 4.0, 3, Matrix<double>{choices.data(), 4},
                          Vector<double>{weights.data(), 3}, scratch);
  for (int i = 0; i < 3 && weights[i] > 0; ++i) {
    std::printf("%.4f of", weights[i]);
    for (int e = 0; e < 4; ++e) std::printf(" %.0f", choices[4 * i + e]);
    std::printf("\n");
  }
}
