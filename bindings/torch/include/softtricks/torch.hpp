#pragma once
/// Structures, relaxations and perturbations for LibTorch programs, with gradients.
///
///   using namespace softtricks::torch;
///   const Structure tree{"spanning_tree", {10}};
///   at::Tensor utility = perturb("gumbel", theta, seed);         // [..., 45]
///   at::Tensor hard = argmax(tree, utility);                     // trees, no gradient
///   at::Tensor soft = relax(tree, utility, 0.5);                 // the same trees, softened
///   loss(soft).backward();                                       // reaches theta
///
/// Tensors are float32 or float64 and dense, of any strides, with any leading dimensions [...,
/// size]; `size(structure)` tells the size. `lengths` holds the actual sizes of smaller instances,
/// integers that broadcast to [...]; the numbers behind an instance's end are ignored and come out
/// as 0. An entry is excluded by the utility -infinity. An instance with a NaN utility, or with no
/// feasible member, gives NaN in its own place. Tensors of other devices are solved on the CPU and
/// sent back. Bad arguments throw std::runtime_error with a message that says what is accepted.
///
/// Link softtricks::torch and LibTorch. One autograd rule stands here for each verb; structures
/// have none of their own.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/broadcast_tensors.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/functions/basic_ops.h>

/// Defined in libsofttricks_torch.so. Calling it keeps linkers from dropping a library that
/// otherwise only registers operators.
extern "C" void softtricks_torch_anchor();

namespace softtricks::torch {

/// A structure by name and its fields in order: {"k_subset", {items, k}}.
struct Structure {
  std::string name;
  std::vector<std::int64_t> shape;
};

using Lengths = std::optional<at::Tensor>;

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

using Instances = at::Tensor(const at::Tensor&, std::string_view, at::IntArrayRef, const Lengths&);
using Paired = at::Tensor(const at::Tensor&, const at::Tensor&, std::string_view, at::IntArrayRef,
                          const Lengths&);

#define SOFTTRICKS_RAW(verb)                                                                      \
  inline at::Tensor verb(const Structure& s, const at::Tensor& utility, const Lengths& lengths) { \
    static const auto op = find<Instances>("softtricks::" #verb);                                 \
    return op.call(utility, s.name, s.shape, lengths);                                            \
  }
SOFTTRICKS_RAW(argmax)
SOFTTRICKS_RAW(log_partition)
SOFTTRICKS_RAW(marginals)
SOFTTRICKS_RAW(entropy)
#undef SOFTTRICKS_RAW

#define SOFTTRICKS_RAW(verb)                                                                     \
  inline at::Tensor verb(const Structure& s, const at::Tensor& utility, const at::Tensor& other, \
                         const Lengths& lengths) {                                               \
    static const auto op = find<Paired>("softtricks::" #verb);                                   \
    return op.call(utility, other, s.name, s.shape, lengths);                                    \
  }
SOFTTRICKS_RAW(marginals_vjp)
SOFTTRICKS_RAW(log_prob)
#undef SOFTTRICKS_RAW

inline at::Tensor sample(const Structure& s, const at::Tensor& utility, std::int64_t seed,
                         std::int64_t offset, const Lengths& lengths) {
  static const auto op =
      find<at::Tensor(const at::Tensor&, std::int64_t, std::int64_t, std::string_view,
                      at::IntArrayRef, const Lengths&)>("softtricks::sample");
  return op.call(utility, seed, offset, s.name, s.shape, lengths);
}

inline at::Tensor relax(const Structure& s, const at::Tensor& utility, const Relaxation& r,
                        const Lengths& lengths) {
  static const auto op =
      find<at::Tensor(const at::Tensor&, double, std::string_view, std::optional<double>,
                      std::string_view, at::IntArrayRef, const Lengths&)>("softtricks::relax");
  return op.call(utility, r.temperature, r.regularizer, r.utility_range, s.name, s.shape, lengths);
}

inline at::Tensor relax_vjp(const Structure& s, const at::Tensor& utility, const at::Tensor& soft,
                            const at::Tensor& cotangent, const Relaxation& r,
                            const Lengths& lengths) {
  static const auto op =
      find<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&, double,
                      std::string_view, std::optional<double>, std::string_view, at::IntArrayRef,
                      const Lengths&)>("softtricks::relax_vjp");
  return op.call(utility, soft, cotangent, r.temperature, r.regularizer, r.utility_range, s.name,
                 s.shape, lengths);
}

inline at::Tensor perturb(const at::Tensor& theta, std::int64_t seed, std::int64_t offset,
                          std::string_view perturbation) {
  static const auto op =
      find<at::Tensor(const at::Tensor&, std::int64_t, std::int64_t, std::string_view)>(
          "softtricks::perturb");
  return op.call(theta, seed, offset, perturbation);
}

inline at::Tensor perturb_vjp(const at::Tensor& theta, const at::Tensor& value,
                              const at::Tensor& cotangent, std::string_view perturbation) {
  static const auto op =
      find<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&, std::string_view)>(
          "softtricks::perturb_vjp");
  return op.call(theta, value, cotangent, perturbation);
}

/// The two verbs on pairs, "softtricks::perturbation_log_prob" and "softtricks::perturbation_kl".
inline at::Tensor pair(const std::string& verb, const at::Tensor& theta, const at::Tensor& value,
                       std::string_view perturbation) {
  return find<at::Tensor(const at::Tensor&, const at::Tensor&, std::string_view)>(verb.c_str())
      .call(theta, value, perturbation);
}

inline std::tuple<at::Tensor, at::Tensor> pair_vjp(const std::string& verb, const at::Tensor& theta,
                                                   const at::Tensor& value,
                                                   const at::Tensor& cotangent,
                                                   std::string_view perturbation) {
  return find<std::tuple<at::Tensor, at::Tensor>(const at::Tensor&, const at::Tensor&,
                                                 const at::Tensor&, std::string_view)>(
             (verb + "_vjp").c_str())
      .call(theta, value, cotangent, perturbation);
}

}  // namespace raw

