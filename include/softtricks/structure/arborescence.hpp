#pragma once
#include <algorithm>

#include "softtricks/base/center.hpp"
#include "softtricks/base/dual.hpp"
#include "softtricks/base/random.hpp"
#include "softtricks/base/shape.hpp"
#include "softtricks/base/status.hpp"
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"
#include "softtricks/base/wide.hpp"
#include "softtricks/solver/best_heads.hpp"
#include "softtricks/solver/common_base.hpp"
#include "softtricks/solver/rooted_degrees.hpp"
#include "softtricks/solver/rooted_draw.hpp"
#include "softtricks/solver/rooted_elimination.hpp"
#include "softtricks/solver/rooted_mesh.hpp"

namespace softtricks {

/// Arborescences: spanning trees of the complete directed graph on `nodes` vertices, arcs pointing
/// away from the root. As in dependency parsing, each vertex but the root has one head.
///
/// Set       0/1 matrices [head, modifier], row-major: size nodes^2. With `root` from 0 to nodes-1
///           that vertex is the root, nodes^(nodes-2) members [Cayley 1889], or with single_root,
///           where exactly one arc leaves it, (nodes-1)^(nodes-2). With root -1 any vertex may be
///           the root, nodes^(nodes-1) members, and the diagonal entry m says that it is m.
///           single_root is then refused: the one root has as many children as it likes. The
///           root's column, and the diagonal if the root is fixed, count for nothing and are 0.
///           Utility -inf forbids an arc. An instance of length m uses vertices 0 .. m-1.
/// argmax    Contraction of cycles on dense columns, O(nodes^2). Exact with single_root: arcs from
///           the root are counted first and weighed second. [Chu, Liu 1965; Edmonds 1967]
/// log_partition  Elimination of vertices without subtraction, O(nodes^3) time, O(nodes^2) scratch.
///           [Tutte 1948; Grassmann, Taksar, Heyman 1985; single_root: Koo et al. 2007]
/// marginals Weight times rate, the rates by the same elimination backwards, O(nodes^3).
/// marginals_vjp  The same on duals; where that leaves no digits, each arc against all that does
///           without it, by recursive elimination without subtraction.
/// sample    Vertices come back into the tree in reversed order of elimination, O(nodes^3).
/// binary_entropy, shannon_entropy  Prices of vertices, each step a few soft spanning trees (see
///           solver/common_base.hpp); their vjps solve again to know the blocks.
/// Limits    Where the chance to leave a set of vertices falls below 1e-18 (double: 1e-150), wide
///           arithmetic (exponents kept apart) takes over, several times slower.
struct Arborescence {
  int nodes;
  int root;
  int single_root;

  static constexpr const char* name = "arborescence";
  static constexpr const char* field_names[] = {"nodes", "root", "single_root"};
  static constexpr int fields = 3;
  static constexpr std::int64_t field_defaults[] = {required_field, 0, 0};

  SOFTTRICKS_FN int size() const { return nodes * nodes; }
  SOFTTRICKS_FN int longest() const { return nodes; }
  Status check() const {
    const auto refuse = [](const std::string& what) {
      return Status::error("arborescence: " + what);
    };
    if (nodes < 1 || nodes > 4096) {
      return refuse("nodes must be in [1, 4096], got " + std::to_string(nodes));
    }
    if (root < -1 || root >= nodes) {
      return refuse("root must be in [0, nodes) or -1 (any vertex), got " + std::to_string(root));
    }
    if (single_root != 0 && single_root != 1) {
      return refuse("single_root must be 0 or 1, got " + std::to_string(single_root));
    }
    if (single_root == 1 && root == -1) {
      return refuse("single_root = 1 needs a fixed root; root = -1 has one root by itself");
    }
    if (single_root == 1 && nodes == 1) return refuse("single_root = 1 needs at least 2 nodes");
    return {};
  }
  Status check_method(std::string_view method) const {
    if (nodes <= most_soft || method.find("_entropy") == method.npos) return {};
    return Status::error("arborescence: " + std::string(method) + " takes at most 64 nodes");
  }
  /// Calls f(index, length from which the entry is part of an instance) for every entry.
  template <class F>
  SOFTTRICKS_FN void for_each_entry(F f) const {
    for (int i = 0, e = 0; i < nodes; ++i) {
      for (int j = 0; j < nodes; ++j, ++e) f(e, (i > j ? i : j) + 1);
    }
  }
  /// Calls f(index) for the entries that count for nothing.
  template <class F>
  SOFTTRICKS_FN void for_each_idle_entry(F f) const {
    if (free_root()) return;
    for (int i = 0; i < nodes; ++i) {
      f(i * (nodes + 1));
      if (i != root) f(i * nodes + root);
    }
  }
  /// How many numbers the solvers keep touching: what a cache should hold.
  SOFTTRICKS_FN std::int64_t working_numbers() const { return std::int64_t{1} * 4 * nodes * nodes; }
  /// Bytes of scratch that suffice for every method.
  template <class T>
  constexpr std::size_t scratch() const {
    const std::size_t n = static_cast<std::size_t>(nodes) + 1;
    const std::size_t gibbs = arc_scratch<Dual<Wide<T>>>(nodes + 1) +
                              n * n * (sizeof(Dual<Wide<T>>) + sizeof(Wide<T>) + sizeof(T)) +
                              8 * n * sizeof(Dual<Wide<T>>) + 32 * Scratch::alignment;
    const std::size_t best = best_heads_scratch(nodes + 1) + n * (3 * sizeof(T) + sizeof(int));
    return std::max({gibbs, best, nodes > most_soft ? 0 : soft_arborescence_scratch(nodes + 1)});
  }

