#pragma once
#include "softtricks/base/view.hpp"

namespace softtricks {

/// f(x) = sum of x log x + (1 - x) log(1 - x).
struct BinaryEntropy {
  static constexpr const char* name = "binary_entropy";
  static constexpr const char *method = "binary_entropy", *vjp_method = "binary_entropy_vjp";

  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto relax(const S& structure, const Team& team, Vector<const T> utility,
                                  T length, Vector<T> out, Scratch scratch)
      -> decltype(structure.binary_entropy(team, utility, length, out, scratch)) {
    structure.binary_entropy(team, utility, length, out, scratch);
  }
  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto relax_vjp(const S& structure, const Team& team, Vector<const T> utility,
                                      T length, Vector<const T> soft, Vector<const T> cotangent,
                                      Vector<T> out, Scratch scratch)
      -> decltype(structure.binary_entropy_vjp(team, utility, length, soft, cotangent, out,
                                               scratch)) {
    structure.binary_entropy_vjp(team, utility, length, soft, cotangent, out, scratch);
  }
};

}  // namespace softtricks
