#pragma once
#include "softtricks/base/center.hpp"
#include "softtricks/base/dual.hpp"
#include "softtricks/base/random.hpp"
#include "softtricks/base/status.hpp"
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"
#include "softtricks/base/wide.hpp"
#include "softtricks/solver/effective_resistance.hpp"
#include "softtricks/solver/graphic_base.hpp"
#include "softtricks/solver/prim.hpp"
#include "softtricks/solver/star_mesh.hpp"

namespace softtricks {

/// Spanning trees of the complete graph on `nodes` vertices.
///
/// Set       0/1 vectors over edges (i, j), i < j, row-major: size nodes (nodes-1) / 2;
///           nodes^(nodes-2) members [Cayley 1889]. Utility -inf removes an edge. An instance of
///           length m uses vertices 0 .. m-1.
/// argmax    Prim on the dense graph, O(nodes^2) time and scratch. [Prim 1957]
/// log_partition  Star-mesh elimination, O(nodes^3) time, O(nodes^2) scratch. [Kirchhoff 1847]
/// marginals w_ij R_ij with effective resistances R, O(nodes^3) [Kirchhoff 1847]. Where utilities
/// are
///           spread too far for plain numbers: each edge against the conductance c of all other
///           paths, w / (w + c), by recursive elimination; no subtraction anywhere.
/// marginals_vjp  The same on duals; by the second way where the first leaves no digits.
/// sample    Edge by edge with chance w / (w + c): a chosen edge is contracted, another deleted.
/// project   Decomposition into blocks of edges, each a soft choice with a threshold of its own, by
///           small flows; exact. So are binary_entropy and shannon_entropy. [Fujishige 1980;
///           Groenevelt 1991] Their vjps solve again to know the blocks.
/// Limits    Utilities spread over more than plain_spread nats take wide arithmetic (exponents kept
///           apart), several times slower; see docs/numerics.md.
struct SpanningTree {
  int nodes;

  static constexpr const char* name = "spanning_tree";
  static constexpr const char* field_names[] = {"nodes"};
  static constexpr int fields = 1;
  /// Entries from which a method is better off along one instance than across several: Prim on one
  /// goes vertex by vertex.
  static constexpr int alone_from(std::string_view method) {
    return method == "argmax" ? 1000 : never;
  }

