#pragma once
#include "softtricks/base/view.hpp"

namespace softtricks {

/// f(x) = the negative entropy of the Gibbs law with mean x; the conjugate of the log partition
/// function. The paper calls it exponential family entropy. Soft samples are the marginals.
struct GibbsEntropy {
  static constexpr const char* name = "gibbs_entropy";
  static constexpr const char *method = "marginals", *vjp_method = "marginals_vjp";

  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto relax(const S& structure, const Team& team, Vector<const T> utility,
                                  T length, Vector<T> out, Scratch scratch)
      -> decltype(structure.marginals(team, utility, length, out, scratch)) {
    structure.marginals(team, utility, length, out, scratch);
  }
  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto relax_vjp(const S& structure, const Team& team, Vector<const T> utility,
                                      T length, Vector<const T>, Vector<const T> cotangent,
                                      Vector<T> out, Scratch scratch)
      -> decltype(structure.marginals_vjp(team, utility, length, cotangent, out, scratch)) {
    structure.marginals_vjp(team, utility, length, cotangent, out, scratch);
  }
  /// f*(utility), the largest u.x - f(x). At members f is 0; elsewhere it has no simple form.
  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto conjugate(const S& structure, const Team& team, Vector<const T> utility,
                                      T length, Scratch scratch)
      -> decltype(structure.log_partition(team, utility, length, scratch)) {
    return structure.log_partition(team, utility, length, scratch);
  }
};

}  // namespace softtricks
