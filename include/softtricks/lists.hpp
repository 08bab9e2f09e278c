#pragma once
/// The members of every family, each list written once. Front ends, tests and benchmarks loop over
/// these lists; adding a member is one word here.
#include "softtricks/estimator/exact_straight_through.hpp"
#include "softtricks/estimator/fenchel_young.hpp"
#include "softtricks/estimator/gumbel_rao.hpp"
#include "softtricks/estimator/implicit_mle.hpp"
#include "softtricks/estimator/perturbed_argmax.hpp"
#include "softtricks/estimator/perturbed_fenchel_young.hpp"
#include "softtricks/estimator/relaxed.hpp"
#include "softtricks/estimator/score_function.hpp"
#include "softtricks/estimator/straight_through.hpp"
#include "softtricks/perturbation/exponential.hpp"
#include "softtricks/perturbation/gumbel.hpp"
#include "softtricks/perturbation/logistic.hpp"
#include "softtricks/perturbation/negative_exponential.hpp"
#include "softtricks/perturbation/normal.hpp"
#include "softtricks/perturbation/sum_of_gamma.hpp"
#include "softtricks/regularizer/binary_entropy.hpp"
#include "softtricks/regularizer/gibbs_entropy.hpp"
#include "softtricks/regularizer/shannon_entropy.hpp"
#include "softtricks/regularizer/squared_norm.hpp"
#include "softtricks/stochastic_softmax.hpp"
#include "softtricks/structure/arborescence.hpp"
#include "softtricks/structure/bit_vector.hpp"
#include "softtricks/structure/correlated_k_subset.hpp"
#include "softtricks/structure/dag_path.hpp"
#include "softtricks/structure/grid_path.hpp"
#include "softtricks/structure/k_subset.hpp"
#include "softtricks/structure/linear_chain.hpp"
#include "softtricks/structure/matching.hpp"
#include "softtricks/structure/one_hot.hpp"
#include "softtricks/structure/oracle.hpp"
#include "softtricks/structure/projective_tree.hpp"
#include "softtricks/structure/range_subset.hpp"
#include "softtricks/structure/spanning_tree.hpp"

namespace softtricks {

template <class... Members>
struct List {
  /// Calls f.template operator()<Member>() for each.
  template <class F>
  static constexpr void for_each(F f) {
    (f.template operator()<Members>(), ...);
  }
};

using Structures = List<OneHot, BitVector, KSubset, RangeSubset, CorrelatedKSubset, SpanningTree,
                        Arborescence, LinearChain, ProjectiveTree, Matching, GridPath, DagPath>;
// Oracle is a template over a user's solver.
using Perturbations = List<Gumbel, Logistic, Exponential, Normal, NegativeExponential, SumOfGamma>;
using Regularizers = List<GibbsEntropy, SquaredNorm, BinaryEntropy, ShannonEntropy>;

/// What an estimator of the gradient of E[loss(X)] is. estimate(team, theta, seed, instance, loss,
/// gradient, scratch) makes one draw, a function of (seed, instance): it returns an estimate of the
/// loss and adds that of the gradient to `gradient`; theta and gradient are [size]. It calls
/// loss(x, slope), once or for each of its samples, which returns the loss at x and fills slope,
/// d loss / dx, both [size].
///
/// Relaxed, StraightThrough, GumbelRao, ScoreFunction, PerturbedArgmax and ImplicitMle are
/// templates over a StochasticSoftmax of one member of each list, or of a structure of the caller's
/// own; ExactStraightThrough is one over a structure. PerturbedFenchelYoung takes a target, a
/// member, in place of a loss; FenchelYoung is a loss without noise.
template <class E, class T, class Loss>
concept Estimator = requires(const E& e, const SerialTeam<>& team, Vector<const T> theta,
                             std::uint64_t seed, std::uint64_t instance, Loss& loss,
                             Vector<T> gradient, Scratch scratch) {
  T(e.estimate(team, theta, seed, instance, loss, gradient, scratch));
  std::size_t(e.template scratch<T>());
};

}  // namespace softtricks
