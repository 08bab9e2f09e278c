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
/// size]; `size(structure)` tells the size. `Sizes` holds the actual lengths of smaller instances,
/// and counts for k-subsets whose k differs; the numbers behind an instance's end are ignored and
/// come out as 0. An entry is excluded by the utility -infinity. An instance with a NaN utility, or
/// with no feasible member, gives NaN in its own place. Tensors of other devices are solved on the
/// CPU and sent back. Bad arguments throw std::runtime_error with a message that says what is
/// accepted.
///
/// Link softtricks::torch and LibTorch. One autograd rule stands here for each verb; structures
/// have none of their own.
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/broadcast_tensors.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/functions/basic_ops.h>

#include "softtricks/torch/raw.hpp"

namespace softtricks::torch {

// ---- gradients --------------------------------------------------------------------------------

namespace detail {

using ::torch::autograd::AutogradContext;
using ::torch::autograd::Function;
using ::torch::autograd::Variable;
using ::torch::autograd::variable_list;

/// What every verb carries from forward to backward beside its tensors.
inline void keep(AutogradContext* ctx, const Structure& structure, variable_list tensors,
                 const Sizes& sizes) {
  ctx->saved_data["structure"] = structure.name;
  ctx->saved_data["shape"] = structure.shape;
  tensors.push_back(sizes.lengths.value_or(at::Tensor()));
  tensors.push_back(sizes.counts.value_or(at::Tensor()));
  ctx->save_for_backward(std::move(tensors));
}

struct Kept {
  Structure structure;
  variable_list tensors;
  Sizes sizes;
};

inline Kept kept(AutogradContext* ctx) {
  Kept all{{ctx->saved_data["structure"].toStringRef(), ctx->saved_data["shape"].toIntVector()},
           ctx->get_saved_variables(),
           {}};
  for (std::optional<at::Tensor>* const one : {&all.sizes.counts, &all.sizes.lengths}) {
    if (all.tensors.back().defined()) *one = all.tensors.back();
    all.tensors.pop_back();
  }
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
                            const Sizes& sizes) {
    keep(ctx, structure, {utility}, sizes);
    return raw::marginals_vjp(structure, utility, cotangent, sizes);
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const Kept all = kept(ctx);
    TORCH_CHECK(!ctx->needs_input_grad(0), "softtricks: third derivatives of log_partition and ",
                "second derivatives of marginals and entropy are not offered");
    return {{}, apply(all.tensors[0], gradients[0], all.structure, all.sizes), {}, {}};
  }
};

struct Marginals : Function<Marginals> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& utility,
                            const Structure& structure, const Sizes& sizes) {
    keep(ctx, structure, {utility}, sizes);
    return raw::marginals(structure, utility, sizes);
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const Kept all = kept(ctx);
    return {MarginalsVjp::apply(all.tensors[0], gradients[0], all.structure, all.sizes), {}, {}};
  }
};

struct LogPartition : Function<LogPartition> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& utility,
                            const Structure& structure, const Sizes& sizes) {
    keep(ctx, structure, {utility}, sizes);
    return raw::log_partition(structure, utility, sizes);
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const Kept all = kept(ctx);
    const at::Tensor mean = Marginals::apply(all.tensors[0], all.structure, all.sizes);
    return {gradients[0].unsqueeze(-1).mul(mean), {}, {}};
  }
};

struct LogProb : Function<LogProb> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& utility, const at::Tensor& x,
                            const Structure& structure, const Sizes& sizes) {
    keep(ctx, structure, {utility, x}, sizes);
    return raw::log_prob(structure, utility, x, sizes);
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const Kept all = kept(ctx);
    const at::Tensor mean = Marginals::apply(all.tensors[0], all.structure, all.sizes);
    return {gradients[0].unsqueeze(-1).mul(all.tensors[1].sub(mean)), {}, {}, {}};
  }
};

/// An excluded entry is 0 in every member: its covariance is 0, and 0 * inf must not be NaN.
inline at::Tensor zero_where_excluded(const at::Tensor& utility, const at::Tensor& x) {
  return at::where(utility.isinf(), at::zeros({}, utility.options()), x);
}

