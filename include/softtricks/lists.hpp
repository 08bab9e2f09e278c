#pragma once
/// The members of every family, each list written once. Front ends, tests and benchmarks loop over
/// these lists; adding a member is one word here.
#include "softtricks/estimator/relaxed.hpp"
#include "softtricks/estimator/score_function.hpp"
#include "softtricks/estimator/straight_through.hpp"
#include "softtricks/perturbation/exponential.hpp"
#include "softtricks/perturbation/gumbel.hpp"
#include "softtricks/perturbation/logistic.hpp"
#include "softtricks/perturbation/normal.hpp"
#include "softtricks/regularizer/binary_entropy.hpp"
#include "softtricks/regularizer/gibbs_entropy.hpp"
#include "softtricks/regularizer/shannon_entropy.hpp"
#include "softtricks/regularizer/squared_norm.hpp"
#include "softtricks/stochastic_softmax.hpp"
#include "softtricks/structure/arborescence.hpp"
#include "softtricks/structure/bit_vector.hpp"
#include "softtricks/structure/correlated_k_subset.hpp"
#include "softtricks/structure/grid_path.hpp"
#include "softtricks/structure/k_subset.hpp"
#include "softtricks/structure/linear_chain.hpp"
#include "softtricks/structure/matching.hpp"
#include "softtricks/structure/one_hot.hpp"
#include "softtricks/structure/oracle.hpp"
#include "softtricks/structure/projective_tree.hpp"
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

using Structures = List<OneHot, BitVector, KSubset, CorrelatedKSubset, SpanningTree, Arborescence,
                        LinearChain, ProjectiveTree, Matching, GridPath>;
// Oracle is a template over a user's solver.
using Perturbations = List<Gumbel, Logistic, Exponential, Normal>;
using Regularizers = List<GibbsEntropy, SquaredNorm, BinaryEntropy, ShannonEntropy>;
// The estimators, Relaxed, StraightThrough and ScoreFunction, are templates over a
// StochasticSoftmax of one member of each list.

}  // namespace softtricks
