#pragma once
#include "softtricks/base/math.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// Half way between the least and the largest cotangent of an entry that is there (utility above
/// -inf). Where members have a fixed size the Hessian of the log partition function is blind to a
/// constant; taking this one away leaves less to cancel.
/// The entries are entry(0), ..., entry(count - 1).
template <class T, class Entry>
SOFTTRICKS_FN T midrange(Vector<const T> utility, Vector<const T> cotangent, int count,
                         Entry entry) {
  T least(infinity<T>), most(-infinity<T>);
  for (int k = 0; k < count; ++k) {
    const int e = entry(k);
    const auto absent = utility[e] == T(-infinity<T>);
    least = min(least, select(absent, least, cotangent[e]));
    most = max(most, select(absent, most, cotangent[e]));
  }
  return select(least <= most, (least + most) * T(ScalarOf<T>(0.5)), T(0));
}
template <class T>
SOFTTRICKS_FN T midrange(Vector<const T> utility, Vector<const T> cotangent) {
  return midrange(utility, cotangent, utility.size, [](int e) { return e; });
}

}  // namespace softtricks
