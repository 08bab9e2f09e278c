#pragma once
#include "softtricks/base/random.hpp"
#include "softtricks/base/status.hpp"
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// Any subset of `bits` independent bits; utility -inf forbids a bit.
///
/// Set       {0, 1}^bits: size bits, 2^bits members.
/// argmax    The sign of each utility; 0 where it is 0.
/// marginals Logistic function of each. Perturbed by Logistic noise: binary Concrete. [Maddison et
///           al. 2017]
/// sample    A uniform number for each bit.
struct BitVector {
  int bits;

  static constexpr const char* name = "bit_vector";
  static constexpr const char* field_names[] = {"bits"};
  static constexpr int fields = 1;

  SOFTTRICKS_FN int size() const { return bits; }
  SOFTTRICKS_FN int longest() const { return bits; }
  Status check() const {
    if (bits >= 1) return {};
    return Status::error("bit_vector: bits must be at least 1, got " + std::to_string(bits));
  }
  template <class F>
  SOFTTRICKS_FN void for_each_entry(F f) const {
    for (int i = 0; i < bits; ++i) f(i, i + 1);
  }
  /// How many numbers the solvers keep touching: what a cache should hold.
  SOFTTRICKS_FN std::int64_t working_numbers() const { return std::int64_t{1} * bits; }
  /// Bytes of scratch that suffice for every method.
  template <class T>
  constexpr std::size_t scratch() const {
    return sizeof(T) * size() + Scratch::alignment;  // marginals for the entropy
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER MaskOf<T> contains(const Team&, Vector<const T> x, T, Scratch) const {
    MaskOf<T> binary = x[0] == x[0];
    for (int i = 0; i < bits; ++i) binary = binary & ((x[i] == T(0)) | (x[i] == T(1)));
    return binary;
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void argmax(const Team& team, Vector<const T> utility, T, Vector<T> x,
                                Scratch) const {
    team.each(bits, [&](int i) { x[i] = select(utility[i] > T(0), T(1), T(0)); });
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER T log_partition(const Team& team, Vector<const T> utility, T, Scratch) const {
    return team.sum(0, bits, T(0), [&](int i) { return softplus(utility[i]); });
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void marginals(const Team& team, Vector<const T> utility, T, Vector<T> out,
                                   Scratch) const {
    team.each(bits, [&](int i) { out[i] = sigmoid(utility[i]); });
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void marginals_vjp(const Team& team, Vector<const T> utility, T,
                                       Vector<const T> cotangent, Vector<T> out, Scratch) const {
    team.each(bits, [&](int i) {
      const T slope = sigmoid(utility[i]) * sigmoid(-utility[i]);
      out[i] = select(slope == T(0), T(0), slope * cotangent[i]);
    });
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void sample(const Team&, Vector<const T> utility, T, const Stream<T>& stream,
                                Vector<T> x, Scratch) const {
    Stream<T> random = stream;
    for (int i = 0; i < bits; ++i) {
      const Uniform<T> u = random.next();
      const auto chosen = bernoulli(u, sigmoid(utility[i]), sigmoid(-utility[i]));
      x[i] = select(chosen, T(1), T(0));
    }
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void project(const Team& team, Vector<const T> utility, T, Vector<T> out,
                                 Scratch) const {
    team.each(bits, [&](int i) { out[i] = max(T(0), min(T(1), utility[i])); });
  }
  template <class T, class Team>
  SOFTTRICKS_SOLVER void project_vjp(const Team& team, Vector<const T> soft,
                                     Vector<const T> cotangent, Vector<T> out) const {
    team.each(bits, [&](int i) {
      out[i] = select((soft[i] > T(0)) & (soft[i] < T(1)), cotangent[i], T(0));
    });
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void binary_entropy(const Team& team, Vector<const T> utility, T length,
                                        Vector<T> out, Scratch scratch) const {
    marginals(team, utility, length, out, scratch);
  }
  template <class T, class Team>
  SOFTTRICKS_SOLVER void binary_entropy_vjp(const Team& team, Vector<const T> soft,
                                            Vector<const T> cotangent, Vector<T> out) const {
    team.each(bits, [&](int i) { out[i] = soft[i] * (T(1) - soft[i]) * cotangent[i]; });
  }

  /// u x - x log x is largest at exp(u - 1).
  template <class T, class Team>
  SOFTTRICKS_SOLVER void shannon_entropy(const Team& team, Vector<const T> utility, T,
                                         Vector<T> out, Scratch) const {
    team.each(bits, [&](int i) { out[i] = exp(min(utility[i], T(1)) - T(1)); });
  }
  template <class T, class Team>
  SOFTTRICKS_SOLVER void shannon_entropy_vjp(const Team& team, Vector<const T> soft,
                                             Vector<const T> cotangent, Vector<T> out) const {
    team.each(bits, [&](int i) { out[i] = select(soft[i] < T(1), soft[i] * cotangent[i], T(0)); });
  }
};

}  // namespace softtricks
