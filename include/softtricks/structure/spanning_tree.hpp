#pragma once
#include "softtricks/base/center.hpp"
#include "softtricks/base/dual.hpp"
#include "softtricks/base/random.hpp"
#include "softtricks/base/status.hpp"
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"
#include "softtricks/base/wide.hpp"
#include "softtricks/solver/star_mesh.hpp"

namespace softtricks {

/// Spanning trees of the complete graph on `nodes` vertices.
///
/// Set       0/1 vectors over edges (i, j), i < j, row-major: size nodes (nodes-1) / 2;
///           nodes^(nodes-2) members [Cayley 1889]. Utility -inf removes an edge. An instance of
///           length m uses vertices 0 .. m-1.
/// argmax    Prim on the dense graph, O(nodes^2) time and scratch. [Prim 1957]
/// log_partition  Star-mesh elimination, O(nodes^3) time, O(nodes^2) scratch. [Kirchhoff 1847]
/// marginals Each edge against the conductance c of all other paths: w / (w + c), from recursive
///           elimination, O(nodes^3). No subtraction anywhere, so 1 - marginal is exact as well.
/// marginals_vjp  The same on duals: marginal (1 - marginal) (g - d log c).
/// sample    The same, edge by edge: a chosen edge is contracted, another deleted.
/// Limits    Utilities spread over more than plain_spread nats take wide arithmetic (exponents kept
///           apart), several times slower; see docs/numerics.md.
struct SpanningTree {
  int nodes;

  static constexpr const char* name = "spanning_tree";
  static constexpr const char* field_names[] = {"nodes"};
  static constexpr int fields = 1;

  SOFTTRICKS_FN int size() const { return nodes * (nodes - 1) / 2; }
  SOFTTRICKS_FN int longest() const { return nodes; }
  Status check() const {
    if (nodes >= 2 && nodes <= 4096) return {};
    return Status::error("spanning_tree: nodes must be in [2, 4096], got " + std::to_string(nodes));
  }
  /// Calls f(index, length from which the entry is part of an instance) for every entry.
  template <class F>
  SOFTTRICKS_FN void for_each_entry(F f) const {
    for (int i = 0, e = 0; i < nodes; ++i) {
      for (int j = i + 1; j < nodes; ++j, ++e) f(e, j + 1);
    }
  }
  /// How many numbers the solvers keep touching: what a cache should hold.
  SOFTTRICKS_FN std::int64_t working_numbers() const { return std::int64_t{1} * 4 * nodes * nodes; }
  /// Bytes of scratch that suffice for every method.
  template <class T>
  constexpr std::size_t scratch() const {
    return pair_scratch<Dual<Wide<T>>>(nodes) + 6 * sizeof(T) * (size() + 2 * Scratch::alignment) +
           sizeof(T) * (nodes + 16) * (nodes + 16);
  }

  /// Is x the indicator of a spanning tree?
  template <class T, class Team>
  SOFTTRICKS_SOLVER MaskOf<T> contains(const Team& team, Vector<const T> x, T length,
                                   Scratch scratch) const {
    // 0/1 with length - 1 ones is a tree if and only if it is connected; elimination with x as
    // weights then meets no vertex of degree 0.
    MaskOf<T> binary = length == length;
    T ones(0);
    const PairWeights<T> own{scratch.take<T>(size()), nodes};
    for (int e = 0; e < size(); ++e) {
      binary = binary & ((x[e] == T(0)) | (x[e] == T(1)));
      ones = ones + x[e];
      own.data[e] = x[e];
    }
    const T trees = log_tree_sum(team, own, length, scratch);
    return binary & (ones == length - T(1)) & (trees > T(-infinity<T>));
  }

