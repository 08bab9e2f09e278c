#pragma once
#include "softtricks/base/random.hpp"
#include "softtricks/base/status.hpp"
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"
#include "softtricks/perturbation/logistic.hpp"

namespace softtricks {

/// Any subset of `bits` independent bits; utility -inf forbids a bit.
///
/// Set       {0, 1}^bits: size bits, 2^bits members.
/// argmax    The sign of each utility; 0 where it is 0.
/// marginals Logistic function of each. Perturbed by Logistic noise: binary Concrete. [Maddison et
///           al. 2017]
/// sample    A uniform number for each bit.
/// posterior_utilities  Of logistic utilities, given the hard sample; exact, O(bits).
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
  /// Entries from which a method is better off along one instance than across several.
  static constexpr int alone_from(std::string_view method) {
    return method == "sample" ? never : 12;
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
  SOFTTRICKS_SOLVER MaskOf<T> contains(const Team& team, Vector<const T> x, T, Scratch) const {
    const auto other = []<class V>(const V& v) {
      return select((v == V(0)) | (v == V(1)), V(0), V(1));
    };
    return team.template map_sum<T>(bits, other, x.data) == T(0);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void argmax(const Team& team, Vector<const T> utility, T, Vector<T> x,
                                Scratch) const {
    const auto positive = []<class V>(const V& u) { return select(u > V(0), V(1), V(0)); };
    team.map(bits, x.data, positive, utility.data);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER T log_partition(const Team& team, Vector<const T> utility, T, Scratch) const {
    const auto of_one = []<class V>(const V& u) { return softplus(u); };
    return team.template map_sum<T>(bits, of_one, utility.data);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void marginals(const Team& team, Vector<const T> utility, T, Vector<T> out,
                                   Scratch) const {
    team.map(
        bits, out.data, []<class V>(const V& u) { return sigmoid(u); }, utility.data);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void marginals_vjp(const Team& team, Vector<const T> utility, T,
                                       Vector<const T> cotangent, Vector<T> out, Scratch) const {
    const auto product = []<class V>(const V& u, const V& g) {
      const V slope = sigmoid(u) * sigmoid(-u);
      return select(slope == V(0), V(0), slope * g);
    };
    team.map(bits, out.data, product, utility.data, cotangent.data);
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

  /// Logistic utilities of location theta, given their signs: inverse distribution functions, sums
  /// of numbers of one sign.
  template <Plain T, class Team>
  SOFTTRICKS_SOLVER void posterior_utilities(const Logistic& law, const Team& team,
                                             Vector<const T> theta, Vector<const T> x,
                                             const Stream<T>& stream, Vector<T> utility,
                                             Scratch) const {
    team.each(bits, [&](int i) {
      const Uniform<T> u = stream.at(static_cast<std::uint32_t>(i));
      const T side = select(x[i] == T(1), T(1), T(-1));
      const T place = side * theta[i] / T(law.scale) + log(u.below);
      utility[i] = side * T(law.scale) * (exponential_from(u) + softplus(place));
    });
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void project(const Team& team, Vector<const T> utility, T, Vector<T> out,
                                 Scratch) const {
    const auto clip = []<class V>(const V& u) { return max(V(0), min(V(1), u)); };
    team.map(bits, out.data, clip, utility.data);
  }
  template <class T, class Team>
  SOFTTRICKS_SOLVER void project_vjp(const Team& team, Vector<const T>, T, Vector<const T> soft,
                                     Vector<const T> cotangent, Vector<T> out, Scratch) const {
    const auto product = []<class V>(const V& x, const V& g) {
      return select((x > V(0)) & (x < V(1)), g, V(0));
    };
    team.map(bits, out.data, product, soft.data, cotangent.data);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void binary_entropy(const Team& team, Vector<const T> utility, T length,
                                        Vector<T> out, Scratch scratch) const {
    marginals(team, utility, length, out, scratch);
  }
  template <class T, class Team>
  SOFTTRICKS_SOLVER void binary_entropy_vjp(const Team& team, Vector<const T>, T,
                                            Vector<const T> soft, Vector<const T> cotangent,
                                            Vector<T> out, Scratch) const {
    const auto product = []<class V>(const V& x, const V& g) { return x * (V(1) - x) * g; };
    team.map(bits, out.data, product, soft.data, cotangent.data);
  }

  /// u x - x log x is largest at exp(u - 1).
  template <class T, class Team>
  SOFTTRICKS_SOLVER void shannon_entropy(const Team& team, Vector<const T> utility, T,
                                         Vector<T> out, Scratch) const {
    const auto soft = []<class V>(const V& u) { return exp(min(u, V(1)) - V(1)); };
    team.map(bits, out.data, soft, utility.data);
  }
  template <class T, class Team>
  SOFTTRICKS_SOLVER void shannon_entropy_vjp(const Team& team, Vector<const T>, T,
                                             Vector<const T> soft, Vector<const T> cotangent,
                                             Vector<T> out, Scratch) const {
    const auto product = []<class V>(const V& x, const V& g) {
      return select(x < V(1), x * g, V(0));
    };
    team.map(bits, out.data, product, soft.data, cotangent.data);
  }
};

}  // namespace softtricks
