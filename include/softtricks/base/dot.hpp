#pragma once
#include "softtricks/base/math.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// sum of utility[e] x[e]; an entry that is 0 counts for nothing even where the other is infinite.
template <class T, class Team>
SOFTTRICKS_FN T masked_dot(const Team& team, Vector<const T> utility, Vector<const T> x) {
  return team.sum(0, x.size, T(0),
                  [&](int e) { return select(x[e] == T(0), T(0), x[e] * utility[e]); });
}

/// sum of utility[e] (x[e] - y[e]); an entry in which they agree counts for nothing.
template <class T, class Team>
SOFTTRICKS_FN T masked_lead(const Team& team, Vector<const T> utility, Vector<const T> x,
                            Vector<const T> y) {
  return team.sum(0, x.size, T(0),
                  [&](int e) { return select(x[e] == y[e], T(0), (x[e] - y[e]) * utility[e]); });
}

}  // namespace softtricks