/// entropy = log_partition - u . marginals, so its gradient is minus the covariance times u.
struct Entropy : Function<Entropy> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& utility,
                            const Structure& structure, const Sizes& sizes) {
    keep(ctx, structure, {utility}, sizes);
    return raw::entropy(structure, utility, sizes);
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const Kept all = kept(ctx);
    const at::Tensor& utility = all.tensors[0];
    const at::Tensor finite = zero_where_excluded(utility, utility);
    return {MarginalsVjp::apply(utility, gradients[0].neg().unsqueeze(-1).mul(finite),
                                all.structure, all.sizes),
            {},
            {}};
  }
};

/// cross_entropy(u, v) = A(v) - v . marginals(u); kl is that less the entropy of u. By u: the
/// covariance times -v, or u - v; by v, the difference of the means.
struct TwoLaws : Function<TwoLaws> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& utility,
                            const at::Tensor& other, bool divergence, const Structure& structure,
                            const Sizes& sizes) {
    keep(ctx, structure, {utility, other}, sizes);
    ctx->saved_data["divergence"] = divergence;
    return divergence ? raw::kl(structure, utility, other, sizes)
                      : raw::cross_entropy(structure, utility, other, sizes);
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const Kept all = kept(ctx);
    const at::Tensor &utility = all.tensors[0], &other = all.tensors[1];
    const at::Tensor incoming = gradients[0].unsqueeze(-1);
    const at::Tensor slope =
        ctx->saved_data["divergence"].toBool() ? utility.sub(other) : other.neg();
    const at::Tensor own = Marginals::apply(utility, all.structure, all.sizes);
    const at::Tensor others = Marginals::apply(other, all.structure, all.sizes);
    return {MarginalsVjp::apply(utility, incoming.mul(zero_where_excluded(utility, slope)),
                                all.structure, all.sizes),
            incoming.mul(others.sub(own)),
            {},
            {},
            {}};
  }
};

struct Relax : Function<Relax> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& utility,
                            const Structure& structure, const Relaxation& relaxation,
                            const Sizes& sizes) {
    at::Tensor soft = raw::relax(structure, utility, relaxation, sizes);
    keep(ctx, structure, {utility, soft}, sizes);
    keep(ctx, relaxation);
    return soft;
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const Kept all = kept(ctx);
    const Relaxation relaxation = kept_relaxation(ctx);
    variable_list out = once("relax", [&] {
      return variable_list{raw::relax_vjp(all.structure, all.tensors[0], all.tensors[1],
                                          gradients[0], relaxation, all.sizes)};
    });
    return {out[0], {}, {}, {}};
  }
};

inline void keep(AutogradContext* ctx, const Perturbation& law, variable_list tensors) {
  ctx->saved_data["perturbation"] = law.name;
  ctx->saved_data["parameters"] = law.parameters;
  ctx->save_for_backward(std::move(tensors));
}

inline Perturbation kept_perturbation(AutogradContext* ctx) {
  return {ctx->saved_data["perturbation"].toStringRef(),
          ctx->saved_data["parameters"].toDoubleVector()};
}

struct Perturb : Function<Perturb> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& theta, std::int64_t seed,
                            std::int64_t offset, const Perturbation& law) {
    at::Tensor value = raw::drawn("softtricks::perturb", theta, seed, offset, law);
    keep(ctx, law, {theta, value});
    return value;
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const Perturbation law = kept_perturbation(ctx);
    variable_list out = once("perturb", [&] {
      return variable_list{raw::perturb_vjp(saved[0], saved[1], gradients[0], law)};
    });
    return {out[0], {}, {}, {}};
  }
};