  /// Is x the indicator of an arborescence?
  template <class T, class Team>
  SOFTTRICKS_SOLVER MaskOf<T> contains(const Team& team, Vector<const T> x, T length,
                                       Scratch scratch) const {
    // 0/1 with one head for each vertex is a tree if and only if all are reached; elimination with
    // x as weights then meets no vertex of degree 0.
    MaskOf<T> fine = length == length;
    for (int e = 0; e < size(); ++e) fine = fine & ((x[e] == T(0)) | (x[e] == T(1)));
    for_each_idle_entry([&](int e) { fine = fine & (x[e] == T(0)); });
    const Matrix<T> arcs = matrix<T>(scratch);
    team.each(vertices() * vertices(), [&](int k) { arcs.data[k] = T(0); });
    for_each_arc_entry([&](int p, int q, int e) { arcs(p, q) = x[e]; });
    T from_root(0);
    for (int q = 1; q < vertices(); ++q) {
      const T into = team.sum(0, vertices(), T(0), [&](int p) { return arcs(p, q); });
      fine = fine & (into == select(is_there(q, length), T(1), T(0)));
      from_root = from_root + arcs(0, q);
    }
    if (one_child()) fine = fine & (from_root == T(1));
    T* const degree = scratch.take<T>(vertices());
    eliminate_rooted(team, arcs, vertices(), false, degree);
    for (int q = 1; q < vertices(); ++q) {
      fine = fine & ((degree[q] > T(0)) | !is_there(q, length));
    }
    return fine & (T(number<T>(free_root() ? 0 : root)) < length);
  }

  template <Plain T, class Team>
  SOFTTRICKS_SOLVER void argmax(const Team& team, Vector<const T> utility, T length, Vector<T> x,
                                Scratch scratch) const {
    int* const one = scratch.take<int>(nodes + 1);
    const int count = argmax_entries(team, utility, length, one, scratch);
    team.each(size(), [&](int e) { x[e] = count < 0 ? not_a_number<T> : T(0); });
    team.each(count, [&](int n) { x[one[n]] = T(1); });
  }

