// The compiled library from outside: every edge of the complete graph on 3 vertices lies in two of
// its three spanning trees.
#include <cmath>
#include <cstdio>
#include <vector>

#include <softtricks/registry.hpp>

int main() {
  const std::vector<double> utility(3, 0.0);
  std::vector<double> marginals(3);

  softtricks::Call call;
  call.verb = "marginals";
  call.structure = "spanning_tree";
  call.shape = {3};
  call.dtype = softtricks::Dtype::float64;
  call.batch = 1;
  call.utility = utility.data();
  call.out = marginals.data();
  const softtricks::Status status = softtricks::run(call);
  if (!status.ok()) {
    std::printf("%s\n", status.message().c_str());
    return 1;
  }
  for (const double marginal : marginals) {
    if (std::abs(marginal - 2.0 / 3.0) > 1e-12) return 1;
  }
  return 0;
}
