#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "problem.hpp"
#include "shape.hpp"

namespace softtricks::cli {

/// One verb of one structure on a batch of random instances.
struct BenchCase {
  std::string structure;
  std::vector<std::int64_t> shape;
  std::string verb;
  std::string regularizer;  // empty where the verb uses none
  Dtype dtype = Dtype::float32;
  std::int64_t batch = 0;
  double temperature = Call{}.temperature;
};

/// What to leave out of the cases. What is empty leaves nothing out.
struct BenchOptions {
  std::vector<std::string> structures, verbs, dtypes;
  Fields fields;                      // only the structures with these fields, in this shape
  std::int64_t batch = 0;             // 0: by the size, so that a batch is neither tiny nor huge
  std::optional<double> temperature;  // of relax, relax_vjp, active_set; none: 1
};

/// Every structure over typical shapes x every verb it offers x regularizers x types.
std::vector<BenchCase> typical_cases(const BenchOptions& options);

/// A case with its arrays, ready to be run again and again.
class BenchRun {
 public:
  BenchRun(const BenchCase& bench_case, const Executor& executor);
  void operator()() { run_or_refuse(call_of(problem_, room_)); }

 private:
  Problem problem_;
  Room room_;
};

/// The shortest time of each work in seconds, over `rounds` rounds in which all take turns: what
/// disturbs the machine for a while then disturbs all alike. `after_round` is told their count.
std::vector<double> fastest_seconds(const std::vector<std::function<void()>>& works, int rounds,
                                    const std::function<void(int)>& after_round = {});

/// Times every case; microseconds an instance, in the cases' order.
std::vector<double> microseconds_an_instance(const std::vector<BenchCase>& cases,
                                             const Executor& executor, int rounds,
                                             const std::function<void(int)>& after_round = {});

}  // namespace softtricks::cli