  /// The argmax as the places of its ones; -1 if there is no member.
  template <Plain T, class Team>
  SOFTTRICKS_SOLVER int argmax_entries(const Team& team, Vector<const T> utility, T length,
                                       int* entry, Scratch scratch) const {
    const int n = static_cast<int>(length);
    const HeadChoice choice{free_root() ? n + 1 : n, free_root() ? n : root, one_child()};
    const int stride = nodes;
    const auto row = [=](int i) { return utility.data + i * stride; };
    const auto from_root = [=, this](int j) {
      return utility[free_root() ? j * (stride + 1) : root * stride + j];
    };
    int* const head = scratch.take<int>(n + 1);
    if (!choose_best_heads<T>(team, choice, n, row, from_root, head, scratch)) return -1;
    int count = 0;
    for (int j = 0; j < n; ++j) {
      if (j != choice.root) entry[count++] = head[j] == n ? j * (nodes + 1) : head[j] * nodes + j;
    }
    return count;
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER T log_partition(const Team& team, Vector<const T> utility, T length,
                                    Scratch scratch) const {
    T result(0);
    in_fitting_arithmetic<T>([&](auto number, Way way, MaskOf<T> lanes) {
      Scratch frame = scratch;
      const auto graph = eliminated<decltype(number)>(team, utility, way, frame);
      result = select(lanes, graph.offset + log_product(graph.degree, length, way), result);
      return fits(graph.degree, length, way);
    });
    return result;
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void marginals(const Team& team, Vector<const T> utility, T length,
                                   Vector<T> out, Scratch scratch) const {
    team.each(size(), [&](int e) { out[e] = T(0); });
    T spoil(0);
    in_fitting_arithmetic<T>([&](auto number, Way way, MaskOf<T> lanes) {
      using N = decltype(number);
      Scratch frame = scratch;
      const auto graph = eliminated<N>(team, utility, way, frame);
      spoil = select(lanes, spoil_of(log_product(graph.degree, length, way)), spoil);
      arc_rates(team, graph.left, vertices(), way.light, graph.degree,
                frame.take<N>(3 * vertices()));
      for_each_arc_entry([&](int p, int q, int e) {
        const T share = narrow(graph.own(p, q) * graph.left(p, q));
        out[e] = select(lanes, min(T(1), max(T(0), share)), out[e]);
      });
      return fits(graph.degree, length, way);
    });
    team.each(size(), [&](int e) { out[e] = out[e] + spoil; });
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void marginals_vjp(const Team& team, Vector<const T> utility, T length,
                                       Vector<const T> cotangent, Vector<T> out,
                                       Scratch scratch) const {
    T* const middle = scratch.take<T>(vertices());
    // The Hessian of the log partition function is blind to a constant on the arcs into a vertex.
    for (int q = 1; q < vertices(); ++q) {
      middle[q] = midrange(utility, cotangent, vertices() - 1,
                           [=, this](int k) { return entry(k < q ? k : k + 1, q); });
    }
    team.each(size(), [&](int e) { out[e] = T(0); });
    MaskOf<T> careful;
    {
      using D = Dual<T>;
      const Way way{one_child()};
      Scratch frame = scratch;
      const auto plain = weights<T>(team, utility, way, frame);
      const Matrix<D> left = with_rates(team, plain.own, cotangent, middle, frame);
      D* const degree = frame.take<D>(vertices());
      eliminate_rooted(team, left, vertices(), way.light, degree);
      careful = !fits(degree, length, way);
      arc_rates(team, left, vertices(), way.light, degree, frame.take<D>(3 * vertices()));
      T rates(0), changes(0);
      for_each_arc_entry([&](int p, int q, int e) {
        const T weight = plain.own(p, q);
        const T rate = select(is_zero(weight), T(0), cotangent[e] - middle[q]);
        out[e] = weight * mul_add(rate, left(p, q).value, left(p, q).tangent);
        rates = max(rates, abs(rate));
        changes = max(changes, abs(out[e]));
      });
      // Errors are of the size rounding * rates; where all changes are small beside the rates, too
      // few of their digits are left.
      careful = careful | !(changes >= rates * T(ScalarOf<T>(1.0 / 64)));
    }
    if (any(careful)) careful_vjp(team, utility, length, cotangent, middle, careful, out, scratch);
  }

  template <Plain T, class Team>
  SOFTTRICKS_SOLVER void sample(const Team& team, Vector<const T> utility, T length,
                                const Stream<T>& stream, Vector<T> x, Scratch scratch) const {
    int* const head = scratch.take<int>(vertices());
    int* const via = scratch.take<int>(vertices());
    int* const hangs = scratch.take<int>(vertices());
    bool drawn = false;
    in_fitting_arithmetic<T>([&](auto number, Way way, bool) {
      using N = decltype(number);
      Scratch frame = scratch;
      const auto graph = eliminated<N>(team, utility, way, frame);
      if (!fits(graph.degree, length, way)) return false;
      drawn = log_product(graph.degree, length, way) > -infinity<T>;
      for (int q = 0; q < vertices(); ++q) head[q] = q > 0 && is_there(q, length) ? 0 : -1;
      Stream<T> random = stream;
      drawn = drawn && draw_heads(RootedGraph<N>{graph.own, graph.left, vertices(), way.light},
                                  random, head, via, hangs);
      return true;
    });
    team.each(size(), [&](int e) { x[e] = drawn ? T(0) : not_a_number<T>; });
    team.each(1, drawn ? vertices() : 1, [&](int q) {
      if (head[q] >= 0) x[entry(head[q], q)] = T(1);
    });
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
  static constexpr int most_soft = 64;  // nodes; beyond, prices may take minutes

  template <class Shape, class T, class Team>
  SOFTTRICKS_FN void soften(const Team& team, Vector<const T> utility, T length,
                            Vector<const T> cotangent, Vector<T> out, Scratch scratch) const {
    const int n = static_cast<int>(length);
    const auto entry_of = [=, this](int p, int q) { return entry(p, q); };
    const int present = root < n ? vertices() - nodes + n : 0;
    soft_arborescence<Shape>(team, utility, present, one_child(), entry_of, cotangent, out,
                             scratch);
  }

  // Solvers know vertices by place: the root, or what stands above a free root, is 0.
  SOFTTRICKS_FN bool free_root() const { return root < 0; }
  SOFTTRICKS_FN bool one_child() const { return free_root() || single_root == 1; }
  SOFTTRICKS_FN int vertices() const { return free_root() ? nodes + 1 : nodes; }
  SOFTTRICKS_FN int vertex(int place) const {
    if (free_root()) return place - 1;
    return place == 0 ? root : place <= root ? place - 1 : place;
  }
  /// The entry of the arc from place p to place q.
  SOFTTRICKS_FN int entry(int p, int q) const {
    const int j = vertex(q);
    return (free_root() && p == 0 ? j : vertex(p)) * nodes + j;
  }
  template <class F>
  SOFTTRICKS_FN void for_each_arc_entry(F f) const {
    for (int p = 0; p < vertices(); ++p) {
      for (int q = 1; q < vertices(); ++q) {
        if (p != q) f(p, q, entry(p, q));
      }
    }
  }
  template <class T>
  SOFTTRICKS_FN static ScalarOf<T> number(int i) {
    return static_cast<ScalarOf<T>>(i);
  }
  template <class T>
  SOFTTRICKS_FN auto is_there(int place, T length) const {
    return T(number<T>(vertex(place))) < length;
  }

  /// How an instance is solved. With `light` the one arc from the root is left out of degrees;
  /// that fails where a vertex has no other head. Wide numbers can say by the weight itself that it
  /// is light, as long as others are not spread over 1e5 nats and more.
  struct Way {
    bool light;
  };

  /// Calls solve(T(), way, all lanes), which says in which lanes that way did, and for the others
  /// the same in wide numbers. What a lane gets depends on that lane alone.
  template <class T, class Solve>
  SOFTTRICKS_FN void in_fitting_arithmetic(Solve solve) const {
    const MaskOf<T> all = T(0) == T(0);
    MaskOf<T> careful = !solve(T(0), Way{one_child()}, all);
    if (any(careful) && one_child()) {
      careful = careful & !solve(Wide<T>(0), Way{true}, careful);
    }
    if (any(careful)) solve(Wide<T>(0), Way{false}, careful);
  }

  /// Did this way do?
  template <class N, class T>
  SOFTTRICKS_FN MaskOf<T> fits(const N* degree, T length, Way way) const {
    const auto fine = degrees_fit(degree, vertices(), length == length, way.light,
                                  [=, this](int q) { return is_there(q, length); });
    return way.light && !free_root() ? fine & (length > T(1)) : fine;
  }

  template <class N>
  SOFTTRICKS_FN Matrix<N> matrix(Scratch& scratch) const {
    const int n = vertices();
    return {scratch.take<N>(static_cast<std::size_t>(n) * static_cast<std::size_t>(n)), n};
  }

  template <class N, class T>
  struct Weights {
    Matrix<N> own;
    T offset;  // what was taken from the utilities of each arborescence
  };
  template <class N, class T>
  struct Eliminated {
    Matrix<N> own, left;
    N* degree;
    T offset;
  };

  /// Weights relative to the largest into each vertex; with a light root, its own arcs apart.
  template <class N, class T, class Team>
  SOFTTRICKS_SOLVER Weights<N, T> weights(const Team& team, Vector<const T> utility, Way way,
                                          Scratch& scratch) const {
    const Matrix<N> own = matrix<N>(scratch);
    T* const top = scratch.take<T>(vertices());
    const bool apart = way.light;
    for (int q = 0; q < vertices(); ++q) top[q] = T(-infinity<T>);
    for_each_arc_entry([&](int p, int q, int e) {
      if (p > 0 || !apart) top[q] = max(top[q], utility[e]);
    });
    T offset(0);
    for (int q = 1; q < vertices(); ++q) {
      top[q] = select(top[q] == T(-infinity<T>), T(0), top[q]);
      offset = offset + top[q];
    }
    T highest(0);
    if (apart) {
      highest = T(-infinity<T>);
      for (int q = 1; q < vertices(); ++q) highest = max(highest, utility[entry(0, q)] - top[q]);
      highest = select(highest == T(-infinity<T>), T(0), highest);
      offset = offset + highest;
    }
    team.each(vertices(), [&](int p) {
      fill_row<N>(team, utility, p, top, way, p == 0 ? highest : T(0), own.row(p));
    });
    return {own, offset};
  }

  template <class N, class T, class Team>
  SOFTTRICKS_FN void fill_row(const Team& team, Vector<const T> utility, int p, const T* top,
                              Way way, T highest, N* row) const {
    for (int q = 1; q < vertices(); ++q) {
      const T u = utility[entry(p, q)];
      if constexpr (std::is_same_v<N, T>) {
        row[q] = (u - top[q]) - highest;
      } else {
        T high, low;
        exact_difference(u, top[q], high, low);
        row[q] = exp_wide(high, select(u == T(-infinity<T>), T(0), low));
        if (p == 0 && way.light) {
          row[q] = row[q] * exp_wide(-highest, T(0));
        } else if (p == 0 && one_child()) {
          row[q].exponent = row[q].exponent - T(number<T>(featherweight));
        }
      }
    }
    if constexpr (std::is_same_v<N, T>) {
      const auto weight = []<class V>(const V& u) { return exp(u); };
      team.map(vertices() - 1, row + 1, weight, static_cast<const N*>(row + 1));
    }
    row[0] = row[p] = N(0);
  }

  template <class N, class T, class Team>
  SOFTTRICKS_SOLVER Eliminated<N, T> eliminated(const Team& team, Vector<const T> utility, Way way,
                                                Scratch& scratch) const {
    const Weights<N, T> given = weights<N>(team, utility, way, scratch);
    const Matrix<N> left = matrix<N>(scratch);
    N* const degree = scratch.take<N>(vertices());
    team.each(vertices() * vertices(), [&](int e) { left.data[e] = given.own.data[e]; });
    eliminate_rooted(team, left, vertices(), way.light, degree);
    return {given.own, left, degree, given.offset};
  }

  template <class N, class T>
  SOFTTRICKS_FN T log_product(const N* degree, T length, Way way) const {
    return log_of_degrees<T>(degree, vertices(), one_child() && !way.light,
                             [=, this](int q) { return is_there(q, length); });
  }

  /// NaN where there is no member.
  template <class T>
  SOFTTRICKS_FN static T spoil_of(T log_sum) {
    return select(log_sum == T(-infinity<T>), T(not_a_number<T>), T(0));
  }

  /// Weights whose tangents follow the cotangent, taken relative to `middle`.
  template <class N, class T, class Team>
  SOFTTRICKS_SOLVER Matrix<Dual<N>> with_rates(const Team& team, Matrix<N> own,
                                               Vector<const T> cotangent, const T* middle,
                                               Scratch& scratch) const {
    const Matrix<Dual<N>> result = matrix<Dual<N>>(scratch);
    team.each(vertices(), [&](int p) {
      result(p, 0) = result(p, p) = Dual<N>(N(0));
      for (int q = 1; q < vertices(); ++q) {
        if (q == p) continue;
        const N weight = own(p, q);
        const T rate = select(is_zero(weight), T(0), cotangent[entry(p, q)] - middle[q]);
        result(p, q) = {weight, weight * widen<N>(rate)};
      }
    });
    return result;
  }

  /// Each arc against all that does without it, in wide numbers.
  template <class T, class Team>
  SOFTTRICKS_SOLVER void careful_vjp(const Team& team, Vector<const T> utility, T length,
                                     Vector<const T> cotangent, const T* middle, MaskOf<T> lanes,
                                     Vector<T> out, Scratch scratch) const {
    using N = Wide<T>;
    const auto solve = [&](Way way, MaskOf<T> here) {
      Scratch frame = scratch;
      const auto graph = eliminated<N>(team, utility, way, frame);
      MaskOf<T> done = here & fits(graph.degree, length, way);
      // The recursion eliminates in all orders, so every vertex must reach every other.
      for (int v = 2; v < vertices() && way.light; ++v) {
        const N reach = team.sum(1, v, N(0), [&](int j) { return graph.left(v, j); });
        done = done & !(is_zero(reach) & is_there(v, length));
      }
      const T spoil = spoil_of(log_product(graph.degree, length, way));
      const Matrix<Dual<N>> own = with_rates(team, graph.own, cotangent, middle, frame);
      for_each_arc(team, own, vertices(), way.light, frame,
                   [&](int p, int q, const Dual<N>& with, const Dual<N>& without) {
                     const int e = entry(p, q);
                     const T change =
                         change_of_chance(own(p, q).value, with, without, cotangent[e] - middle[q]);
                     out[e] = select(done, change, out[e]);
                   });
      team.each(size(), [&](int e) { out[e] = select(done, out[e] + spoil, out[e]); });
      return here & !done;
    };
    if (one_child()) lanes = solve(Way{true}, lanes);
    if (any(lanes)) solve(Way{false}, lanes);
  }
};

}  // namespace softtricks