  template <Plain T, class Team>
  SOFTTRICKS_SOLVER void argmax(const Team& team, Vector<const T> utility, T length, Vector<T> x,
                            Scratch scratch) const {
    const int n = static_cast<int>(length), stride = (n + 15) / 16 * 16;
    const Matrix<T> full{scratch.take<T>(stride * n), stride};
    T* const key = scratch.take<T>(stride);
    int* const parent = scratch.take<int>(stride);
    int* const closed = scratch.take<int>(stride);
    team.each(n, [&](int i) {
      for (int j = 0; j < stride; ++j) full(i, j) = -infinity<T>;
    });
    team.each(n, [&](int i) {
      const T* const row = utility.data + PairWeights<T>::index(nodes, i, i + 1);
      for (int j = i + 1; j < n; ++j) full(i, j) = full(j, i) = row[j - i - 1];
    });
    team.each(stride, [&](int j) {
      key[j] = full(0, j);
      parent[j] = 0;
      closed[j] = j == 0 || j >= n;
    });
    team.each(size(), [&](int e) { x[e] = T(0); });
    bool connected = true;
    for (int step = 1; step < n; ++step) {
      const int v = team.template argmax<T>(
          0, stride, [&](int j) { return closed[j] ? -infinity<T> : key[j]; });
      if (closed[v] || key[v] == -infinity<T>) {
        connected = false;
        break;
      }
      const int p = parent[v];
      team.once([&] {
        x[PairWeights<T>::index(nodes, p < v ? p : v, p < v ? v : p)] = T(1);
        closed[v] = 1;
      });
      const T* const row = full.row(v);
      team.each(stride, [&](int j) {
        const bool better = row[j] > key[j];
        key[j] = better ? row[j] : key[j];
        parent[j] = better ? v : parent[j];
      });
    }
    if (!connected) team.each(size(), [&](int e) { x[e] = not_a_number<T>; });
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER T log_partition(const Team& team, Vector<const T> utility, T length,
                                Scratch scratch) const {
    const Range<T> range = range_of(utility);
    T result(0);
    in_fitting_arithmetic(range, [&](auto number, MaskOf<T> lanes) {
      Scratch frame = scratch;
      const auto own = weights<decltype(number)>(team, utility, range, frame);
      result = select(lanes, log_tree_sum(team, own, length, frame), result);
    });
    return mul_add(length - T(1), range.top, result);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void marginals(const Team& team, Vector<const T> utility, T length, Vector<T> out,
                               Scratch scratch) const {
    const Range<T> range = range_of(utility);
    in_fitting_arithmetic(range, [&](auto number, MaskOf<T> lanes) {
      using N = decltype(number);
      Scratch frame = scratch;
      const PairWeights<N> own = weights<N>(team, utility, range, frame);
      for_each_pair(team, own, frame, [&](int i, int j, const N& rest) {
        const T share = fraction(own(i, j), rest);
        put(out, i, j, lanes, share);
      });
    });
    spoil_unless_tree(team, out, length, out);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void marginals_vjp(const Team& team, Vector<const T> utility, T length,
                                   Vector<const T> cotangent, Vector<T> out,
                                   Scratch scratch) const {
    const Range<T> range = range_of(utility);
    const T middle = midrange(utility, cotangent);
    const Vector<T> marginal{scratch.take<T>(size()), size()};
    in_fitting_arithmetic(range, [&](auto number, MaskOf<T> lanes) {
      using N = decltype(number);
      Scratch frame = scratch;
      const PairWeights<N> plain = weights<N>(team, utility, range, frame);
      const PairWeights<Dual<N>> own{frame.take<Dual<N>>(size()), nodes};
      team.each(size(), [&](int e) {
        const T rate = select(is_zero(plain.data[e]), T(0), cotangent[e] - middle);
        own.data[e] = {plain.data[e], plain.data[e] * widen<N>(rate)};
      });
      for_each_pair(team, own, frame, [&](int i, int j, const Dual<N>& rest) {
        const N weight = own(i, j).value;
        const T share = fraction(weight, rest.value);
        const T other = fraction(rest.value, weight);
        const T drift = narrow(rest.tangent * safe_reciprocal(rest.value));
        const T rate = get(cotangent, i, j) - middle - drift;
        put(marginal, i, j, lanes, share);
        put(out, i, j, lanes, select(share * other > T(0), share * other * rate, T(0)));
      });
    });
    spoil_unless_tree(team, marginal, length, out);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void sample(const Team& team, Vector<const T> utility, T length,
                            const Stream<T>& stream, Vector<T> x, Scratch scratch) const {
    const Range<T> range = range_of(utility);
    in_fitting_arithmetic(range, [&](auto number, MaskOf<T> lanes) {
      using N = decltype(number);
      Scratch frame = scratch;
      Stream<T> random = stream;  // both arithmetics see the same numbers
      const PairWeights<N> own = weights<N>(team, utility, range, frame);
      const N contracted = dominant<T>(N());
      for_each_pair(team, own, frame, [&](int i, int j, const N& rest) {
        const Uniform<T> u = random.next();
        const T share = fraction(own(i, j), rest), other = fraction(rest, own(i, j));
        const auto chosen = bernoulli(u, share, other);
        own(i, j) = select(chosen, contracted, N(0));
        put(x, i, j, lanes, select(chosen, T(1), T(0)));
      });
    });
    spoil_unless_tree(team, x, length, x);
  }

 private:
  template <class T>
  struct Range {
    T top;           // the largest utility, 0 if there is none
    MaskOf<T> wide;  // do weights exp(u - top) need exponents kept apart?
  };

  /// Beyond this spread (nats), products of weights may leave the range of a plain number.
  template <class T>
  static constexpr ScalarOf<T> plain_spread = sizeof(ScalarOf<T>) == 4 ? 40 : 300;

  template <class T>
  SOFTTRICKS_FN Range<T> range_of(Vector<const T> utility) const {
    T top(-infinity<T>), bottom(infinity<T>);
    for (int e = 0; e < size(); ++e) {
      top = max(top, utility[e]);
      bottom = min(bottom, select(utility[e] == T(-infinity<T>), bottom, utility[e]));
    }
    top = select(top == T(-infinity<T>), T(0), top);
    return {top, top - bottom > T(plain_spread<T>)};
  }

  /// Calls solve(N(), lanes) for N = T on the lanes where plain weights do, and for N = Wide<T> on
  /// the others. What a lane gets depends on that lane alone.
  template <class T, class Solve>
  SOFTTRICKS_FN static void in_fitting_arithmetic(const Range<T>& range, Solve solve) {
    if (any(!range.wide)) solve(T(0), !range.wide);
    if (any(range.wide)) solve(Wide<T>(0), range.wide);
  }

  template <class N, class T, class Team>
  SOFTTRICKS_SOLVER PairWeights<N> weights(const Team& team, Vector<const T> utility,
                                       const Range<T>& range, Scratch& scratch) const {
    const PairWeights<N> own{scratch.take<N>(size()), nodes};
    team.each(size(), [&](int e) {
      if constexpr (std::is_same_v<N, T>) {
        own.data[e] = exp(utility[e] - range.top);
      } else {
        T high, low;
        exact_difference(utility[e], range.top, high, low);
        own.data[e] = exp_wide(high, select(utility[e] == T(-infinity<T>), T(0), low));
      }
    });
    return own;
  }

  /// log of the sum over spanning trees of the product of weights; -inf if there is none.
  template <class N, class T, class Team>
  SOFTTRICKS_SOLVER static T log_tree_sum(const Team& team, const PairWeights<N>& own, T length,
                                      Scratch scratch) {
    const Reduced<N> graph = whole_graph(team, own, scratch);
    N* const row = scratch.take<N>(own.vertices);
    T result(0);
    for (int v = 0; v + 1 < graph.size; ++v) {
      const int size = graph.size - v;
      const Reduced<N> rest{graph.id + v, {&graph.mesh(v, v), graph.mesh.stride}, size};
      const N degree = eliminate_front(team, own, rest, row);
      const T term = select(is_zero(degree), T(-infinity<T>), log(degree));
      result = result + select(T(ScalarOf<T>(size - 1)) < length, term, T(0));
    }
    return result;
  }

  /// a / (a + b), 0 where a is 0.
  template <class N>
  SOFTTRICKS_FN static auto fraction(const N& a, const N& b) {
    return narrow(a * safe_reciprocal(a + b));
  }
  template <class N>
  SOFTTRICKS_FN static N safe_reciprocal(const N& x) {
    return select(is_zero(x), N(0), reciprocal(x));
  }

  /// A weight beside which sums of the others, at most 1 each, vanish.
  template <class T>
  SOFTTRICKS_FN static T dominant(T) {
    return T(sizeof(ScalarOf<T>) == 4 ? ScalarOf<T>(1.8446744073709552e19) : ScalarOf<T>(1e80));
  }
  template <class T>
  SOFTTRICKS_FN static Wide<T> dominant(Wide<T>) {
    return {T(1), T(256)};
  }

  template <class N, class T>
  SOFTTRICKS_FN static N widen(T x) {
    if constexpr (std::is_same_v<N, T>) {
      return x;
    } else {
      return N::normalized(x, T(0));
    }
  }

  SOFTTRICKS_FN int edge(int i, int j) const {
    return i < j ? PairWeights<int>::index(nodes, i, j) : PairWeights<int>::index(nodes, j, i);
  }
  template <class T>
  SOFTTRICKS_FN const T& get(Vector<const T> values, int i, int j) const {
    return values[edge(i, j)];
  }
  template <class T>
  SOFTTRICKS_FN void put(Vector<T> out, int i, int j, MaskOf<T> lanes, T value) const {
    T& target = out[edge(i, j)];
    target = select(lanes, value, target);
  }

  /// `marginal` adds up to length - 1 if the graph is connected, and to at least 1 less if not;
  /// then no tree exists and `out` becomes NaN.
  template <class T, class Team>
  SOFTTRICKS_FN void spoil_unless_tree(const Team& team, Vector<T> marginal, T length,
                                       Vector<T> out) const {
    const T total = team.sum(0, size(), T(0), [&](int e) { return marginal[e]; });
    const T spoil =
        select(abs(length - T(1) - total) < T(ScalarOf<T>(0.5)), T(0), T(not_a_number<T>));
    team.each(size(), [&](int e) { out[e] = out[e] + spoil; });
  }
};

}  // namespace softtricks
