#pragma once
/// The latent graph of a layout: the only file that calls softtricks.
///
/// A row of the poster's table is a structure over edges, each under Gumbel perturbations:
///   independent_edges   a choice of two for every ordered pair        theta, U: [batch, pairs, 2]
///   top_edges           the nodes - 1 heaviest of all unordered pairs theta, U: [batch, pairs / 2]
///   spanning_tree       the heaviest spanning tree                    theta, U: [batch, pairs / 2]
/// The score-function rows draw spanning trees too.
#include <cstdint>
#include <optional>
#include <string>

#include <ATen/ATen.h>

namespace graph_layout {

enum class EdgeLaw { independent_edges, top_edges, spanning_tree };

class Sampler {
 public:
  Sampler(EdgeLaw law, std::int64_t nodes, at::Device device);

  /// theta of the law from the encoder's scores [batch, pairs, 1 or 2]: as they are for independent
  /// edges, else the mean of the two directions.
  at::Tensor locations(const at::Tensor& scores) const;

  /// theta of a guess without a model: minus `strength` times the distance of two vertices, in the
  /// last frame of positions [batch, nodes, frames, 2]. For independent edges, centred, and of
  /// opposite sign for the two types.
  at::Tensor nearness(const at::Tensor& positions, double strength) const;

  /// U = theta + Gumbel noise, a function of theta and `seed`.
  at::Tensor perturb(const at::Tensor& theta, std::int64_t seed) const;

  /// The structure of largest utility.
  at::Tensor hard(const at::Tensor& utility) const;

  /// Its relaxation at a temperature, from the same utilities. `utility_range`: see softtricks.
  /// `difference`: in place of top_edges' exact derivative, the reference's central difference
  /// with this step.
  at::Tensor soft(const at::Tensor& utility, double temperature,
                  std::optional<double> utility_range, std::optional<double> difference) const;

  /// The weights of the decoder's two message types on ordered pairs: [batch, pairs, 2], from a
  /// hard or soft sample. For top_edges and spanning_tree (1 - x, x), the same both ways.
  at::Tensor edge_weights(const at::Tensor& sample) const;

  /// Divergence of the law of U from the prior, Gumbel with location 0: [batch]. `directed` counts
  /// the utility of an unordered pair once for each direction, as the reference does.
  at::Tensor kl(const at::Tensor& theta, bool directed) const;

  /// Log density of the law of U at U: [batch].
  at::Tensor log_density(const at::Tensor& theta, const at::Tensor& utility, bool directed) const;

  /// The true edges on ordered pairs, [batch, pairs], from trees [batch, nodes - 1, 2].
  at::Tensor ordered(const at::Tensor& trees) const;

  EdgeLaw law() const { return law_; }
  std::int64_t nodes() const { return nodes_; }

 private:
  double copies(bool directed) const;

  EdgeLaw law_;
  std::int64_t nodes_;
  at::Tensor unordered_;     // [pairs]: the unordered pair of each ordered one
  at::Tensor forth_, back_;  // [pairs / 2]: the two ordered pairs of each unordered one
};

}  // namespace graph_layout
