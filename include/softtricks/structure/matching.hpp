#pragma once
#include <algorithm>
#include <bit>
#include <string>
#include <string_view>

#include "softtricks/base/status.hpp"
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"
#include "softtricks/solver/assignment.hpp"
#include "softtricks/solver/birkhoff.hpp"
#include "softtricks/solver/inside_outside.hpp"
#include "softtricks/solver/sinkhorn.hpp"
#include "softtricks/solver/sinkhorn_vjp.hpp"

namespace softtricks {

/// Permutations as a dynamic program: rows take columns in turn, and of the columns taken only the
/// set matters, not their order. [Bellman 1962; Held, Karp 1962] n 2^(n-1) rules. The sum over all
/// derivations is the permanent; by inclusion and exclusion [Ryser 1963] it costs as much, but
/// there terms cancel.
struct PermutationProgram : Derivations<PermutationProgram> {
  int pairs = 1;

  SOFTTRICKS_FN constexpr explicit PermutationProgram(int n) : pairs(n) {}

  SOFTTRICKS_FN constexpr int size() const { return pairs * pairs; }
  SOFTTRICKS_FN constexpr int longest() const { return pairs; }
  /// Node s: the first rows have the columns whose bits s has; the last: all rows have one.
  SOFTTRICKS_FN constexpr int node_count() const { return (1 << pairs) + 1; }
  SOFTTRICKS_FN constexpr int most_rules() const { return pairs; }
  template <bool top_down, class F>
  SOFTTRICKS_FN void for_each_node(F f) const {
    const auto ends = [&](auto visit) {
      for (int m = 1; m <= pairs; ++m) visit(Rule{Rule::none, (1 << m) - 1, Rule::none, m});
    };
    if (top_down) f(Node{1 << pairs}, ends);
    in_order<top_down>(1 << pairs, [&](int set) {
      const int row = std::popcount(static_cast<unsigned>(set)) - 1;
      f(Node{set, Rule::none, set == 0}, [&](auto visit) {
        for (int left = set; left != 0; left &= left - 1) {
          const int column = std::countr_zero(static_cast<unsigned>(left));
          visit(Rule{row * pairs + column, set ^ (1 << column)});
        }
      });
    });
    if (!top_down) f(Node{1 << pairs}, ends);
  }
};

/// Perfect matchings of `pairs` rows with as many columns: permutation matrices.
///
/// Set       0/1 matrices [row, column], row-major, one 1 in each row and column: size pairs^2,
///           pairs! members. Utility -inf forbids a pair. An instance of length m uses rows and
///           columns 0 .. m-1, at the same places of the matrix.
/// argmax    Shortest augmenting paths, O(pairs^3) time at worst, O(pairs^2) as a rule. [Jonker,
///           Volgenant 1987] As many pairs of utility +inf as can be together come first, the sum
///           of the others second. What scipy.optimize.linear_sum_assignment(u, maximize=True)
///           answers with row_ind = 0, 1, ... and col_ind, as a matrix; NaN where it raises.
/// marginals A dynamic program over sets of columns, O(pairs 2^pairs) time, O(2^pairs) scratch, for
///           up to 16 pairs; log_partition, vjp, sample the same way. No method known is fast: the
///           sum over all members is a permanent. [Bellman 1962; Valiant 1979]
/// project   Newton's method on the dual from the prices of the best assignment: ends with rows
///           and columns that sum to 1 to rounding, zeros exact, O(pairs^3) time a step, some 5 of
///           them. Euclidean projection on the Birkhoff polytope.
/// project_vjp      One Laplacian solve on the support, O(pairs^3).
/// shannon_entropy  Sinkhorn scaling finished by Newton's method: columns and rows sum to 1 to
///           rounding at any temperature. O(pairs^2) a sweep, O(pairs^3) a Newton step. [Sinkhorn
///           1964] With Gumbel noise: Gumbel-Sinkhorn. [Mena et al. 2018]
/// shannon_entropy_vjp  One Laplacian solve at the soft sample, O(pairs^3).
/// Limits    Utilities up to 2^-16 of the largest number in size. Rectangular problems, as scipy
///           takes them: pad the shorter side with rows or columns of utility 0. argmax with rows
///           or columns left alone at no cost: pairs = rows + columns, all padding 0.
struct Matching {
  int pairs;

