#pragma once
/// The bare operators of libsofttricks_torch.so, without gradients, and what they take. Programs
/// include softtricks/torch.hpp.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>

/// Defined in libsofttricks_torch.so. Calling it keeps linkers from dropping a library that
/// otherwise only registers operators.
extern "C" void softtricks_torch_anchor();

namespace softtricks::torch {

/// A structure by name and its fields in order: {"k_subset", {items, k}}.
struct Structure {
  std::string name;
  std::vector<std::int64_t> shape;
};

/// A perturbation law by name and its parameters in order: {"normal", {scale}}. The last ones may
/// be left out, and of a law whose parameters are all left out the name is enough.
struct Perturbation {
  std::string name;
  std::vector<double> parameters;

  Perturbation(std::string law, std::vector<double> values = {})  // NOLINT: a name is a law
      : name(std::move(law)), parameters(std::move(values)) {}
  Perturbation(const char* law, std::vector<double> values = {})  // NOLINT
      : name(law), parameters(std::move(values)) {}
};

/// Actual sizes of instances smaller than the structure's shape, integers that broadcast to [...];
/// a tensor alone is the lengths.
struct Sizes {
  std::optional<at::Tensor> lengths, counts;

  Sizes() = default;
  Sizes(std::optional<at::Tensor> actual_lengths, std::optional<at::Tensor> actual_counts = {})
      : lengths(std::move(actual_lengths)), counts(std::move(actual_counts)) {}
  Sizes(const at::Tensor& actual_lengths) : lengths(actual_lengths) {}
};

/// How `relax` softens.
struct Relaxation {
  double temperature = 1;
  std::string regularizer = "gibbs_entropy";
  std::optional<double> utility_range = {};
};

// ---- the bare operators, without gradients ------------------------------------------------------

namespace raw {

/// An operator of the dispatcher. Names carry no overloads.
template <class Signature>
c10::TypedOperatorHandle<Signature> find(const char* name) {
  softtricks_torch_anchor();
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

using Integers = std::optional<at::Tensor>;
using Instances = at::Tensor(const at::Tensor&, std::string_view, at::IntArrayRef, const Integers&,
                             const Integers&);
using Paired = at::Tensor(const at::Tensor&, const at::Tensor&, std::string_view, at::IntArrayRef,
                          const Integers&, const Integers&);

#define SOFTTRICKS_RAW(verb)                                                                  \
  inline at::Tensor verb(const Structure& s, const at::Tensor& utility, const Sizes& sizes) { \
    static const auto op = find<Instances>("softtricks::" #verb);                             \
    return op.call(utility, s.name, s.shape, sizes.lengths, sizes.counts);                    \
  }
SOFTTRICKS_RAW(argmax)
SOFTTRICKS_RAW(log_partition)
SOFTTRICKS_RAW(marginals)
SOFTTRICKS_RAW(entropy)
#undef SOFTTRICKS_RAW

#define SOFTTRICKS_RAW(verb)                                                                     \
  inline at::Tensor verb(const Structure& s, const at::Tensor& utility, const at::Tensor& other, \
                         const Sizes& sizes) {                                                   \
    static const auto op = find<Paired>("softtricks::" #verb);                                   \
    return op.call(utility, other, s.name, s.shape, sizes.lengths, sizes.counts);                \
  }
SOFTTRICKS_RAW(marginals_vjp)
SOFTTRICKS_RAW(log_prob)
SOFTTRICKS_RAW(cross_entropy)
SOFTTRICKS_RAW(kl)
#undef SOFTTRICKS_RAW

inline at::Tensor sample(const Structure& s, const at::Tensor& utility, std::int64_t seed,
                         std::int64_t offset, const Sizes& sizes) {
  static const auto op =
      find<at::Tensor(const at::Tensor&, std::int64_t, std::int64_t, std::string_view,
                      at::IntArrayRef, const Integers&, const Integers&)>("softtricks::sample");
  return op.call(utility, seed, offset, s.name, s.shape, sizes.lengths, sizes.counts);
}

inline at::Tensor relax(const Structure& s, const at::Tensor& utility, const Relaxation& r,
                        const Sizes& sizes) {
  static const auto op =
      find<at::Tensor(const at::Tensor&, double, std::string_view, std::optional<double>,
                      std::string_view, at::IntArrayRef, const Integers&, const Integers&)>(
          "softtricks::relax");
  return op.call(utility, r.temperature, r.regularizer, r.utility_range, s.name, s.shape,
                 sizes.lengths, sizes.counts);
}

inline at::Tensor relax_vjp(const Structure& s, const at::Tensor& utility, const at::Tensor& soft,
                            const at::Tensor& cotangent, const Relaxation& r, const Sizes& sizes) {
  static const auto op =
      find<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&, double,
                      std::string_view, std::optional<double>, std::string_view, at::IntArrayRef,
                      const Integers&, const Integers&)>("softtricks::relax_vjp");
  return op.call(utility, soft, cotangent, r.temperature, r.regularizer, r.utility_range, s.name,
                 s.shape, sizes.lengths, sizes.counts);
}

using Members = std::tuple<at::Tensor, at::Tensor>;

inline Members k_best(const Structure& s, const at::Tensor& utility, std::int64_t count,
                      const Sizes& sizes) {
  static const auto op =
      find<Members(const at::Tensor&, std::int64_t, std::string_view, at::IntArrayRef,
                   const Integers&, const Integers&)>("softtricks::k_best");
  return op.call(utility, count, s.name, s.shape, sizes.lengths, sizes.counts);
}

inline Members active_set(const Structure& s, const at::Tensor& utility, std::int64_t count,
                          const Relaxation& r, const Sizes& sizes) {
  static const auto op =
      find<Members(const at::Tensor&, std::int64_t, double, std::string_view, std::optional<double>,
                   std::string_view, at::IntArrayRef, const Integers&, const Integers&)>(
          "softtricks::active_set");
  return op.call(utility, count, r.temperature, r.regularizer, r.utility_range, s.name, s.shape,
                 sizes.lengths, sizes.counts);
}

using Parameters = c10::ArrayRef<double>;

/// "softtricks::perturb" and "softtricks::noise".
inline at::Tensor drawn(const char* verb, const at::Tensor& theta, std::int64_t seed,
                        std::int64_t offset, const Perturbation& law) {
  return find<at::Tensor(const at::Tensor&, std::int64_t, std::int64_t, std::string_view,
                         Parameters)>(verb)
      .call(theta, seed, offset, law.name, law.parameters);
}

inline at::Tensor perturb_vjp(const at::Tensor& theta, const at::Tensor& value,
                              const at::Tensor& cotangent, const Perturbation& law) {
  static const auto op = find<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                         std::string_view, Parameters)>("softtricks::perturb_vjp");
  return op.call(theta, value, cotangent, law.name, law.parameters);
}

/// The verbs on pairs: "softtricks::transform", "softtricks::perturbation_log_prob" and
/// "softtricks::perturbation_kl".
inline at::Tensor pair(const std::string& verb, const at::Tensor& theta, const at::Tensor& value,
                       const Perturbation& law) {
  return find<at::Tensor(const at::Tensor&, const at::Tensor&, std::string_view, Parameters)>(
             verb.c_str())
      .call(theta, value, law.name, law.parameters);
}

inline std::tuple<at::Tensor, at::Tensor> pair_vjp(const std::string& verb, const at::Tensor& theta,
                                                   const at::Tensor& value,
                                                   const at::Tensor& cotangent,
                                                   const Perturbation& law) {
  return find<std::tuple<at::Tensor, at::Tensor>(const at::Tensor&, const at::Tensor&,
                                                 const at::Tensor&, std::string_view, Parameters)>(
             (verb + "_vjp").c_str())
      .call(theta, value, cotangent, law.name, law.parameters);
}

}  // namespace raw

}  // namespace softtricks::torch