  SOFTTRICKS_FN int size() const { return nodes * (nodes - 1) / 2; }
  SOFTTRICKS_FN int longest() const { return nodes; }
  Status check() const {
    if (nodes >= 2 && nodes <= 4096) return {};
    return Status::error("spanning_tree: nodes must be in [2, 4096], got " + std::to_string(nodes));
  }
  Status check_method(std::string_view method) const {
    if (nodes <= most_nodes_of_blocks || !uses_blocks(method)) return {};
    return Status::error("spanning_tree: " + std::string(method) + " takes at most " +
                         std::to_string(most_nodes_of_blocks) + " nodes, not " +
                         std::to_string(nodes));
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
    const std::size_t base =
        nodes <= most_nodes_of_blocks ? graphic_base_scratch(nodes, size()) : 0;
    const std::size_t gibbs = pair_scratch<Dual<Wide<T>>>(nodes) +
                              6 * sizeof(T) * (size() + 2 * Scratch::alignment) +
                              sizeof(T) * (nodes + 16) * (nodes + 16);
    return gibbs > base ? gibbs : base;
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

  template <class T, class Team>
  SOFTTRICKS_FN void argmax(const Team& team, Vector<const T> utility, T length, Vector<T> x,
                            Scratch scratch) const {
    best_tree(team, utility, nodes, length, x, scratch);
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
  SOFTTRICKS_SOLVER void marginals(const Team& team, Vector<const T> utility, T length,
                                   Vector<T> out, Scratch scratch) const {
    const Range<T> range = range_of(utility);
    if (any(!range.wide)) {
      Scratch frame = scratch;
      const PairWeights<T> own = weights<T>(team, utility, range, frame);
      each_weight_and_resistance(team, own, frame,
                                 [&](int e, const T& weight, const T& resistance) {
                                   out[e] = min(T(1), weight * resistance);
                                 });
    }
    if (any(range.wide)) {
      Scratch frame = scratch;
      using N = Wide<T>;
      const PairWeights<N> own = weights<N>(team, utility, range, frame);
      for_each_pair(team, own, frame, [&](int i, int j, const N& rest) {
        put(out, i, j, range.wide, fraction(own(i, j), rest));
      });
    }
    spoil_unless_tree(team, out, length, out);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void marginals_vjp(const Team& team, Vector<const T> utility, T length,
                                       Vector<const T> cotangent, Vector<T> out,
                                       Scratch scratch) const {
    const Range<T> range = range_of(utility);
    const T middle = midrange(utility, cotangent);
    const Vector<T> marginal = scratch.vector<T>(size());
    MaskOf<T> careful = range.wide;
    if (any(!range.wide)) {
      Scratch frame = scratch;
      const auto own = dual_weights<T>(team, utility, range, cotangent, middle, frame);
      T rates(0), changes(0);
      using D = Dual<T>;
      each_weight_and_resistance(
          team, own, frame, [&](int e, const D& weight, const D& resistance) {
            const D share = weight * resistance;
            marginal[e] = share.value;
            out[e] = share.tangent;
            const T rate = select(is_zero(weight.value), T(0), cotangent[e] - middle);
            rates = max(rates, abs(rate));
            changes = max(changes, abs(share.tangent));
          });
      // Errors are of the size rounding * rates; where all changes are small beside the rates, too
      // few of their digits are left.
      careful = careful | (changes < rates * T(ScalarOf<T>(1.0 / 64)));
    }
    if (any(careful)) {
      careful_vjp<Wide<T>>(team, utility, range, cotangent, middle, careful, marginal, out,
                           scratch);
    }
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

  template <Plain T, class Team>
  SOFTTRICKS_FN void project(const Team& team, Vector<const T> utility, T length, Vector<T> out,
                             Scratch scratch) const {
    soften<ClipShape>(team, utility, length, Vector<const T>(), out, scratch);
  }
  template <Plain T, class Team>
  SOFTTRICKS_FN void project_vjp(const Team& team, Vector<const T> utility, T length,
                                 Vector<const T>, Vector<const T> cotangent, Vector<T> out,
                                 Scratch scratch) const {
    soften<ClipShape>(team, utility, length, cotangent, out, scratch);
  }

  template <Plain T, class Team>
  SOFTTRICKS_FN void binary_entropy(const Team& team, Vector<const T> utility, T length,
                                    Vector<T> out, Scratch scratch) const {
    soften<SigmoidShape>(team, utility, length, Vector<const T>(), out, scratch);
  }
  template <Plain T, class Team>
  SOFTTRICKS_FN void binary_entropy_vjp(const Team& team, Vector<const T> utility, T length,
                                        Vector<const T>, Vector<const T> cotangent, Vector<T> out,
                                        Scratch scratch) const {
    soften<SigmoidShape>(team, utility, length, cotangent, out, scratch);
  }

  template <Plain T, class Team>
  SOFTTRICKS_FN void shannon_entropy(const Team& team, Vector<const T> utility, T length,
                                     Vector<T> out, Scratch scratch) const {
    soften<CappedExpShape>(team, utility, length, Vector<const T>(), out, scratch);
  }
  template <Plain T, class Team>
  SOFTTRICKS_FN void shannon_entropy_vjp(const Team& team, Vector<const T> utility, T length,
                                         Vector<const T>, Vector<const T> cotangent, Vector<T> out,
                                         Scratch scratch) const {
    soften<CappedExpShape>(team, utility, length, cotangent, out, scratch);
  }

 private:
  /// Beyond, an instance may take seconds.
  static constexpr int most_nodes_of_blocks = 256;
  static bool uses_blocks(std::string_view method) {
    return method.starts_with("project") || method.starts_with("binary_entropy") ||
           method.starts_with("shannon_entropy");
  }

  /// The soft sample, or, given a cotangent, the vector-Jacobian product there.
  template <class Shape, class T, class Team>
  SOFTTRICKS_SOLVER void soften(const Team& team, Vector<const T> utility, T length,
                                Vector<const T> cotangent, Vector<T> out, Scratch scratch) const {
    const int n = static_cast<int>(length);
    GraphicBase<Shape, Team> base(team, n, size(), scratch);
    base.start_graph(n);
    for (int i = 0; i < n; ++i) {
      for (int j = i + 1, e = edge(i, j); j < n; ++j, ++e) {
        if (utility[e] > -infinity<T>) base.add(e, i, j, utility[e]);
      }
    }
    const bool connected = base.solve();
    team.each(size(), [&](int e) { out[e] = connected ? T(0) : not_a_number<T>; });
    if (!connected) return;
    const auto put_in = [&](int e, double value) { out[e] = static_cast<T>(value); };
    if (cotangent.size == 0) return base.each_soft(put_in);
    base.each_vjp([&](int e) { return static_cast<double>(cotangent[e]); }, put_in);
  }

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
    const T top = range.top;
    if constexpr (std::is_same_v<N, T>) {
      const auto weight = [=]<class V>(const V& u) { return exp(u - V(top)); };
      team.map(size(), own.data, weight, utility.data);
    } else {
      team.each(size(), [&](int e) {
        T high, low;
        exact_difference(utility[e], top, high, low);
        own.data[e] = exp_wide(high, select(utility[e] == T(-infinity<T>), T(0), low));
      });
    }
    return own;
  }

  /// Weights whose tangents follow the cotangent, taken relative to `middle`.
  template <class N, class T, class Team>
  SOFTTRICKS_SOLVER PairWeights<Dual<N>> dual_weights(const Team& team, Vector<const T> utility,
                                                      const Range<T>& range,
                                                      Vector<const T> cotangent, T middle,
                                                      Scratch& scratch) const {
    const PairWeights<N> plain = weights<N>(team, utility, range, scratch);
    const PairWeights<Dual<N>> own{scratch.take<Dual<N>>(size()), nodes};
    team.each(size(), [&](int e) {
      const T rate = select(is_zero(plain.data[e]), T(0), cotangent[e] - middle);
      own.data[e] = {plain.data[e], plain.data[e] * widen<N>(rate)};
    });
    return own;
  }

  /// Calls visit(e, weight, effective resistance) for every edge e.
  template <class N, class Team, class Visit>
  SOFTTRICKS_SOLVER void each_weight_and_resistance(const Team& team, const PairWeights<N>& own,
                                                    Scratch scratch, Visit visit) const {
    const Matrix<N> share{scratch.take<N>(nodes * nodes), nodes};
    const Matrix<N> resistance{scratch.take<N>(nodes * nodes), nodes};
    N* const inverse_degree = scratch.take<N>(nodes);
    N* const h = scratch.take<N>(nodes);
    const N* weight = own.data;
    for (int i = 0; i < nodes; ++i) {
      for (int j = i + 1; j < nodes; ++j) share(j, i) = *weight++;
    }
    eliminate_all(team, share, nodes, inverse_degree);
    resistances(team, share, inverse_degree, nodes, resistance, h);
    for (int i = 0, e = 0; i < nodes; ++i) {
      const N* const row = resistance.row(i);
      for (int j = i + 1; j < nodes; ++j, ++e) visit(e, own.data[e], row[j]);
    }
  }

  /// marginal (1 - marginal) (g - d log c), each factor with full relative accuracy.
  template <class N, class T, class Team>
  SOFTTRICKS_SOLVER void careful_vjp(const Team& team, Vector<const T> utility,
                                     const Range<T>& range, Vector<const T> cotangent, T middle,
                                     MaskOf<T> lanes, Vector<T> marginal, Vector<T> out,
                                     Scratch scratch) const {
    const auto own = dual_weights<N>(team, utility, range, cotangent, middle, scratch);
    for_each_pair(team, own, scratch, [&](int i, int j, const Dual<N>& rest) {
      const N weight = own(i, j).value;
      const T share = fraction(weight, rest.value);
      const T other = fraction(rest.value, weight);
      const T drift = narrow(rest.tangent * safe_reciprocal(rest.value));
      const T rate = get(cotangent, i, j) - middle - drift;
      put(marginal, i, j, lanes, share);
      put(out, i, j, lanes, select(share * other > T(0), share * other * rate, T(0)));
    });
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
    const auto share = narrow(a * safe_reciprocal(a + b));
    return min(decltype(share)(1), share);
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
