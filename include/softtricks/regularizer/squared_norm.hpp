#pragma once
#include "softtricks/base/math.hpp"
#include "softtricks/base/view.hpp"
#include "softtricks/solver/active_set.hpp"

namespace softtricks {

/// f(x) = |x|^2 / 2. Soft samples are Euclidean projections (SparseMAP; sparsemax for OneHot), by a
/// structure's own `project` or, one by one, from its argmax alone (solver/active_set.hpp).
struct SquaredNorm {
  static constexpr const char* name = "squared_norm";
  static constexpr const char *method = "project", *vjp_method = "project_vjp";

  template <class S, class T, class Team>
  static constexpr bool has_own = requires(const S& s, const Team& team, Vector<const T> in,
                                           T length, Vector<T> out, Scratch scratch) {
    s.project(team, in, length, out, scratch);
    s.project_vjp(team, in, length, in, in, out, scratch);
  };
  template <class S, class T, class Team>
  static constexpr bool by_argmax = Plain<T> && !has_own<S, T, Team> &&
                                    requires(const S& s, const Team& team, Vector<const T> in,
                                             T length, Vector<T> out, Scratch scratch) {
    s.argmax(team, in, length, out, scratch);
  };

  /// f(x).
  template <class T, class Team>
  SOFTTRICKS_FN static T at(const Team& team, Vector<const T> x) {
    return team.sum(0, x.size, T(0), [&](int e) { return x[e] * x[e] * T(ScalarOf<T>(0.5)); });
  }

  /// Bytes that `active_set` needs beside the structure's own.
  template <class T, class S>
  SOFTTRICKS_FN static std::size_t active_set_scratch(const S& structure) {
    std::size_t oracle = sizeof(T) * static_cast<std::size_t>(structure.size());
    if constexpr (requires { structure.template entries_scratch<T>(); }) {
      oracle = structure.template entries_scratch<T>();
    }
    return ActiveSet<ScalarOf<T>>::scratch(structure.size()) + oracle + Scratch::alignment;
  }
  /// Bytes that relax and relax_vjp need beside the structure's own.
  template <class T, class S>
  SOFTTRICKS_FN static std::size_t more_scratch(const S& structure) {
    return has_own<S, T, SerialTeam<>> ? 0 : active_set_scratch<T>(structure);
  }

  template <class S, class T, class Team>
  requires has_own<S, T, Team> || by_argmax<S, T, Team> SOFTTRICKS_FN static void relax(
      const S& structure, const Team& team, Vector<const T> utility, T length, Vector<T> out,
      Scratch scratch) {
    if constexpr (has_own<S, T, Team>) {
      structure.project(team, utility, length, out, scratch);
    } else {
      ActiveSet<T> set(structure.size(), scratch);
      if (find(set, structure, team, utility, length, scratch)) return set.write_point(team, out);
      team.each(out.size, [&](int e) { out[e] = not_a_number<T>; });
    }
  }

  template <class S, class T, class Team>
  requires has_own<S, T, Team> || by_argmax<S, T, Team> SOFTTRICKS_FN static void relax_vjp(
      const S& structure, const Team& team, Vector<const T> utility, T length, Vector<const T> soft,
      Vector<const T> cotangent, Vector<T> out, Scratch scratch) {
    if constexpr (has_own<S, T, Team>) {
      structure.project_vjp(team, utility, length, soft, cotangent, out, scratch);
    } else {
      ActiveSet<T> set(structure.size(), scratch);
      if (find(set, structure, team, utility, length, scratch)) {
        return set.vjp(team, cotangent, out);
      }
      team.each(out.size, [&](int e) { out[e] = not_a_number<T>; });
    }
  }

  /// The members whose convex combination the soft sample is, the heaviest first, at most `count`
  /// of them, and their weights; rows beyond are 0. NaN where there is no member.
  template <class S, Plain T, class Team>
  SOFTTRICKS_SOLVER static void active_set(const S& structure, const Team& team,
                                           Vector<const T> utility, T length,
                                           int count,          //
                                           Matrix<T> members,  // [count, size]
                                           Vector<T> weights,  // [count]
                                           Scratch scratch) {
    const int size = structure.size();
    ActiveSet<T> set(size, scratch);
    const bool found = find(set, structure, team, utility, length, scratch);
    int row = 0;
    if (found) {
      set.sort();
      for (; row < count && row < set.count() && set.weight(row) > 0; ++row) {
        set.write_member(team, row, members.row(row));
        weights[row] = static_cast<T>(set.weight(row));
      }
    }
    for (; row < count; ++row) {
      weights[row] = found ? T(0) : not_a_number<T>;
      team.each(size, [&](int e) { members(row, e) = weights[row]; });
    }
  }

 private:
  template <class T, class S, class Team>
  SOFTTRICKS_SOLVER static bool find(ActiveSet<T>& set, const S& structure, const Team& team,
                                     Vector<const T> utility, T length, Scratch scratch) {
    const ArgmaxOracle<S, T, Team> oracle(structure, team, length, scratch);
    set.clear(team);
    return set.project(team, utility, oracle);
  }
};

}  // namespace softtricks
