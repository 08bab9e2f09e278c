#include "learning_to_explain/selector.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include <softtricks/torch.hpp>

#include "learning_to_explain/estimators.hpp"

namespace learning_to_explain {
namespace {

namespace ops = softtricks::torch;

/// The structure over the words of a batch.
struct Words {
  ops::Structure structure;
  ops::Sizes sizes;
  std::int64_t longest;

  Words(bool correlated, const at::Tensor& theta, const at::Tensor& lengths, std::int64_t k)
      : longest(correlated ? (theta.size(-1) + 1) / 2 : theta.size(-1)) {
    structure = {correlated ? "correlated_k_subset" : "k_subset", {longest, std::min(k, longest)}};
    sizes = {lengths, lengths.clamp_max(k)};
  }
  /// The words of a member, without its pairs.
  at::Tensor selection(const at::Tensor& member) const { return member.narrow(-1, 0, longest); }
};

const std::map<std::string, std::string>& regularizers() {
  static const std::map<std::string, std::string> all{
      {"euclidean", "squared_norm"},   {"categorical", "shannon_entropy"},
      {"binary", "binary_entropy"},    {"gibbs", "gibbs_entropy"},
      {"correlated", "gibbs_entropy"}, {"straight_through", "gibbs_entropy"}};
  return all;
}

/// theta without the padding: -inf there.
at::Tensor masked(const at::Tensor& theta, const at::Tensor& lengths) {
  const at::Tensor outside =
      at::arange(theta.size(-1), lengths.options()).ge(lengths.unsqueeze(-1));
  return theta.masked_fill(outside, -std::numeric_limits<float>::infinity());
}

}  // namespace

Selector::Selector(const Task& task, bool perturb_pairs)
    : task_(task),
      correlated_(task.row == "correlated" || task.row == "simple_correlated"),
      perturb_pairs_(perturb_pairs) {}

bool Selector::draws_from_gibbs() const {
  return task_.row == "simple" || task_.row == "simple_correlated" || task_.row == "score_function";
}

at::Tensor Selector::locations(const at::Tensor& scores) const {
  const at::Tensor words = scores.select(-1, 0);
  if (!correlated_) return words;
  return at::cat({words, scores.select(-1, 1).narrow(-1, 0, words.size(-1) - 1)}, -1);
}

at::Tensor Selector::perturbed(const at::Tensor& theta, std::int64_t seed) const {
  if (!correlated_ || perturb_pairs_) return ops::perturb("gumbel", theta, seed);
  const std::int64_t words = (theta.size(-1) + 1) / 2;
  return at::cat({ops::perturb("gumbel", theta.narrow(-1, 0, words), seed),
                  theta.narrow(-1, words, words - 1)},
                 -1);
}

at::Tensor Selector::train(const at::Tensor& theta, const at::Tensor& lengths, std::int64_t seed,
                           AdaptiveStep& step) const {
  const Words words(correlated_, theta, lengths, task_.k);
  const std::string& row = task_.row;
  if (row == "l2x") return l2x(masked(theta, lengths), task_.k, task_.temperature, seed);
  if (draws_from_gibbs()) {
    const at::Tensor mean = ops::marginals(words.structure, theta, words.sizes);
    const at::Tensor hard = ops::sample(words.structure, theta.detach(), seed, words.sizes);
    return words.selection(straight_through(hard, mean));
  }
  const at::Tensor utility = perturbed(theta, seed);
  if (row == "softsub") return softsub(masked(utility, lengths), task_.k, task_.temperature);
  if (row == "implicit_mle" || row == "adaptive_implicit_mle") {
    return implicit_mle(words.structure, theta, utility, words.sizes,
                        row == "implicit_mle" ? task_.step : 0, step);
  }
  const at::Tensor soft = ops::relax(words.structure, utility, task_.temperature,
                                     regularizers().at(row), {}, words.sizes);
  if (row != "straight_through") return words.selection(soft);
  return straight_through(ops::argmax(words.structure, utility, words.sizes), soft);
}

at::Tensor Selector::map(const at::Tensor& theta, const at::Tensor& lengths) const {
  const Words words(correlated_, theta, lengths, task_.k);
  return words.selection(ops::argmax(words.structure, theta, words.sizes));
}

at::Tensor Selector::sample(const at::Tensor& theta, const at::Tensor& lengths,
                            std::int64_t seed) const {
  const Words words(correlated_, theta, lengths, task_.k);
  if (draws_from_gibbs()) {
    return words.selection(ops::sample(words.structure, theta, seed, words.sizes));
  }
  return map(perturbed(theta.detach(), seed), lengths);
}

at::Tensor Selector::log_prob(const at::Tensor& theta, const at::Tensor& lengths,
                              const at::Tensor& selections) const {
  const Words words(correlated_, theta, lengths, task_.k);
  return ops::log_prob(words.structure, theta, selections, words.sizes);
}

}  // namespace learning_to_explain