  static constexpr const char* name = "matching";
  static constexpr const char* field_names[] = {"pairs"};
  static constexpr int fields = 1;

  SOFTTRICKS_FN int size() const { return pairs * pairs; }
  SOFTTRICKS_FN int longest() const { return pairs; }
  Status check() const {
    if (pairs >= 1 && pairs <= 4096) return {};
    return Status::error("matching: pairs must be in [1, 4096], got " + std::to_string(pairs));
  }
  template <class F>
  SOFTTRICKS_FN void for_each_entry(F f) const {
    for (int i = 0, e = 0; i < pairs; ++i) {
      for (int j = 0; j < pairs; ++j, ++e) f(e, (i < j ? j : i) + 1);
    }
  }
  /// Sums over all members are for few pairs only.
  Status check_method(std::string_view method) const {
    for (const char* sum : {"log_partition", "marginals", "marginals_vjp", "sample"}) {
      if (method != sum || summable()) continue;
      return Status::error("matching: " + std::string(method) + " is offered for up to " +
                           std::to_string(most_summable) + " pairs, got " + std::to_string(pairs) +
                           ": sums over all permutations are permanents, which take time that "
                           "doubles with each pair; argmax, relax with squared_norm and relax with "
                           "shannon_entropy are fast at any size");
    }
    return {};
  }
  /// How many numbers the solvers keep touching: what a cache should hold.
  SOFTTRICKS_FN std::int64_t working_numbers() const {
    return summable() ? program().working_numbers() : std::int64_t{4} * pairs * pairs;
  }
  /// Bytes of scratch that suffice for every method.
  template <class T>
  constexpr std::size_t scratch() const {
    const int stride = assignment_stride(pairs);
    const std::size_t relaxing = std::max(sinkhorn_scratch<T>(stride), birkhoff_scratch<T>(stride)),
                      summing = summable() ? program().template scratch<T>() : 0;
    return sizeof(T) * static_cast<std::size_t>(stride) * static_cast<std::size_t>(stride) +
           std::max(assignment_scratch<T>(stride) + relaxing, summing) + Scratch::alignment;
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER MaskOf<T> contains(const Team&, Vector<const T> x, T length, Scratch) const {
    MaskOf<T> member = length == length;
    for (int i = 0; i < pairs; ++i) {
      T row(0), column(0);
      for (int j = 0; j < pairs; ++j) {
        const T v = x[i * pairs + j];
        member = member & ((v == T(0)) | (v == T(1)));
        row = row + v;
        column = column + x[j * pairs + i];
      }
      const T due = select(T(ScalarOf<T>(i)) < length, T(1), T(0));
      member = member & (row == due) & (column == due);
    }
    return member;
  }

  template <Plain T, class Team>
  SOFTTRICKS_SOLVER void argmax(const Team& team, Vector<const T> utility, T length, Vector<T> x,
                                Scratch scratch) const {
    const int n = static_cast<int>(length);
    const T most = largest(team, utility);
    const Matrix<T> profit = padded<T>(n, scratch);
    // Far from overflow where prices add up to thousands of utilities.
    const T limit = std::numeric_limits<T>::max() * T(0x1p-16);
    const T scale = largest_size(team, utility) > limit ? T(0x1p-16) : T(1);
    read(team, utility, n, profit, [=]<class V>(const V& u) { return u * V(scale); });
    Assignment<T, Team> assignment(team, {profit.data, profit.stride}, n, scratch);
    bool allowed = true;
    if (most == infinity<T>) allowed = keep_infinite(team, utility, n, scale, profit, assignment);
    allowed = allowed && assignment.solve();
    fill(team, x, allowed ? T(0) : not_a_number<T>);
    if (!allowed) return;
    team.each(n, [&](int i) { x[i * pairs + assignment.column_of(i)] = T(1); });
  }

  template <class T, class Team>
  SOFTTRICKS_FN T log_partition(const Team& team, Vector<const T> utility, T length,
                                Scratch scratch) const {
    return program().log_partition(team, utility, length, scratch);
  }
  template <class T, class Team>
  SOFTTRICKS_FN void marginals(const Team& team, Vector<const T> utility, T length, Vector<T> out,
                               Scratch scratch) const {
    program().marginals(team, utility, length, out, scratch);
  }
  template <class T, class Team>
  SOFTTRICKS_FN void marginals_vjp(const Team& team, Vector<const T> utility, T length,
                                   Vector<const T> cotangent, Vector<T> out,
                                   Scratch scratch) const {
    program().marginals_vjp(team, utility, length, cotangent, out, scratch);
  }
  template <class T, class Team>
  SOFTTRICKS_FN void sample(const Team& team, Vector<const T> utility, T length,
                            const Stream<T>& stream, Vector<T> x, Scratch scratch) const {
    program().sample(team, utility, length, stream, x, scratch);
  }

  template <Plain T, class Team>
  SOFTTRICKS_SOLVER void project(const Team& team, Vector<const T> utility, T length, Vector<T> out,
                                 Scratch scratch) const {
    const int n = static_cast<int>(length);
    const Matrix<T> own = padded<T>(n, scratch);
    read(team, utility, n, own, []<class V>(const V& u) { return u; });
    const Matrix<const T> utilities{own.data, own.stride};
    Assignment<T, Team> assignment(team, utilities, n, scratch);
    const bool allowed = assignment.solve();
    if (!allowed || n < pairs) fill(team, out, allowed ? T(0) : not_a_number<T>);
    if (!allowed) return;
    BirkhoffProjection<T, Team> projection(team, utilities, n, scratch);
    projection.solve(assignment.prices());
    for (int i = 0; i < n; ++i) projection.write_row(i, out.data + i * pairs);
  }
  /// On the support, x is linear in u with slope 1.
  template <Plain T, class Team>
  SOFTTRICKS_SOLVER void project_vjp(const Team& team, Vector<const T>, T, Vector<const T> soft,
                                     Vector<const T> cotangent, Vector<T> out,
                                     Scratch scratch) const {
    const Vector<T> slope = scratch.vector<T>(size());
    const auto support = []<class V>(const V& x) { return select(x > V(0), V(1), x - x); };
    team.map(size(), slope.data, support, soft.data);
    SinkhornVjp<T, Team> vjp(team, pairs, assignment_stride(pairs), scratch);
    vjp.solve(slope.data, cotangent.data, out.data);
  }

  template <Plain T, class Team>
  SOFTTRICKS_SOLVER void shannon_entropy(const Team& team, Vector<const T> utility, T length,
                                         Vector<T> out, Scratch scratch) const {
    const int n = static_cast<int>(length);
    const Matrix<T> own = padded<T>(n, scratch);
    read(team, utility, n, own, []<class V>(const V& u) { return u; });
    const Matrix<const T> utilities{own.data, own.stride};
    const auto [lowest, highest, forbidden] = range_of(team, utilities, n);
    // Sweeps alone may do where no entry can be below a rounding of another.
    const bool far = !(highest - lowest <= T(sizeof(T) == 4 ? 16 : 36));
    Assignment<T, Team> assignment(team, utilities, n, scratch);
    const bool allowed = !(far || forbidden) || assignment.solve();
    if (!allowed || n < pairs) fill(team, out, allowed ? T(0) : not_a_number<T>);
    if (!allowed) return;
    Sinkhorn<T, Team> sinkhorn(team, utilities, n, scratch);
    sinkhorn.start(far ? assignment.prices() : nullptr);
    if (!sinkhorn.solve() && !far) {
      assignment.solve();
      sinkhorn.start(assignment.prices());
      sinkhorn.solve();
    }
    for (int i = 0; i < n; ++i) sinkhorn.write_row(i, out.data + i * pairs);
  }
  template <Plain T, class Team>
  SOFTTRICKS_SOLVER void shannon_entropy_vjp(const Team& team, Vector<const T>, T,
                                             Vector<const T> soft, Vector<const T> cotangent,
                                             Vector<T> out, Scratch scratch) const {
    SinkhornVjp<T, Team> vjp(team, pairs, assignment_stride(pairs), scratch);
    vjp.solve(soft.data, cotangent.data, out.data);
  }

 private:
  static constexpr int most_summable = 16;
  SOFTTRICKS_FN constexpr bool summable() const { return pairs <= most_summable; }
  SOFTTRICKS_FN constexpr PermutationProgram program() const { return PermutationProgram(pairs); }

  template <class T, class Team>
  SOFTTRICKS_FN static void fill(const Team& team, Vector<T> out, T value) {
    team.each(out.size, [&](int e) { out[e] = value; });
  }

  template <class T>
  struct Range {
    T lowest, highest;  // of the pairs allowed
    bool forbidden;     // is some pair not?
  };

  /// Room for n rows, each a multiple of registers long.
  template <class T>
  SOFTTRICKS_FN static Matrix<T> padded(int n, Scratch& scratch) {
    const int stride = assignment_stride(n);
    return {scratch.take<T>(static_cast<std::size_t>(n) * static_cast<std::size_t>(stride)),
            stride};
  }
  /// target = f(utility) for n rows and columns, -inf to their right.
  template <class T, class Team, class F>
  SOFTTRICKS_SOLVER void read(const Team& team, Vector<const T> utility, int n, Matrix<T> target,
                              F f) const {
    for (int i = 0; i < n; ++i) {
      team.each(n, target.stride, [&](int j) { target(i, j) = -infinity<T>; });
      team.map(n, target.row(i), f, utility.data + i * pairs);
    }
  }

  template <class T, class Team>
  SOFTTRICKS_FN T largest(const Team& team, Vector<const T> utility) const {
    const auto itself = []<class V>(const V& u) { return u; };
    return team.template map_maximum<T>(size(), itself, utility.data);
  }
  /// Of the finite utilities.
  template <class T, class Team>
  SOFTTRICKS_FN T largest_size(const Team& team, Vector<const T> utility) const {
    const auto finite = []<class V>(const V& u) {
      return select(abs(u) < V(infinity<V>), abs(u), V(0));
    };
    return team.template map_maximum<T>(size(), finite, utility.data);
  }
  template <class T, class Team>
  SOFTTRICKS_SOLVER Range<T> range_of(const Team& team, Matrix<const T> utility, int n) const {
    T highest = -infinity<T>, lowest = -infinity<T>, forbidden = T(0);
    const auto itself = []<class V>(const V& u) { return u; };
    const auto negative = []<class V>(const V& u) { return select(u == V(-infinity<V>), u, -u); };
    const auto absent = []<class V>(const V& u) {
      return select(u == V(-infinity<V>), V(1), V(0));
    };
    for (int i = 0; i < n; ++i) {
      const T* const row = utility.row(i);
      highest = max(highest, team.template map_maximum<T>(n, itself, row));
      lowest = max(lowest, team.template map_maximum<T>(n, negative, row));
      forbidden = max(forbidden, team.template map_maximum<T>(n, absent, row));
    }
    return {-lowest, highest, forbidden > T(0)};
  }

  /// Forbids all pairs outside the matchings with most pairs of utility +inf, and makes that 0.
  /// These matchings are those of the pairs that the prices of a best one, all integers, leave
  /// tight.
  template <class T, class Team>
  SOFTTRICKS_SOLVER bool keep_infinite(const Team& team, Vector<const T> utility, int n, T scale,
                                       Matrix<T> profit, Assignment<T, Team>& assignment) const {
    const auto count = []<class V>(const V& u) {
      return select(u == V(infinity<V>), V(1), select(u == V(-infinity<V>), u, V(0)));
    };
    read(team, utility, n, profit, count);
    if (!assignment.solve()) return false;
    for (int i = 0; i < n; ++i) {
      const int taken = assignment.column_of(i);
      const T best = profit(i, taken) - assignment.price(taken);
      const auto tight = [=]<class V>(const V& p, const V& price, const V& u) {
        const V finite = select(u == V(infinity<V>), V(0), u * V(scale));
        return select(p - price == V(best), finite, V(-infinity<V>));
      };
      team.map(n, profit.row(i), tight, profit.row(i), assignment.prices(),
               utility.data + i * pairs);
    }
    return true;
  }
};

}  // namespace softtricks
