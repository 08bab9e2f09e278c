#pragma once
/// What a dynamic program is made of.
///
/// A structure names its nodes and, for each, the rules that make it from earlier nodes:
///
///   node_count()       how many; the last is the root, and a node comes after what makes it
///   most_rules()       the most rules that a node has
///   for_each_node<top_down>(f)   f(Node, rules) for every node, from the first or from the root;
///                      rules(visit) calls visit(Rule) for every way to make the node
///   entries_once       optional: every entry is used by just one rule or node, and every rule but
///                      the root's has one
///
/// Choosing one rule for the root, one for each node in it and so on makes a derivation; members of
/// the structure and derivations correspond one to one.
#include "softtricks/base/math.hpp"

namespace softtricks {

/// `left` and `right`: nodes, or none. `length`: the length of the instances that have this rule; 0
/// for all.
struct Rule {
  static constexpr int none = -1;
  int entry = none, left = none, right = none, length = 0;
};

/// `entry`: whose utility counts when the node is used, or none. `leaf`: it is there without a
/// rule.
struct Node {
  int index, entry = Rule::none;
  bool leaf = false;
};

/// f(0), ... f(count - 1), or the reverse.
template <bool reverse, class F>
SOFTTRICKS_FN void in_order(int count, F f) {
  for (int i = 0; i < count; ++i) f(reverse ? count - 1 - i : i);
}

/// A sum to twice T's digits, so that large terms that cancel don't decide.
template <class T>
struct LongSum {
  T high, low;

  SOFTTRICKS_FN LongSum operator+(const LongSum& o) const {
    T sum, error;
    exact_difference(high, -o.high, sum, error);
    error = error + (low + o.low);
    const T rounded = sum + error;
    const auto finite = is_finite(rounded);
    return {select(finite, rounded, sum), select(finite, error - (rounded - sum), T(0))};
  }
  SOFTTRICKS_FN auto below(const LongSum& o) const {
    return (o.high > high) | ((o.high == high) & (o.low > low));
  }
  template <class Mask>
  SOFTTRICKS_FN static LongSum either(Mask first, const LongSum& a, const LongSum& b) {
    return {select(first, a.high, b.high), select(first, a.low, b.low)};
  }
};

/// A sum of utilities for the argmax: how many are +inf (-inf: one of them is -inf, not allowed),
/// then the sum of the others.
template <class T>
struct Score {
  T infinite;
  LongSum<T> rest;

  SOFTTRICKS_FN static Score zero() { return {T(0), {T(0), T(0)}}; }
  SOFTTRICKS_FN static Score of(T utility) {
    const auto boundless = abs(utility) == T(infinity<T>);
    const T count = select(utility < T(0), utility, T(1));
    return {select(boundless, count, T(0)), {select(boundless, T(0), utility), T(0)}};
  }
  SOFTTRICKS_FN static Score worst() { return {T(-infinity<T>), {T(0), T(0)}}; }

  SOFTTRICKS_FN Score operator+(const Score& o) const {
    return {infinite + o.infinite, rest + o.rest};
  }
  SOFTTRICKS_FN auto below(const Score& o) const {
    return (o.infinite > infinite) | ((o.infinite == infinite) & rest.below(o.rest));
  }
  template <class Mask>
  SOFTTRICKS_FN static Score either(Mask first, const Score& a, const Score& b) {
    return {select(first, a.infinite, b.infinite), LongSum<T>::either(first, a.rest, b.rest)};
  }
};

}  // namespace softtricks
