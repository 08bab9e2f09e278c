#pragma once
#include "softtricks/base/math.hpp"
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
  /// f(x).
  template <class T, class Team>
  SOFTTRICKS_FN static T at(const Team& team, Vector<const T> x) {
    return team.sum(0, x.size, T(0), [&](int e) {
      const T in = x[e], out = T(1) - x[e];
      return select(in == T(0), T(0), in * log_from_both(in, out)) +
             select(out == T(0), T(0), out * log_from_both(out, in));
    });
  }
};

}  // namespace softtricks
