#pragma once
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
  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto relax_vjp(const S& structure, const Team& team, Vector<const T> utility,
                                      T length, Vector<const T> soft, Vector<const T> cotangent,
                                      Vector<T> out, Scratch scratch)
      -> decltype(structure.project_vjp(team, utility, length, soft, cotangent, out, scratch)) {
    structure.project_vjp(team, utility, length, soft, cotangent, out, scratch);
  }
};

}  // namespace softtricks
