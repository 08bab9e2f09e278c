#pragma once
/// Items in a row, `k` of them in, weighed by who is in and which neighbours both are: sums over
/// all such choices. The dynamic program is known beforehand here: two to three times as fast as
/// the text for any program (inside_outside.hpp).
///
/// inside    The weight of all beginnings of a choice, by how many items are in and whether the
///           last is; mantissa and exponent apart. States (j, out) and (j + 1, in) both come from
///           (j, out) or (j, in) of the item before: the chances of these two are kept.
/// outside   By them, from the last item on, the chance of each state: the marginals.
/// vjp       The same on duals. Chances p and q = 1 - p change by p q times the difference of what
///           the cotangent says of the two beginnings, expected: nothing cancels.
///
/// Cost      O(items k) time and scratch. Chances have full relative accuracy at any spread.
#include "softtricks/base/dual.hpp"
#include "softtricks/base/view.hpp"
#include "softtricks/base/wide.hpp"

namespace softtricks {

/// N: T for the marginals, Dual<T> for their derivative along the cotangent.
template <class N, class T, class Team>
class CountedChain {
 public:
  /// `utility` and `cotangent`: of all items, then of the pairs (i, i + 1).
  SOFTTRICKS_FN CountedChain(int k, Vector<const T> utility, Vector<const T> cotangent)
      : k_(k), items_((utility.size + 1) / 2), utility_(utility), cotangent_(cotangent) {}

  SOFTTRICKS_SOLVER T log_partition(Scratch scratch) const {
    const Matrix<Origin> one_row{scratch.take<Origin>(2 * (k_ + 1)), 0};  // kept of the last item
    const Wide<T> total = inside(one_row, scratch);
    return select(total.mantissa > T(0), log(total), T(-infinity<T>));
  }

  SOFTTRICKS_SOLVER void marginals(Vector<T> result, Scratch scratch) const {
    const Matrix<Origin> origins = scratch.matrix<Origin>(items_ + 1, 2 * (k_ + 1));
    const Wide<T> total = inside(origins, scratch);
    const States<N> reach(k_, N(T(0)), scratch);
    reach.out[k_] = N(select(total.mantissa > T(0), T(1), T(not_a_number<T>)));
    for (int i = items_; i > 0; --i) {
      N item(T(0)), pair(T(0));  // is i - 1 in, are both
      for (int j = least(i); j <= most(i); ++j) {
        const Origin &of_out = origins(i, 2 * j), &of_in = origins(i, 2 * j + 1);
        const N out = reach.out[j], in = reach.in[j + 1], both = in * of_in.chance(true);
        reach.out[j] = mul_add(out, of_out.chance(false), in * of_in.chance(false));
        reach.in[j] = mul_add(out, of_out.chance(true), both);
        item = item + reach.in[j];
        pair = pair + both;
      }
      result[i - 1] = result_of(item);
      if (i < items_) result[items_ + i - 1] = result_of(pair);
    }
  }

 private:
  static constexpr bool derived = !std::is_same_v<N, T>;

  /// A number for each state, and for counts of k + 1, which nothing comes from.
  template <class X>
  struct States {
    X *out, *in;
    SOFTTRICKS_FN States(int k, const X& none, Scratch& scratch)
        : out(scratch.take<X>(k + 2)), in(scratch.take<X>(k + 2)) {
      for (int j = 0; j < k + 2; ++j) out[j] = in[j] = none;
    }
  };

  /// Beginnings: their weight, and the derivative of its logarithm.
  struct Ways {
    Wide<T> weight;
    T slope;
    SOFTTRICKS_FN Ways operator*(const Ways& o) const {  // not normalized
      return {{weight.mantissa * o.weight.mantissa, weight.exponent + o.weight.exponent},
              slope + o.slope};
    }
    SOFTTRICKS_FN Ways normalized() const {
      return {Wide<T>::normalized(weight.mantissa, weight.exponent), slope};
    }
  };

  /// Given a state, the chances that the item before is out and in, and how the latter changes.
  struct Origin {
    T number[derived ? 3 : 2];
    SOFTTRICKS_FN N chance(bool in) const {
      if constexpr (derived) {
        return {number[in], in ? number[2] : -number[2]};
      } else {
        return number[in];
      }
    }
  };

  /// How many of the first i items may be in.
  SOFTTRICKS_FN int least(int i) const { return k_ - (items_ - i) > 0 ? k_ - (items_ - i) : 0; }
  SOFTTRICKS_FN int most(int i) const { return i < k_ ? i : k_; }

  SOFTTRICKS_FN static Ways none() { return {{T(0), T(Wide<T>::zero_exponent)}, T(0)}; }
  SOFTTRICKS_FN Ways ways_of(int entry) const {
    return {exp_apart(utility_[entry]), derived ? cotangent_[entry] : T(0)};
  }

  /// The weight of all choices. A row of `origins`: of an item's (0, out), (1, in), (1, out) ...
  SOFTTRICKS_SOLVER Wide<T> inside(const Matrix<Origin>& origins, Scratch scratch) const {
    const States<Ways> ways(k_, none(), scratch);
    ways.out[0].weight = Wide<T>(T(1), T(0));
    for (int i = 0; i <= items_; ++i) {  // behind the last, one that is out
      const Ways item = i < items_ ? ways_of(i) : none();
      const Ways pair = 0 < i && i < items_ ? ways_of(items_ + i - 1) : none();
      for (int j = most(i); j >= least(i); --j) {
        const Ways out = ways.out[j], in = ways.in[j];
        ways.out[j] = sum(out, in, origins(i, 2 * j)).normalized();
        ways.in[j + 1] = (sum(out, in * pair, origins(i, 2 * j + 1)) * item).normalized();
      }
    }
    return ways.out[k_].weight;
  }

  SOFTTRICKS_FN static Ways sum(const Ways& out, const Ways& in, Origin& origin) {
    const T top = max(out.weight.exponent, in.weight.exponent);
    const T a = scale2(out.weight.mantissa, out.weight.exponent - top);
    const T b = scale2(in.weight.mantissa, in.weight.exponent - top);
    Ways all{{a + b, top}, T(0)};
    // Where there is no way at all, chances are 0.
    const T inverse = select(a + b > T(0), T(1) / (a + b), T(0));
    const T p = a * inverse, q = b * inverse;
    origin.number[0] = p;
    origin.number[1] = q;
    if constexpr (derived) {
      const T apart = select((p == T(0)) | (q == T(0)), T(0), in.slope - out.slope);
      origin.number[2] = p * q * apart;
      all.slope = select(p > q, mul_add(q, apart, out.slope), mul_add(-p, apart, in.slope));
    }
    return all;
  }

  /// Rounding must not make an entry more than certain.
  SOFTTRICKS_FN static T result_of(const T& x) { return select(x > T(1), T(1), x); }
  SOFTTRICKS_FN static T result_of(const Dual<T>& x) { return x.tangent; }

  int k_, items_;
  Vector<const T> utility_, cotangent_;
};

}  // namespace softtricks
