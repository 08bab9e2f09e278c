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
  Array utility, member, cotangent, other;
  std::vector<std::int64_t> lengths, counts;
  std::int64_t members = 0;  // of verbs that list such
  std::uint64_t seed = 0;
  Executor executor;
};

/// Room for the problem's result, and for the numbers that go with members.
struct Room {
  Array out, value;

  Room() = default;
  explicit Room(const Problem& problem);
};
/// The registry's call that reads the problem's arrays and writes `room`; both must outlive it.
Call call_of(const Problem& problem, Room& room);
/// Runs a call, or refuses it in the registry's words.
void run_or_refuse(const Call& call);
/// Members come with their number in front: [..., members, 1 + size].
Array result_of(const Problem& problem);
/// The problem's soft sample, as relax_vjp reads it.
Array soft_sample_of(const Problem& problem);
/// Utilities drawn around theta by a perturbation.
Array perturbed(const Array& theta, const std::string& perturbation,
                const std::vector<double>& parameters, std::uint64_t seed,
                const Executor& executor);

}  // namespace softtricks::cli
