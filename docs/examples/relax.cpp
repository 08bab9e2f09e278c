// A soft spanning tree of a triangle, through the compiled library.
#include <cstdio>

#include <softtricks/registry.hpp>

int main() {
  const float utility[] = {2.0f, 0.5f, 1.0f};  // the edges 01, 02, 12 of a triangle
  float soft[3];
  const auto status = softtricks::run({.verb = "relax",
                                       .structure = "spanning_tree",
                                       .shape = {3},
                                       .temperature = 0.5,
                                       .batch = 1,
                                       .utility = utility,
                                       .out = soft});
  if (!status) return std::puts(status.message().c_str()), 1;
  std::printf("%.4f %.4f %.4f\n", soft[0], soft[1], soft[2]);  // 0.9649 0.2946 0.7405
}
