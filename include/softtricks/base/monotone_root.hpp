#pragma once
#include "softtricks/base/math.hpp"

namespace softtricks {

/// What a monotone function says at c: `excess` > 0 where the root lies above c, < 0 where it lies
/// below; `proposal` is where it expects the root (Newton's step or better).
template <class T>
struct RootStep {
  T excess;
  T proposal;
};

/// The root of a monotone function in [low, high] by its own proposals, safeguarded by bisection.
///
/// Stops in each lane when |excess| <= tolerance, when the proposal no longer moves, or when no
/// number is left between the ends; there is no fixed number of rounds. A lane's result does not
/// depend on the other lanes.
template <class T, class F>
SOFTTRICKS_FN T monotone_root(T low, T high, T start, T tolerance, F f) {
  T c = start;
  auto done = !(low < high);
  while (any(!done)) {
    const RootStep<T> step = f(c);
    low = select(step.excess > T(0), c, low);
    high = select(step.excess < T(0), c, high);
    const auto inside = (step.proposal > low) & (step.proposal < high);
    const T middle = low + (high - low) * T(ScalarOf<T>(0.5));
    const T next = select(inside, step.proposal, middle);
    // Written so that NaN ends the search.
    done = done | !(abs(step.excess) > tolerance) | (next == c) | !((next > low) & (next < high));
    c = select(done, c, next);
  }
  return c;
}

}  // namespace softtricks
