#pragma once
#include "softtricks/base/math.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// Half way between the least and the largest cotangent of an entry that is there (utility above
/// -inf). Where members have a fixed size the Hessian of the log partition function is blind to a
/// constant; taking this one away leaves less to cancel.
template <class T>
SOFTTRICKS_FN T midrange(Vector<const T> utility, Vector<const T> cotangent) {
  T least(infinity<T>), most(-infinity<T>);
  for (int e = 0; e < utility.size; ++e) {
    const auto absent = utility[e] == T(-infinity<T>);
    least = min(least, select(absent, least, cotangent[e]));
    most = max(most, select(absent, most, cotangent[e]));
  }
  return select(least <= most, (least + most) * T(ScalarOf<T>(0.5)), T(0));
}

}  // namespace softtricks
