#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "array.hpp"
#include "softtricks/registry.hpp"

namespace softtricks::cli {

/// A verb on a batch of instances, with the arrays it reads. What a verb doesn't read stays empty.
struct Problem {
  std::string verb, structure;
  std::vector<std::int64_t> shape;
  std::string regularizer{Call{}.regularizer};
  double temperature = Call{}.temperature;
  double utility_range = Call{}.utility_range;
  Array utility, member, cotangent;
  std::vector<std::int64_t> lengths;
  std::uint64_t seed = 0;
  Executor executor;
};

/// Room for the problem's result.
Array room_for_result(const Problem& problem);
/// The registry's call that reads the problem's arrays and writes `out`; both must outlive it.
Call call_of(const Problem& problem, Array& out);
/// Runs a call, or refuses it in the registry's words.
void run_or_refuse(const Call& call);
Array result_of(const Problem& problem);
/// The problem's soft sample, as relax_vjp reads it.
Array soft_sample_of(const Problem& problem);
/// Utilities drawn around theta by a perturbation.
Array perturbed(const Array& theta, const std::string& perturbation, std::uint64_t seed,
                const Executor& executor);

}  // namespace softtricks::cli
