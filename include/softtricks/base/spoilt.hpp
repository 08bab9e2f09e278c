#pragma once
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// Is some number NaN or above `most`? Structures are not asked about such utilities.
template <Plain T, class Team>
SOFTTRICKS_FN bool spoilt(const Team& team, Vector<const T> x,
                          T most = std::numeric_limits<T>::max()) {
  const auto bad = [=]<class V>(const V& v) { return select(v <= V(most), V(0), V(1)); };
  return team.template map_sum<T>(x.size, bad, x.data) > T(0);
}
/// What is due then.
template <Plain T, class Team>
SOFTTRICKS_FN void spoil(const Team& team, Vector<T> x) {
  team.each(x.size, [&](int e) { x[e] = not_a_number<T>; });
}

}  // namespace softtricks
