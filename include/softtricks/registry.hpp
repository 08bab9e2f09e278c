#pragma once
/// The door through which every front end enters: a verb, a structure and a regularizer by name,
/// arrays by pointer. One `run` for all; it names no structure.
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "softtricks/base/executor.hpp"
#include "softtricks/base/result.hpp"
#include "softtricks/base/status.hpp"

namespace softtricks {

enum class Dtype { float32, float64 };

/// One verb on a batch of instances of one structure. Arrays are contiguous, row-major and of type
/// `dtype`; `size` is the structure's number of utilities (see `size_of`).
struct Call {
  std::string_view verb;            // "argmax", "marginals", ...: see verbs()
  std::string_view structure;       // "one_hot", "spanning_tree", ...: see structures()
  std::vector<std::int64_t> shape;  // its fields in order, e.g. {10} for 10 nodes; the last ones
                                    // may be left out where they have defaults
  std::string_view regularizer = "gibbs_entropy";  // relax, relax_vjp: see regularizers()
  double temperature = 1;                          // relax, relax_vjp: divides the utilities; > 0
  /// relax, relax_vjp: utilities / temperature are floored at their maximum minus this many nats;
  /// infinite (off) unless asked for. A floored utility hands its gradient to the largest one.
  double utility_range = std::numeric_limits<double>::infinity();

  Dtype dtype = Dtype::float32;
  std::int64_t batch = 0;
  const void* utility = nullptr;          // [batch, size]
  const void* member = nullptr;           // [batch, size] log_prob: x; relax_vjp: the soft sample
  const void* cotangent = nullptr;        // [batch, size] marginals_vjp, relax_vjp
  const void* other = nullptr;            // [batch, size] cross_entropy, kl: the second law's
  const std::int64_t* lengths = nullptr;  // [batch] actual sizes of the instances; null: all full
  /// [batch] actual k of k-subsets, at least 1 and at most the shape's; null: all as the shape
  /// says.
  const std::int64_t* counts = nullptr;
  std::uint64_t seed = 0;            // sample
  std::uint64_t first_instance = 0;  // sample: instance b draws from stream first_instance + b
  std::int64_t members = 0;          // k_best, active_set: how many members an instance, at least 1
  /// [batch, size]; [batch] if the verb returns a number; [batch, members, size] if it returns
  /// members. Must not overlap with the others.
  void* out = nullptr;
  void* out_value = nullptr;  // [batch, members] k_best: u.x of the members; active_set: weights
  Executor executor = {};
};

/// One verb on a perturbation law, elementwise on arrays [batch, size].
struct PerturbationCall {
  /// "sample" (theta -> out), "sample_vjp" (theta, value = U, cotangent -> out),
  /// "noise" (-> out), "transform" (theta, value = noise -> out = U): "sample" in two steps,
  /// "log_prob" (theta, value = U -> out), "kl" (theta, value = other theta -> out),
  /// "transform_vjp", "log_prob_vjp", "kl_vjp"
  /// (theta, value, cotangent -> out = d theta, out_value = d value).
  std::string_view verb;
  std::string_view perturbation;   // "gumbel", ...: see perturbations()
  std::vector<double> parameters;  // in order; the last ones may be left out: they have defaults
  Dtype dtype = Dtype::float32;
  std::int64_t batch = 0;
  std::int64_t size = 0;
  const void* theta = nullptr;
  const void* value = nullptr;
  const void* cotangent = nullptr;
  std::uint64_t seed = 0;            // sample, noise
  std::uint64_t first_instance = 0;  // the same: row b draws from stream first_instance + b
  void* out = nullptr;
  void* out_value = nullptr;
  Executor executor = {};
};

/// Runs the call, or says what is wrong with it and what is offered; then nothing was written.
/// Instances are independent: a NaN utility or an infeasible instance (no member of the set has a
/// finite utility) gives NaN in its own row of `out` (log_partition: -inf where infeasible).
Status run(const Call& call);
Status run(const PerturbationCall& call);

struct StructureInfo {
  std::string name;
  std::vector<std::string> fields;
  std::vector<std::optional<std::int64_t>> defaults;  // of each field; none: it must be given
};
struct PerturbationInfo {
  std::string name;
  std::vector<std::string> parameters;
  std::vector<double> defaults;    // of each parameter
  std::vector<std::string> verbs;  // that it offers
};
struct VerbInfo {
  std::string name;
  Result result;
};

std::vector<StructureInfo> structures();
std::vector<VerbInfo> verbs();
std::vector<std::string> regularizers();
std::vector<PerturbationInfo> perturbations();
/// Does the structure offer the verb (relax, relax_vjp: with that regularizer)?
bool offers(std::string_view structure, std::string_view verb, std::string_view regularizer);
/// Some verbs are offered for some shapes only.
bool offers(std::string_view structure, std::string_view verb, std::string_view regularizer,
            const std::vector<std::int64_t>& shape);
/// Checks a structure's shape and tells its number of utilities.
Status size_of(std::string_view structure, const std::vector<std::int64_t>& shape,
               std::int64_t& size);

/// An executor over a pool of `threads` threads that this library owns, for programs that have no
/// pool of their own; made at the first call for that number and kept.
Executor thread_pool(int threads);

/// All of the above as JSON, from which front ends in other languages make their classes:
/// {"structures": [{"name", "fields", "defaults" (null: none), "verbs", "regularizers"}],
///  "results": {verb: "entries" | "number" | "members"},
///  "perturbations": [{"name", "parameters": {name: default}, "verbs"}], "instruction_set"}
std::string registry_json();

/// The instruction set in use ("baseline", "avx2", "avx512", ...).
std::string instruction_set();

}  // namespace softtricks