/// transform, log_prob and kl of a perturbation: functions of theta and a second tensor.
struct Pair : Function<Pair> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& theta, const at::Tensor& value,
                            const std::string& verb, const Perturbation& law) {
    ctx->saved_data["verb"] = verb;
    keep(ctx, law, {theta, value});
    return raw::pair(verb, theta, value, law);
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const std::string verb = ctx->saved_data["verb"].toStringRef();
    const Perturbation law = kept_perturbation(ctx);
    variable_list out = once(verb.c_str(), [&] {
      auto [theta, value] = raw::pair_vjp(verb, saved[0], saved[1], gradients[0], law);
      return variable_list{theta, value};
    });
    return {out[0], out[1], {}, {}};
  }
};

/// Sizes as the operators want them: int64, one number an instance.
inline std::optional<at::Tensor> instance_integers(const char* name, const at::Tensor& utility,
                                                   const std::optional<at::Tensor>& given) {
  if (!given || !given->defined()) return std::nullopt;
  TORCH_CHECK(at::isIntegralType(given->scalar_type(), /*includeBool=*/false), "softtricks: ", name,
              ": expected integers, not ", given->scalar_type());
  return given->to(at::kLong).expand(utility.sizes().slice(0, utility.dim() - 1));
}
inline Sizes instance_sizes(const at::Tensor& utility, const Sizes& sizes) {
  return {instance_integers("lengths", utility, sizes.lengths),
          instance_integers("counts", utility, sizes.counts)};
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
                         const Sizes& sizes = {}) {
  const at::NoGradGuard no_grad;
  return raw::argmax(structure, utility, detail::instance_sizes(utility, sizes));
}

/// log of the sum of exp(u . x) over the members: [...]. Differentiable twice.
inline at::Tensor log_partition(const Structure& structure, const at::Tensor& utility,
                                const Sizes& sizes = {}) {
  return detail::LogPartition::apply(utility, structure, detail::instance_sizes(utility, sizes));
}

/// The mean of x under the Gibbs law p(x) ~ exp(u . x): [..., size]. Differentiable once.
inline at::Tensor marginals(const Structure& structure, const at::Tensor& utility,
                            const Sizes& sizes = {}) {
  return detail::Marginals::apply(utility, structure, detail::instance_sizes(utility, sizes));
}

/// An exact draw of the Gibbs law, one an instance: [..., size]. No gradient. Instance i (row-major
/// over the leading dimensions) draws from stream offset + i of the seed, whatever the batch.
inline at::Tensor sample(const Structure& structure, const at::Tensor& utility, std::int64_t seed,
                         const Sizes& sizes = {}, std::int64_t offset = 0) {
  const at::NoGradGuard no_grad;
  return raw::sample(structure, utility, seed, offset, detail::instance_sizes(utility, sizes));
}

/// log p(x) of members x under the Gibbs law of u; u and x broadcast: [...]. Differentiable twice
/// in u; x is discrete and gets no gradient.
inline at::Tensor log_prob(const Structure& structure, const at::Tensor& utility,
                           const at::Tensor& x, const Sizes& sizes = {}) {
  const auto both = at::broadcast_tensors({utility, x.detach()});
  return detail::LogProb::apply(both[0], both[1], structure,
                                detail::instance_sizes(both[0], sizes));
}

/// Entropy of the Gibbs law in nats: [...]. Differentiable once.
inline at::Tensor entropy(const Structure& structure, const at::Tensor& utility,
                          const Sizes& sizes = {}) {
  return detail::Entropy::apply(utility, structure, detail::instance_sizes(utility, sizes));
}

/// -E[log p(x; other)], x drawn from the Gibbs law of u, in nats; u and other broadcast: [...].
/// Differentiable once in both.
inline at::Tensor cross_entropy(const Structure& structure, const at::Tensor& utility,
                                const at::Tensor& other, const Sizes& sizes = {}) {
  const auto both = at::broadcast_tensors({utility, other});
  return detail::TwoLaws::apply(both[0], both[1], false, structure,
                                detail::instance_sizes(both[0], sizes));
}

/// KL divergence of the Gibbs law of u from that of other, in nats; both broadcast: [...].
/// Differentiable once in both.
inline at::Tensor kl(const Structure& structure, const at::Tensor& utility, const at::Tensor& other,
                     const Sizes& sizes = {}) {
  const auto both = at::broadcast_tensors({utility, other});
  return detail::TwoLaws::apply(both[0], both[1], true, structure,
                                detail::instance_sizes(both[0], sizes));
}

