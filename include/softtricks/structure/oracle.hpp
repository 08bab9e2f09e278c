#pragma once
#include <cstddef>

#include "softtricks/base/math.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// Any set of vectors for which the user has a solver.
///
/// Set       What `best` chooses from: vectors of `entries` numbers, 0/1 or others.
/// argmax    best(utility, x) fills in the member x of largest utility.x. It must not ignore
///           utilities of any sign, and is asked with those of soft samples, too. -inf excludes an
///           entry; with x[0] = NaN it says that no member is left.
/// project   From the argmax alone (SquaredNorm, solver/active_set.hpp), with its vjp.
/// Limits    C++ programs only: no name in the registry. All instances have full length.
///
/// The same holds for any type of the user's that has these four methods; they may then use the
/// team, lengths and scratch.
template <class Solver>
struct Oracle {
  int entries;
  Solver best;  // (Vector<const T> utility, Vector<T> x), both [entries]

  SOFTTRICKS_FN int size() const { return entries; }
  SOFTTRICKS_FN int longest() const { return entries; }
  template <class T>
  constexpr std::size_t scratch() const {
    return 0;
  }
  template <Plain T, class Team>
  SOFTTRICKS_FN void argmax(const Team&, Vector<const T> utility, T, Vector<T> x, Scratch) const {
    best(utility, x);
  }
};
template <class Solver>
Oracle(int, Solver) -> Oracle<Solver>;

}  // namespace softtricks
