/// The table of docs/mathematics/squared_norm.md: how often the active set asks for an argmax, and
/// how many members the projection then mixes; the mean over 100 instances with utilities from
/// N(0, 1). Run build/release/softtricks-active-set.
#include <cstddef>
#include <cstdio>
#include <random>
#include <vector>

#include <softtricks/lists.hpp>

using namespace softtricks;

template <class S>
void row(const char* name, const S& structure) {
  constexpr int instances = 100;
  const SerialTeam<> team;
  const int size = structure.size();
  std::vector<std::byte> room(structure.template scratch<double>() +
                              SquaredNorm::active_set_scratch<double>(structure));
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  std::vector<double> utility(static_cast<std::size_t>(size));
  double calls = 0, members = 0;
  for (int i = 0; i < instances; ++i) {
    for (double& u : utility) u = normal(random);
    Scratch scratch(room.data());
    ActiveSet<double> set(size, scratch);
    const ArgmaxOracle<S, double, SerialTeam<>> oracle(structure, team, structure.longest(),
                                                       scratch);
    set.clear(team);
    set.project(team, {utility.data(), size}, oracle);
    calls += set.calls();
    members += set.count();
  }
  std::printf("| %s | %.0f | %.0f |\n", name, calls / instances, members / instances);
}

int main() {
  std::printf("| structure | argmax calls | members |\n|---|--:|--:|\n");
  row("arborescence, 20 nodes", Arborescence{.nodes = 20, .root = 0, .single_root = 0});
  row("spanning tree, 20 nodes", SpanningTree{.nodes = 20});
  row("projective tree, 20 nodes", ProjectiveTree(20, 0));
  row("grid path, 20 x 20", GridPath(20, 20));
  row("correlated 10-subset of 50", CorrelatedKSubset(50, 10));
  row("linear chain, 50 steps, 10 states", LinearChain(50, 10));
}
