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

/// Where a search ended, and where the root is expected from there: the proposal, if it was any
/// use.
template <class T>
struct RootEnd {
  T at;
  T expected;
};

/// The root of a monotone function in [low, high] by its own proposals, safeguarded by bisection;
/// a start outside counts for nothing.
///
/// Stops in each lane when |excess| <= tolerance, when a proposal is at most `settled` away, or
/// when no number is left between the ends; there is no fixed number of rounds. A lane's result
/// does not depend on the other lanes.
template <class T, class F>
SOFTTRICKS_FN RootEnd<T> monotone_root(T low, T high, T start, T tolerance, T settled, F f) {
  const auto middle = [&] { return low + (high - low) * T(ScalarOf<T>(0.5)); };
  T c = select((start > low) & (start < high), start, middle());
  T expected = c;
  auto done = !(low < high);
  while (any(!done)) {
    const RootStep<T> step = f(c);
    low = select(step.excess > T(0), c, low);
    high = select(step.excess < T(0), c, high);
    const auto useful = (step.proposal > low) & (step.proposal < high);
    const T next = select(useful, step.proposal, middle());
    expected = select(done, expected, select(useful, next, c));
    // Written so that NaN ends the search.
    done = done | !(abs(step.excess) > tolerance) | (useful & (abs(next - c) <= settled)) |
           (next == c) | !((next > low) & (next < high));
    c = select(done, c, next);
  }
  return {c, expected};
}

}  // namespace softtricks
