#pragma once
#include "softtricks/base/math.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// f(x) = sum of x log x. The paper calls it categorical entropy.
struct ShannonEntropy {
  static constexpr const char* name = "shannon_entropy";
  static constexpr const char *method = "shannon_entropy", *vjp_method = "shannon_entropy_vjp";

  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto relax(const S& structure, const Team& team, Vector<const T> utility,
                                  T length, Vector<T> out, Scratch scratch)
      -> decltype(structure.shannon_entropy(team, utility, length, out, scratch)) {
    structure.shannon_entropy(team, utility, length, out, scratch);
  }
  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto relax_vjp(const S& structure, const Team& team, Vector<const T> utility,
                                      T length, Vector<const T> soft, Vector<const T> cotangent,
                                      Vector<T> out, Scratch scratch)
      -> decltype(structure.shannon_entropy_vjp(team, utility, length, soft, cotangent, out,
                                                scratch)) {
    structure.shannon_entropy_vjp(team, utility, length, soft, cotangent, out, scratch);
  }
  /// f(x).
  template <class T, class Team>
  SOFTTRICKS_FN static T at(const Team& team, Vector<const T> x) {
    return team.sum(0, x.size, T(0),
                    [&](int e) { return select(x[e] == T(0), T(0), x[e] * log(x[e])); });
  }
};

}  // namespace softtricks
