#include "graph_layout/sampler.hpp"

#include <vector>

#include <softtricks/torch.hpp>
#include <torch/csrc/autograd/custom_function.h>

namespace graph_layout {
namespace {

namespace ops = softtricks::torch;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

ops::Structure structure_of(EdgeLaw law, std::int64_t nodes) {
  switch (law) {
    case EdgeLaw::independent_edges:
      return {"one_hot", {2}};
    case EdgeLaw::top_edges:
      return {"k_subset", {nodes * (nodes - 1) / 2, nodes - 1}};
    case EdgeLaw::spanning_tree:
      return {"spanning_tree", {nodes}};
  }
  throw std::logic_error("unknown law");
}

/// softtricks' kernels run on the CPU; a model on another device comes here and goes back.
template <class Function>
at::Tensor on_cpu(const at::Tensor& input, const Function& function) {
  return function(input.cpu()).to(input.device());
}

/// Marginals whose derivative along a cotangent g is [marginals(u + step g) - marginals(u - step
/// g)] / (2 step), in double: how the reference differentiates k-subset marginals.
struct DifferenceMarginals : torch::autograd::Function<DifferenceMarginals> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& utility, std::int64_t nodes,
                            double step) {
    ctx->save_for_backward({utility});
    ctx->saved_data["nodes"] = nodes;
    ctx->saved_data["step"] = step;
    return ops::marginals(structure_of(EdgeLaw::top_edges, nodes), utility.to(at::kDouble))
        .to(utility.scalar_type());
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const at::Tensor utility = ctx->get_saved_variables()[0];
    const double step = ctx->saved_data["step"].toDouble();
    const auto structure = structure_of(EdgeLaw::top_edges, ctx->saved_data["nodes"].toInt());
    const at::Tensor move = gradients[0] * step;
    const at::Tensor above = ops::marginals(structure, (utility + move).to(at::kDouble));
    const at::Tensor below = ops::marginals(structure, (utility - move).to(at::kDouble));
    return {((above - below) / (2 * step)).to(utility.scalar_type()), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

Sampler::Sampler(EdgeLaw law, std::int64_t nodes, at::Device device) : law_(law), nodes_(nodes) {
  const auto ordered = [&](std::int64_t i, std::int64_t j) {
    return i * (nodes - 1) + (j < i ? j : j - 1);
  };
  std::vector<std::int64_t> unordered(static_cast<std::size_t>(nodes * (nodes - 1))), forth, back;
  for (std::int64_t i = 0; i < nodes; ++i) {
    for (std::int64_t j = i + 1; j < nodes; ++j) {
      const auto pair = static_cast<std::int64_t>(forth.size());
      forth.push_back(ordered(i, j));
      back.push_back(ordered(j, i));
      unordered[static_cast<std::size_t>(forth.back())] = pair;
      unordered[static_cast<std::size_t>(back.back())] = pair;
    }
  }
  unordered_ = at::tensor(unordered).to(device);
  forth_ = at::tensor(forth).to(device);
  back_ = at::tensor(back).to(device);
}

at::Tensor Sampler::locations(const at::Tensor& scores) const {
  if (law_ == EdgeLaw::independent_edges) return scores;
  const at::Tensor flat = scores.squeeze(-1);
  return (flat.index_select(1, forth_) + flat.index_select(1, back_)) * 0.5;
}

at::Tensor Sampler::nearness(const at::Tensor& positions, double strength) const {
  const at::Tensor last = positions.select(2, positions.size(2) - 1);
  const at::Tensor distance =
      (last.unsqueeze(2) - last.unsqueeze(1)).square().sum(-1).sqrt().flatten(1);
  // Ordered pair number p of i and j stands at i nodes + j in the matrix.
  const at::Tensor place = at::arange(nodes_ * (nodes_ - 1), unordered_.options());
  const at::Tensor i = place.div(nodes_ - 1, "floor"), column = place.remainder(nodes_ - 1);
  const at::Tensor guess =
      distance.index_select(1, i * nodes_ + column + column.ge(i).to(at::kLong)) * -strength;
  if (law_ != EdgeLaw::independent_edges) return guess.index_select(1, forth_);
  const at::Tensor half = (guess - guess.mean(1, true)) / 2;
  return at::stack({-half, half}, -1);
}

at::Tensor Sampler::perturb(const at::Tensor& theta, std::int64_t seed) const {
  return on_cpu(theta, [&](const at::Tensor& x) { return ops::perturb("gumbel", x, seed); });
}

at::Tensor Sampler::hard(const at::Tensor& utility) const {
  return on_cpu(utility.detach(),
                [&](const at::Tensor& u) { return ops::argmax(structure_of(law_, nodes_), u); });
}

at::Tensor Sampler::soft(const at::Tensor& utility, double temperature,
                         std::optional<double> utility_range,
                         std::optional<double> difference) const {
  return on_cpu(utility, [&](const at::Tensor& u) {
    if (difference && law_ == EdgeLaw::top_edges) {
      return DifferenceMarginals::apply(u / temperature, nodes_, *difference);
    }
    return ops::relax(structure_of(law_, nodes_), u, temperature, "gibbs_entropy", utility_range);
  });
}

at::Tensor Sampler::edge_weights(const at::Tensor& sample) const {
  if (law_ == EdgeLaw::independent_edges) return sample;
  const at::Tensor both_ways = sample.index_select(1, unordered_);
  return at::stack({1 - both_ways, both_ways}, -1);
}

double Sampler::copies(bool directed) const {
  return directed && law_ != EdgeLaw::independent_edges ? 2 : 1;
}

at::Tensor Sampler::kl(const at::Tensor& theta, bool directed) const {
  return on_cpu(theta, [&](const at::Tensor& x) {
    return ops::perturbation_kl("gumbel", x, at::zeros_like(x)).flatten(1).sum(1) *
           copies(directed);
  });
}

at::Tensor Sampler::log_density(const at::Tensor& theta, const at::Tensor& utility,
                                bool directed) const {
  const at::Tensor place = utility.cpu();
  return on_cpu(theta, [&](const at::Tensor& x) {
    return ops::perturbation_log_prob("gumbel", x, place).flatten(1).sum(1) * copies(directed);
  });
}

at::Tensor Sampler::ordered(const at::Tensor& trees) const {
  const at::Tensor ends = trees.to(at::kLong);
  const at::Tensor i = ends.select(2, 0), j = ends.select(2, 1);  // i < j
  at::Tensor truth = at::zeros({trees.size(0), nodes_ * (nodes_ - 1)},
                               at::TensorOptions(trees.device()).dtype(at::kFloat));
  truth.scatter_(1, i * (nodes_ - 1) + j - 1, 1.0f);
  truth.scatter_(1, j * (nodes_ - 1) + i, 1.0f);
  return truth;
}

}  // namespace graph_layout
