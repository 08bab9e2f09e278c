/// The operators `softtricks::*` of PyTorch's dispatcher, one for each verb and none for a
/// structure: the structure comes as an argument, its name and shape. Built on LibTorch's stable
/// ABI, so one binary serves every PyTorch since 2.10, from Python (torch.ops.load_library) and
/// from C++.
///
/// These are the bare verbs. Their gradients are bound once a verb in `softtricks/torch.hpp` for
/// C++ and in the package `softtricks.torch` for Python.
#include <tuple>

#include "batch.hpp"

extern "C" __attribute__((visibility("default"))) void softtricks_torch_anchor() {}

namespace softtricks {
namespace {

Result result_of(std::string_view verb) {
  static const std::vector<VerbInfo> all = verbs();
  for (const VerbInfo& info : all) {
    if (info.name == verb) return info.result;
  }
  return Result::entries;
}

/// What a verb takes beside utilities and structure.
struct Extras {
  const Tensor* member = nullptr;
  const char* member_name = "x";
  const Tensor* cotangent = nullptr;
  const Tensor* other = nullptr;
};

struct Problem {
  const std::string& structure;
  const Shape& shape;
  const Integers& lengths;
  const Integers& counts;
};

/// The shape of a verb's result; where it is members, `value` is that of their numbers.
Shape result_shape(const Call& call, const Batch& batch, Shape& value) {
  const Result result = result_of(call.verb);
  if (result == Result::entries) return batch.sizes();
  value = batch.leading();
  if (result == Result::number) return value;
  value.push_back(call.members);
  Shape all = value;
  all.push_back(batch.size());
  return all;
}

/// The result, and the numbers that go with members.
std::tuple<Tensor, Tensor> solve_both(Call call, const Tensor& utility, const Problem& problem,
                                      const Extras& extras = {}) {
  std::int64_t size = 0;
  demand(size_of(problem.structure, problem.shape, size));
  const Batch batch("utility", utility);
  if (batch.sizes().empty() || batch.size() != size) {
    refuse("utility: expected shape [..., " + std::to_string(size) + "] for " + problem.structure +
           words(problem.shape) + ", not " + words(batch.sizes()));
  }
  call.structure = problem.structure;
  call.shape = problem.shape;
  call.dtype = batch.dtype();
  call.batch = batch.count();
  call.utility = batch.data();
  call.executor = torch_threads();

  // Tensors of their own, so that the pointers stay good until the call is done.
  std::vector<Tensor> held;
  const auto hold = [&](const Tensor& tensor) {
    return held.emplace_back(tensor).const_data_ptr();
  };
  if (extras.member) call.member = hold(batch.agreeing(extras.member_name, *extras.member));
  if (extras.cotangent) call.cotangent = hold(batch.agreeing("cotangent", *extras.cotangent));
  if (extras.other) call.other = hold(batch.agreeing("other", *extras.other));
  const auto integers = [&](const char* name, const Integers& given) {
    return given ? static_cast<const std::int64_t*>(hold(batch.integers(name, *given))) : nullptr;
  };
  call.lengths = integers("lengths", problem.lengths);
  call.counts = integers("counts", problem.counts);

  const bool lists = result_of(call.verb) == Result::members;
  if (lists && (call.members < 1 || call.members > (1 << 30))) {
    refuse(std::string(call.verb) + ": count must be at least 1, got " +
           std::to_string(call.members));
  }
  Shape value_shape;
  Tensor out = batch.empty(result_shape(call, batch, value_shape));
  Tensor value = lists ? batch.empty(value_shape) : out;
  call.out = out.mutable_data_ptr();
  if (lists) call.out_value = value.mutable_data_ptr();
  demand(run(call));
  return {batch.returned(out), lists ? batch.returned(value) : out};
}

Tensor solve(const Call& call, const Tensor& utility, const Problem& problem,
             const Extras& extras = {}) {
  return std::get<0>(solve_both(call, utility, problem, extras));
}

Call call_of(std::string_view verb) {
  Call call;
  call.verb = verb;
  return call;
}

// ---- verbs of structures --------------------------------------------------------------------

#define SOFTTRICKS_PLAIN_VERB(verb)                                                    \
  Tensor verb(const Tensor& utility, const std::string& structure, const Shape& shape, \
              const Integers& lengths, const Integers& counts) {                       \
    return solve(call_of(#verb), utility, {structure, shape, lengths, counts});        \
  }
SOFTTRICKS_PLAIN_VERB(argmax)
SOFTTRICKS_PLAIN_VERB(log_partition)
SOFTTRICKS_PLAIN_VERB(marginals)
SOFTTRICKS_PLAIN_VERB(entropy)
#undef SOFTTRICKS_PLAIN_VERB

Tensor marginals_vjp(const Tensor& utility, const Tensor& cotangent, const std::string& structure,
                     const Shape& shape, const Integers& lengths, const Integers& counts) {
  Extras extras;
  extras.cotangent = &cotangent;
  return solve(call_of("marginals_vjp"), utility, {structure, shape, lengths, counts}, extras);
}

Tensor log_prob(const Tensor& utility, const Tensor& x, const std::string& structure,
                const Shape& shape, const Integers& lengths, const Integers& counts) {
  Extras extras;
  extras.member = &x;
  return solve(call_of("log_prob"), utility, {structure, shape, lengths, counts}, extras);
}

Tensor sample(const Tensor& utility, std::int64_t seed, std::int64_t offset,
              const std::string& structure, const Shape& shape, const Integers& lengths,
              const Integers& counts) {
  Call call = call_of("sample");
  call.seed = static_cast<std::uint64_t>(seed);
  call.first_instance = static_cast<std::uint64_t>(offset);
  return solve(call, utility, {structure, shape, lengths, counts});
}

Call relax_call(std::string_view verb, double temperature, const std::string& regularizer,
                const std::optional<double>& utility_range) {
  Call call = call_of(verb);
  call.temperature = temperature;
  call.regularizer = regularizer;
  if (utility_range) call.utility_range = *utility_range;
  return call;
}

Tensor relax(const Tensor& utility, double temperature, const std::string& regularizer,
             std::optional<double> utility_range, const std::string& structure, const Shape& shape,
             const Integers& lengths, const Integers& counts) {
  return solve(relax_call("relax", temperature, regularizer, utility_range), utility,
               {structure, shape, lengths, counts});
}

Tensor relax_vjp(const Tensor& utility, const Tensor& soft, const Tensor& cotangent,
                 double temperature, const std::string& regularizer,
                 std::optional<double> utility_range, const std::string& structure,
                 const Shape& shape, const Integers& lengths, const Integers& counts) {
  const Extras extras{&soft, "soft", &cotangent};
  return solve(relax_call("relax_vjp", temperature, regularizer, utility_range), utility,
               {structure, shape, lengths, counts}, extras);
}

#define SOFTTRICKS_TWO_LAWS(verb)                                                       \
  Tensor verb(const Tensor& utility, const Tensor& other, const std::string& structure, \
              const Shape& shape, const Integers& lengths, const Integers& counts) {    \
    Extras extras;                                                                      \
    extras.other = &other;                                                              \
    return solve(call_of(#verb), utility, {structure, shape, lengths, counts}, extras); \
  }
SOFTTRICKS_TWO_LAWS(cross_entropy)
SOFTTRICKS_TWO_LAWS(kl)
#undef SOFTTRICKS_TWO_LAWS

std::tuple<Tensor, Tensor> k_best(const Tensor& utility, std::int64_t count,
                                  const std::string& structure, const Shape& shape,
                                  const Integers& lengths, const Integers& counts) {
  Call call = call_of("k_best");
  call.members = count;
  return solve_both(call, utility, {structure, shape, lengths, counts});
}

std::tuple<Tensor, Tensor> active_set(const Tensor& utility, std::int64_t count, double temperature,
                                      const std::string& regularizer,
                                      std::optional<double> utility_range,
                                      const std::string& structure, const Shape& shape,
                                      const Integers& lengths, const Integers& counts) {
  Call call = relax_call("active_set", temperature, regularizer, utility_range);
  call.members = count;
  return solve_both(call, utility, {structure, shape, lengths, counts});
}

// ---- verbs of perturbations -----------------------------------------------------------------

using Parameters = std::vector<double>;

PerturbationCall perturbation_call(std::string_view verb, const Batch& theta,
                                   const std::string& perturbation, const Parameters& parameters) {
  PerturbationCall call;
  call.verb = verb;
  call.perturbation = perturbation;
  call.parameters = parameters;
  call.dtype = theta.dtype();
  call.batch = theta.count();
  call.size = theta.size();
  call.theta = theta.data();
  call.executor = torch_threads();
  return call;
}

Tensor finish(PerturbationCall& call, const Batch& theta) {
  Tensor out = theta.empty(theta.sizes());
  call.out = out.mutable_data_ptr();
  demand(run(call));
  return theta.returned(out);
}

Tensor drawn(std::string_view verb, const Tensor& theta, std::int64_t seed, std::int64_t offset,
             const std::string& perturbation, const Parameters& parameters) {
  const Batch batch("theta", theta);
  PerturbationCall call = perturbation_call(verb, batch, perturbation, parameters);
  call.seed = static_cast<std::uint64_t>(seed);
  call.first_instance = static_cast<std::uint64_t>(offset);
  return finish(call, batch);
}

Tensor perturb(const Tensor& theta, std::int64_t seed, std::int64_t offset,
               const std::string& perturbation, const Parameters& parameters) {
  return drawn("sample", theta, seed, offset, perturbation, parameters);
}

Tensor noise(const Tensor& theta, std::int64_t seed, std::int64_t offset,
             const std::string& perturbation, const Parameters& parameters) {
  return drawn("noise", theta, seed, offset, perturbation, parameters);
}

Tensor perturb_vjp(const Tensor& theta, const Tensor& value, const Tensor& cotangent,
                   const std::string& perturbation, const Parameters& parameters) {
  const Batch batch("theta", theta);
  const Tensor utility = batch.agreeing("value", value);
  const Tensor incoming = batch.agreeing("cotangent", cotangent);
  PerturbationCall call = perturbation_call("sample_vjp", batch, perturbation, parameters);
  call.value = utility.const_data_ptr();
  call.cotangent = incoming.const_data_ptr();
  return finish(call, batch);
}

Tensor pair(std::string_view verb, const char* value_name, const Tensor& theta, const Tensor& value,
            const std::string& perturbation, const Parameters& parameters) {
  const Batch batch("theta", theta);
  const Tensor other = batch.agreeing(value_name, value);
  PerturbationCall call = perturbation_call(verb, batch, perturbation, parameters);
  call.value = other.const_data_ptr();
  return finish(call, batch);
}

std::tuple<Tensor, Tensor> pair_vjp(std::string_view verb, const char* value_name,
                                    const Tensor& theta, const Tensor& value,
                                    const Tensor& cotangent, const std::string& perturbation,
                                    const Parameters& parameters) {
  const Batch batch("theta", theta);
  const Tensor other = batch.agreeing(value_name, value);
  const Tensor incoming = batch.agreeing("cotangent", cotangent);
  PerturbationCall call = perturbation_call(verb, batch, perturbation, parameters);
  call.value = other.const_data_ptr();
  call.cotangent = incoming.const_data_ptr();
  Tensor out_value = batch.empty(batch.sizes());
  call.out_value = out_value.mutable_data_ptr();
  Tensor out = finish(call, batch);
  return {out, batch.returned(out_value)};
}

#define SOFTTRICKS_PAIR(op, verb, value_name)                                                    \
  Tensor op(const Tensor& theta, const Tensor& value, const std::string& perturbation,           \
            const Parameters& parameters) {                                                      \
    return pair(verb, value_name, theta, value, perturbation, parameters);                       \
  }                                                                                              \
  std::tuple<Tensor, Tensor> op##_vjp(const Tensor& theta, const Tensor& value,                  \
                                      const Tensor& cotangent, const std::string& perturbation,  \
                                      const Parameters& parameters) {                            \
    return pair_vjp(verb "_vjp", value_name, theta, value, cotangent, perturbation, parameters); \
  }
SOFTTRICKS_PAIR(transform, "transform", "noise")
SOFTTRICKS_PAIR(perturbation_log_prob, "log_prob", "value")
SOFTTRICKS_PAIR(perturbation_kl, "kl", "theta0")
#undef SOFTTRICKS_PAIR

std::int64_t structure_size(const std::string& structure, const Shape& shape) {
  std::int64_t size = 0;
  demand(size_of(structure, shape, size));
  return size;
}

}  // namespace
}  // namespace softtricks

#define SOFTTRICKS_STRUCTURE "str structure, int[] shape, Tensor? lengths, Tensor? counts=None"
#define SOFTTRICKS_RELAX "float temperature, str regularizer, float? utility_range, "
#define SOFTTRICKS_LAW "str perturbation, float[] parameters=[]"

STABLE_TORCH_LIBRARY(softtricks, m) {
  m.def("argmax(Tensor utility, " SOFTTRICKS_STRUCTURE ") -> Tensor");
  m.def("log_partition(Tensor utility, " SOFTTRICKS_STRUCTURE ") -> Tensor");
  m.def("marginals(Tensor utility, " SOFTTRICKS_STRUCTURE ") -> Tensor");
  m.def("marginals_vjp(Tensor utility, Tensor cotangent, " SOFTTRICKS_STRUCTURE ") -> Tensor");
  m.def("sample(Tensor utility, SymInt seed, SymInt offset, " SOFTTRICKS_STRUCTURE ") -> Tensor");
  m.def("log_prob(Tensor utility, Tensor x, " SOFTTRICKS_STRUCTURE ") -> Tensor");
  m.def("entropy(Tensor utility, " SOFTTRICKS_STRUCTURE ") -> Tensor");
  m.def("relax(Tensor utility, " SOFTTRICKS_RELAX SOFTTRICKS_STRUCTURE ") -> Tensor");
  m.def("relax_vjp(Tensor utility, Tensor soft, Tensor cotangent, " SOFTTRICKS_RELAX
            SOFTTRICKS_STRUCTURE ") -> Tensor");
  m.def("cross_entropy(Tensor utility, Tensor other, " SOFTTRICKS_STRUCTURE ") -> Tensor");
  m.def("kl(Tensor utility, Tensor other, " SOFTTRICKS_STRUCTURE ") -> Tensor");
  m.def("k_best(Tensor utility, SymInt count, " SOFTTRICKS_STRUCTURE ") -> (Tensor, Tensor)");
  m.def("active_set(Tensor utility, SymInt count, " SOFTTRICKS_RELAX SOFTTRICKS_STRUCTURE
        ") -> (Tensor, Tensor)");

  m.def("perturb(Tensor theta, SymInt seed, SymInt offset, " SOFTTRICKS_LAW ") -> Tensor");
  m.def("perturb_vjp(Tensor theta, Tensor value, Tensor cotangent, " SOFTTRICKS_LAW ") -> Tensor");
  m.def("noise(Tensor theta, SymInt seed, SymInt offset, " SOFTTRICKS_LAW ") -> Tensor");
  m.def("transform(Tensor theta, Tensor noise, " SOFTTRICKS_LAW ") -> Tensor");
  m.def("transform_vjp(Tensor theta, Tensor noise, Tensor cotangent, " SOFTTRICKS_LAW
        ") -> (Tensor, Tensor)");
  m.def("perturbation_log_prob(Tensor theta, Tensor value, " SOFTTRICKS_LAW ") -> Tensor");
  m.def("perturbation_log_prob_vjp(Tensor theta, Tensor value, Tensor cotangent, " SOFTTRICKS_LAW
        ") -> (Tensor, Tensor)");
  m.def("perturbation_kl(Tensor theta, Tensor theta0, " SOFTTRICKS_LAW ") -> Tensor");
  m.def("perturbation_kl_vjp(Tensor theta, Tensor theta0, Tensor cotangent, " SOFTTRICKS_LAW
        ") -> (Tensor, Tensor)");

  m.def("describe() -> str");
  m.def("structure_size(str structure, int[] shape) -> int");
}

#undef SOFTTRICKS_STRUCTURE
#undef SOFTTRICKS_RELAX
#undef SOFTTRICKS_LAW

// One kernel for every device, so that a call that mixes devices reaches our own error.
STABLE_TORCH_LIBRARY_IMPL(softtricks, CompositeExplicitAutograd, m) {
  m.impl("argmax", TORCH_BOX(&softtricks::argmax));
  m.impl("log_partition", TORCH_BOX(&softtricks::log_partition));
  m.impl("marginals", TORCH_BOX(&softtricks::marginals));
  m.impl("marginals_vjp", TORCH_BOX(&softtricks::marginals_vjp));
  m.impl("sample", TORCH_BOX(&softtricks::sample));
  m.impl("log_prob", TORCH_BOX(&softtricks::log_prob));
  m.impl("entropy", TORCH_BOX(&softtricks::entropy));
  m.impl("relax", TORCH_BOX(&softtricks::relax));
  m.impl("relax_vjp", TORCH_BOX(&softtricks::relax_vjp));
  m.impl("cross_entropy", TORCH_BOX(&softtricks::cross_entropy));
  m.impl("kl", TORCH_BOX(&softtricks::kl));
  m.impl("k_best", TORCH_BOX(&softtricks::k_best));
  m.impl("active_set", TORCH_BOX(&softtricks::active_set));

  m.impl("perturb", TORCH_BOX(&softtricks::perturb));
  m.impl("perturb_vjp", TORCH_BOX(&softtricks::perturb_vjp));
  m.impl("noise", TORCH_BOX(&softtricks::noise));
  m.impl("transform", TORCH_BOX(&softtricks::transform));
  m.impl("transform_vjp", TORCH_BOX(&softtricks::transform_vjp));
  m.impl("perturbation_log_prob", TORCH_BOX(&softtricks::perturbation_log_prob));
  m.impl("perturbation_log_prob_vjp", TORCH_BOX(&softtricks::perturbation_log_prob_vjp));
  m.impl("perturbation_kl", TORCH_BOX(&softtricks::perturbation_kl));
  m.impl("perturbation_kl_vjp", TORCH_BOX(&softtricks::perturbation_kl_vjp));

  m.impl("describe", TORCH_BOX(&softtricks::registry_json));
  m.impl("structure_size", TORCH_BOX(&softtricks::structure_size));
}
