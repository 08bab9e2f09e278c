#pragma once
#include <string>

#include "softtricks/base/status.hpp"
#include "softtricks/solver/inside_outside.hpp"

namespace softtricks {

/// Paths through `length` steps, each in one of `states` states.
///
/// Set       0/1 vectors of length x states numbers [t, state], then (length-1) x states x states
///           [t, from, to], one where the path is in a state or takes a transition: states^length
///           members. An instance of length m uses steps 0 .. m-1.
/// argmax    Viterbi, O(length states^2) time. [Viterbi 1967]
/// marginals Forward and backward by inside and outside, O(length states^2) time and scratch; all
///           other verbs the same way. See solver/inside_outside.hpp. [Baum et al. 1970]
struct LinearChain : Derivations<LinearChain> {
  int length = 1;
  int states = 1;

  constexpr LinearChain() = default;
  SOFTTRICKS_FN constexpr LinearChain(int steps, int of) : length(steps), states(of) {}

  static constexpr const char* name = "linear_chain";
  static constexpr const char* field_names[] = {"length", "states"};
  static constexpr int fields = 2;

  SOFTTRICKS_FN constexpr int size() const {
    return length * states + (length - 1) * states * states;
  }
  SOFTTRICKS_FN int longest() const { return length; }
  Status check() const {
    const bool positive = length >= 1 && states >= 1;
    if (positive && 1.0 * length * states * (states + 1.0) < (1 << 28)) return {};
    return Status::error(
        "linear_chain: length and states must be at least 1 and length * states^2 "
        "below 2^28, got length = " +
        std::to_string(length) + ", states = " + std::to_string(states));
  }
  template <class F>
  SOFTTRICKS_FN void for_each_entry(F f) const {
    for (int e = 0; e < length * states; ++e) f(e, e / states + 1);
    const int square = states * states;
    for (int e = 0; e < (length - 1) * square; ++e) f(length * states + e, e / square + 2);
  }

  /// Node t * states + s: the path is in state s at step t; the last: it has ended.
  SOFTTRICKS_FN constexpr int node_count() const { return length * states + 1; }
  SOFTTRICKS_FN constexpr int most_rules() const { return length * states; }
  static constexpr bool entries_once = true;
  template <bool top_down, class F>
  SOFTTRICKS_FN void for_each_node(F f) const {
    const int root = length * states;
    const auto ends = [&](auto visit) {
      for (int node = 0; node < root; ++node) {
        visit(Rule{Rule::none, node, Rule::none, node / states + 1});
      }
    };
    if (top_down) f(Node{root}, ends);
    in_order<top_down>(length, [&](int t) {
      in_order<top_down>(states, [&](int state) {
        const int node = t * states + state;
        f(Node{node, node, t == 0}, [&](auto visit) {
          if (t == 0) return;
          const int before = (t - 1) * states, pairs = root + before * states + state;
          for (int from = 0; from < states; ++from) {
            visit(Rule{pairs + from * states, before + from});
          }
        });
      });
    });
    if (!top_down) f(Node{root}, ends);
  }

  /// The argmax as the places of its ones, found by plain sums; -1 if there is no member. For
  /// solvers that ask many times; up to Team::room numbers behind the utilities may be read.
  template <class T>
  constexpr std::size_t entries_scratch() const {
    return 2 * (sizeof(T) * static_cast<std::size_t>(length) *
                    static_cast<std::size_t>(states + SerialTeam<>::room) +
                Scratch::alignment);
  }
  template <Plain T, class Team>
  SOFTTRICKS_SOLVER int argmax_entries(const Team& team, Vector<const T> utility, T actual_length,
                                       int* entry, Scratch scratch) const {
    const int steps = static_cast<int>(actual_length), square = states * states;
    const int wide = Team::template whole_blocks<T>(states);
    const Matrix<T> best{scratch.take<T>(steps * wide), wide};
    const Matrix<T> origin{scratch.take<T>(steps * wide), wide};  // the state before
    team.each(states, [&](int s) { best(0, s) = utility[s]; });
    for (int t = 1; t < steps; ++t) {
      const T* const before = best.row(t - 1);
      const T* const pair = utility.data + length * states + (t - 1) * square;
      team.template each_block_of<T>(wide, [&](auto block) {
        using V = decltype(block.read(pair));
        V top[2] = {V(-infinity<V>), V(-infinity<V>)}, where[2] = {V(0), V(0)};
        const auto look = [&](int from, int half) {
          const V value = V(before[from]) + block.read(pair + from * states);
          where[half] = select(value > top[half], V(ScalarOf<V>(from)), where[half]);
          top[half] = max(top[half], value);
        };
        for (int from = 0; from + 1 < states; from += 2) {
          look(from, 0);  // two, so that they don't wait for each other
          look(from + 1, 1);
        }
        if (states % 2 == 1) look(states - 1, 0);
        block.write(origin.row(t), select(top[1] > top[0], where[1], where[0]));
        block.write(best.row(t), max(top[0], top[1]) + block.read(utility.data + t * states));
      });
    }
    const T* const last = best.row(steps - 1);
    int state = team.template argmax<T>(0, states, [&](int s) { return last[s]; }), count = 0;
    if (!(last[state] > -infinity<T>)) return -1;
    for (int t = steps - 1; t >= 0; --t) {
      entry[count++] = t * states + state;
      if (t == 0) break;
      const int from = static_cast<int>(origin(t, state));
      entry[count++] = length * states + (t - 1) * square + from * states + state;
      state = from;
    }
    return count;
  }
};

}  // namespace softtricks
