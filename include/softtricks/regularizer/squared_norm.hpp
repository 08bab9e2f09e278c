#pragma once
#include "softtricks/base/math.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// f(x) = |x|^2 / 2. Soft samples are Euclidean projections (SparseMAP; sparsemax for OneHot).
struct SquaredNorm {
  static constexpr const char* name = "squared_norm";
  static constexpr const char *method = "project", *vjp_method = "project_vjp";

  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto relax(const S& structure, const Team& team, Vector<const T> utility,
                                  T length, Vector<T> out, Scratch scratch)
      -> decltype(structure.project(team, utility, length, out, scratch)) {
    structure.project(team, utility, length, out, scratch);
  }
  /// The Jacobian is a function of the soft sample alone.
  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto relax_vjp(const S& structure, const Team& team, Vector<const T>, T,
                                      Vector<const T> soft, Vector<const T> cotangent,
                                      Vector<T> out, Scratch)
      -> decltype(structure.project_vjp(team, soft, cotangent, out)) {
    structure.project_vjp(team, soft, cotangent, out);
  }
  /// f(x).
  template <class T, class Team>
  SOFTTRICKS_FN static T at(const Team& team, Vector<const T> x) {
    return team.sum(0, x.size, T(0), [&](int e) { return x[e] * x[e] * T(ScalarOf<T>(0.5)); });
  }
};

}  // namespace softtricks