// ---- gradients --------------------------------------------------------------------------------

namespace detail {

using ::torch::autograd::AutogradContext;
using ::torch::autograd::Function;
using ::torch::autograd::Variable;
using ::torch::autograd::variable_list;

/// What every verb carries from forward to backward beside its tensors.
inline void keep(AutogradContext* ctx, const Structure& structure, variable_list tensors,
                 const Lengths& lengths) {
  ctx->saved_data["structure"] = structure.name;
  ctx->saved_data["shape"] = structure.shape;
  tensors.push_back(lengths.value_or(at::Tensor()));
  ctx->save_for_backward(std::move(tensors));
}

struct Kept {
  Structure structure;
  variable_list tensors;
  Lengths lengths;
};

inline Kept kept(AutogradContext* ctx) {
  Kept all{{ctx->saved_data["structure"].toStringRef(), ctx->saved_data["shape"].toIntVector()},
           ctx->get_saved_variables(),
           std::nullopt};
  if (all.tensors.back().defined()) all.lengths = all.tensors.back();
  all.tensors.pop_back();
  return all;
}

inline void keep(AutogradContext* ctx, const Relaxation& relaxation) {
  ctx->saved_data["temperature"] = relaxation.temperature;
  ctx->saved_data["regularizer"] = relaxation.regularizer;
  ctx->saved_data["utility_range"] = relaxation.utility_range;
}

inline Relaxation kept_relaxation(AutogradContext* ctx) {
  return {ctx->saved_data["temperature"].toDouble(), ctx->saved_data["regularizer"].toStringRef(),
          ctx->saved_data["utility_range"].toOptional<double>()};
}

/// Results that can't be differentiated again: whoever tries is told so.
template <class F>
variable_list once(const char* verb, F results) {
  const bool recording = at::GradMode::is_enabled();
  variable_list out;
  {
    const at::NoGradGuard no_grad;
    out = results();
  }
  if (!recording) return out;
  for (at::Tensor& tensor : out) tensor = tensor.detach().requires_grad_();
  ::torch::autograd::DelayedError error(
      std::string("softtricks: the gradient of ") + verb + " can't be differentiated again",
      static_cast<std::int64_t>(out.size()));
  return error(std::move(out));
}

/// The product of the covariance under the Gibbs law with a vector; the covariance is symmetric.
struct MarginalsVjp : Function<MarginalsVjp> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& utility,
                            const at::Tensor& cotangent, const Structure& structure,
                            const Lengths& lengths) {
    keep(ctx, structure, {utility}, lengths);
    return raw::marginals_vjp(structure, utility, cotangent, lengths);
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const Kept all = kept(ctx);
    TORCH_CHECK(!ctx->needs_input_grad(0), "softtricks: third derivatives of log_partition and ",
                "second derivatives of marginals and entropy are not offered");
    return {{}, apply(all.tensors[0], gradients[0], all.structure, all.lengths), {}, {}};
  }
};