/// The best `count` members, best first, and their u . x: [..., count, size] and [..., count];
/// rows of 0 and -infinity where there are fewer. No gradient.
inline raw::Members k_best(const Structure& structure, const at::Tensor& utility,
                           std::int64_t count, const Sizes& sizes = {}) {
  const at::NoGradGuard no_grad;
  return raw::k_best(structure, utility, count, detail::instance_sizes(utility, sizes));
}

/// The members whose mixture a sparse soft sample is, heaviest first, and their weights:
/// [..., count, size] and [..., count]; rows of 0 behind the last. No gradient.
inline raw::Members active_set(const Structure& structure, const at::Tensor& utility,
                               std::int64_t count, double temperature,
                               const std::string& regularizer = "squared_norm",
                               std::optional<double> utility_range = {}, const Sizes& sizes = {}) {
  const at::NoGradGuard no_grad;
  return raw::active_set(structure, utility, count,
                         Relaxation{temperature, regularizer, utility_range},
                         detail::instance_sizes(utility, sizes));
}

/// The soft sample, argmax over the convex hull of u . x - temperature * regularizer(x):
/// [..., size]. Differentiable once. `utility_range` r floors utilities / temperature at their
/// maximum minus r first, exactly; a floored utility hands its gradient to the largest one.
inline at::Tensor relax(const Structure& structure, const at::Tensor& utility, double temperature,
                        const std::string& regularizer = "gibbs_entropy",
                        std::optional<double> utility_range = {}, const Sizes& sizes = {}) {
  return detail::Relax::apply(utility, structure,
                              Relaxation{temperature, regularizer, utility_range},
                              detail::instance_sizes(utility, sizes));
}

/// Random utilities of the law with parameters theta, which they follow differentiably (once):
/// theta's shape [..., size]. Row i (row-major over the leading dimensions) draws from stream
/// offset + i of the seed.
inline at::Tensor perturb(const Perturbation& perturbation, const at::Tensor& theta,
                          std::int64_t seed, std::int64_t offset = 0) {
  return detail::Perturb::apply(theta, seed, offset, perturbation);
}

/// The part of a draw that theta does not enter, of theta's shape, type and device: what `perturb`
/// of the same seed and offset adds. Several calls of `transform` may share it. No gradient.
inline at::Tensor noise(const Perturbation& perturbation, const at::Tensor& theta,
                        std::int64_t seed, std::int64_t offset = 0) {
  const at::NoGradGuard no_grad;
  return raw::drawn("softtricks::noise", theta, seed, offset, perturbation);
}

/// Utilities from theta and noise; both broadcast. Differentiable once in both. `perturb` is
/// transform(perturbation, theta, noise(perturbation, theta, seed)), bit for bit.
inline at::Tensor transform(const Perturbation& perturbation, const at::Tensor& theta,
                            const at::Tensor& noise) {
  const auto both = at::broadcast_tensors({theta, noise});
  return detail::Pair::apply(both[0], both[1], "softtricks::transform", perturbation);
}

/// log density of each entry of `value` under the law with parameters theta; both broadcast.
/// Differentiable once in both.
inline at::Tensor perturbation_log_prob(const Perturbation& perturbation, const at::Tensor& theta,
                                        const at::Tensor& value) {
  const auto both = at::broadcast_tensors({theta, value});
  return detail::Pair::apply(both[0], both[1], "softtricks::perturbation_log_prob", perturbation);
}

/// KL divergence of the law with parameters theta from the one with theta0, entry by entry; both
/// broadcast. Differentiable once in both.
inline at::Tensor perturbation_kl(const Perturbation& perturbation, const at::Tensor& theta,
                                  const at::Tensor& theta0) {
  const auto both = at::broadcast_tensors({theta, theta0});
  return detail::Pair::apply(both[0], both[1], "softtricks::perturbation_kl", perturbation);
}

}  // namespace softtricks::torch