struct Marginals : Function<Marginals> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& utility,
                            const Structure& structure, const Lengths& lengths) {
    keep(ctx, structure, {utility}, lengths);
    return raw::marginals(structure, utility, lengths);
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const Kept all = kept(ctx);
    return {MarginalsVjp::apply(all.tensors[0], gradients[0], all.structure, all.lengths), {}, {}};
  }
};

struct LogPartition : Function<LogPartition> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& utility,
                            const Structure& structure, const Lengths& lengths) {
    keep(ctx, structure, {utility}, lengths);
    return raw::log_partition(structure, utility, lengths);
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const Kept all = kept(ctx);
    const at::Tensor mean = Marginals::apply(all.tensors[0], all.structure, all.lengths);
    return {gradients[0].unsqueeze(-1).mul(mean), {}, {}};
  }
};

struct LogProb : Function<LogProb> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& utility, const at::Tensor& x,
                            const Structure& structure, const Lengths& lengths) {
    keep(ctx, structure, {utility, x}, lengths);
    return raw::log_prob(structure, utility, x, lengths);
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const Kept all = kept(ctx);
    const at::Tensor mean = Marginals::apply(all.tensors[0], all.structure, all.lengths);
    return {gradients[0].unsqueeze(-1).mul(all.tensors[1].sub(mean)), {}, {}, {}};
  }
};

/// entropy = log_partition - u . marginals, so its gradient is minus the covariance times u.
struct Entropy : Function<Entropy> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& utility,
                            const Structure& structure, const Lengths& lengths) {
    keep(ctx, structure, {utility}, lengths);
    return raw::entropy(structure, utility, lengths);
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const Kept all = kept(ctx);
    const at::Tensor& utility = all.tensors[0];
    // An excluded entry is 0 in every member: its covariance is 0, and 0 * inf must not be NaN.
    const at::Tensor finite = at::where(utility.isinf(), at::zeros({}, utility.options()), utility);
    return {MarginalsVjp::apply(utility, gradients[0].neg().unsqueeze(-1).mul(finite),
                                all.structure, all.lengths),
            {},
            {}};
  }
};

struct Relax : Function<Relax> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& utility,
                            const Structure& structure, const Relaxation& relaxation,
                            const Lengths& lengths) {
    at::Tensor soft = raw::relax(structure, utility, relaxation, lengths);
    keep(ctx, structure, {utility, soft}, lengths);
    keep(ctx, relaxation);
    return soft;
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const Kept all = kept(ctx);
    const Relaxation relaxation = kept_relaxation(ctx);
    variable_list out = once("relax", [&] {
      return variable_list{raw::relax_vjp(all.structure, all.tensors[0], all.tensors[1],
                                          gradients[0], relaxation, all.lengths)};
    });
    return {out[0], {}, {}, {}};
  }
};

struct Perturb : Function<Perturb> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& theta, std::int64_t seed,
                            std::int64_t offset, const std::string& perturbation) {
    at::Tensor value = raw::perturb(theta, seed, offset, perturbation);
    ctx->saved_data["perturbation"] = perturbation;
    ctx->save_for_backward({theta, value});
    return value;
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const std::string perturbation = ctx->saved_data["perturbation"].toStringRef();
    variable_list out = once("perturb", [&] {
      return variable_list{raw::perturb_vjp(saved[0], saved[1], gradients[0], perturbation)};
    });
    return {out[0], {}, {}, {}};
  }
};

/// log_prob and kl of a perturbation: functions of theta and a second tensor.
struct Pair : Function<Pair> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& theta, const at::Tensor& value,
                            const std::string& verb, const std::string& perturbation) {
    ctx->saved_data["verb"] = verb;
    ctx->saved_data["perturbation"] = perturbation;
    ctx->save_for_backward({theta, value});
    return raw::pair(verb, theta, value, perturbation);
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const std::string verb = ctx->saved_data["verb"].toStringRef();
    const std::string perturbation = ctx->saved_data["perturbation"].toStringRef();
    variable_list out = once(verb.c_str(), [&] {
      auto [theta, value] = raw::pair_vjp(verb, saved[0], saved[1], gradients[0], perturbation);
      return variable_list{theta, value};
    });
    return {out[0], out[1], {}, {}};
  }
};

/// Lengths as the operators want them: int64, one number an instance.
inline Lengths instance_lengths(const at::Tensor& utility, const Lengths& lengths) {
  if (!lengths || !lengths->defined()) return std::nullopt;
  TORCH_CHECK(at::isIntegralType(lengths->scalar_type(), /*includeBool=*/false),
              "softtricks: lengths: expected integers, not ", lengths->scalar_type());
  return lengths->to(at::kLong).expand(utility.sizes().slice(0, utility.dim() - 1));
}

}  // namespace detail

// ---- the verbs ----------------------------------------------------------------------------------

/// The number of utilities: `utility` below has shape [..., size(structure)].
inline std::int64_t size(const Structure& structure) {
  static const auto op =
      raw::find<std::int64_t(std::string_view, at::IntArrayRef)>("softtricks::structure_size");
  return op.call(structure.name, structure.shape);
}

/// The best member, argmax of u . x, as 0 and 1: [..., size]. No gradient.
inline at::Tensor argmax(const Structure& structure, const at::Tensor& utility,
                         const Lengths& lengths = {}) {
  const at::NoGradGuard no_grad;
  return raw::argmax(structure, utility, detail::instance_lengths(utility, lengths));
}

/// log of the sum of exp(u . x) over the members: [...]. Differentiable twice.
inline at::Tensor log_partition(const Structure& structure, const at::Tensor& utility,
                                const Lengths& lengths = {}) {
  return detail::LogPartition::apply(utility, structure,
                                     detail::instance_lengths(utility, lengths));
}

/// The mean of x under the Gibbs law p(x) ~ exp(u . x): [..., size]. Differentiable once.
inline at::Tensor marginals(const Structure& structure, const at::Tensor& utility,
                            const Lengths& lengths = {}) {
  return detail::Marginals::apply(utility, structure, detail::instance_lengths(utility, lengths));
}

/// An exact draw of the Gibbs law, one an instance: [..., size]. No gradient. Instance i (row-major
/// over the leading dimensions) draws from stream offset + i of the seed, whatever the batch.
inline at::Tensor sample(const Structure& structure, const at::Tensor& utility, std::int64_t seed,
                         const Lengths& lengths = {}, std::int64_t offset = 0) {
  const at::NoGradGuard no_grad;
  return raw::sample(structure, utility, seed, offset, detail::instance_lengths(utility, lengths));
}

/// log p(x) of members x under the Gibbs law of u; u and x broadcast: [...]. Differentiable twice
/// in u; x is discrete and gets no gradient.
inline at::Tensor log_prob(const Structure& structure, const at::Tensor& utility,
                           const at::Tensor& x, const Lengths& lengths = {}) {
  const auto both = at::broadcast_tensors({utility, x.detach()});
  return detail::LogProb::apply(both[0], both[1], structure,
                                detail::instance_lengths(both[0], lengths));
}

/// Entropy of the Gibbs law in nats: [...]. Differentiable once.
inline at::Tensor entropy(const Structure& structure, const at::Tensor& utility,
                          const Lengths& lengths = {}) {
  return detail::Entropy::apply(utility, structure, detail::instance_lengths(utility, lengths));
}

/// The soft sample, argmax over the convex hull of u . x - temperature * regularizer(x):
/// [..., size]. Differentiable once. `utility_range` r floors utilities / temperature at their
/// maximum minus r first, exactly; a floored utility hands its gradient to the largest one.
inline at::Tensor relax(const Structure& structure, const at::Tensor& utility, double temperature,
                        const std::string& regularizer = "gibbs_entropy",
                        std::optional<double> utility_range = {}, const Lengths& lengths = {}) {
  return detail::Relax::apply(utility, structure,
                              Relaxation{temperature, regularizer, utility_range},
                              detail::instance_lengths(utility, lengths));
}

/// Random utilities of the law with parameters theta, which they follow differentiably (once):
/// theta's shape [..., size]. Row i (row-major over the leading dimensions) draws from stream
/// offset + i of the seed.
inline at::Tensor perturb(const std::string& perturbation, const at::Tensor& theta,
                          std::int64_t seed, std::int64_t offset = 0) {
  return detail::Perturb::apply(theta, seed, offset, perturbation);
}

/// log density of each entry of `value` under the law with parameters theta; both broadcast.
/// Differentiable once in both.
inline at::Tensor perturbation_log_prob(const std::string& perturbation, const at::Tensor& theta,
                                        const at::Tensor& value) {
  const auto both = at::broadcast_tensors({theta, value});
  return detail::Pair::apply(both[0], both[1], "softtricks::perturbation_log_prob", perturbation);
}

/// KL divergence of the law with parameters theta from the one with theta0, entry by entry; both
/// broadcast. Differentiable once in both.
inline at::Tensor perturbation_kl(const std::string& perturbation, const at::Tensor& theta,
                                  const at::Tensor& theta0) {
  const auto both = at::broadcast_tensors({theta, theta0});
  return detail::Pair::apply(both[0], both[1], "softtricks::perturbation_kl", perturbation);
}

}  // namespace softtricks::torch
