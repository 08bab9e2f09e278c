#pragma once
/// The verbs, each written once for all structures. A verb says what it needs from a structure (so
/// that `offered` can be asked for), which of its methods does the work, which arrays it reads, and
/// whether its result is one number an instance or one an entry.
#include "softtricks/base/dot.hpp"
#include "softtricks/lists.hpp"

namespace softtricks {

/// One instance of a call. In a pack every field holds several instances side by side.
template <class T>
struct Operands {
  Vector<const T> utility;    // [size]
  Vector<const T> member;     // [size]
  Vector<const T> cotangent;  // [size]
  T length;
  const Stream<T>* stream;
};

struct Argmax {
  static constexpr const char *name = "argmax", *method = "argmax";
  static constexpr bool scalar = false, reads_member = false, reads_cotangent = false;
  /// Ties and infinities are fine here; elsewhere +inf has no meaning.
  static constexpr bool takes_infinity = true;
  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto run(const S& s, const Team& team, const Operands<T>& in, Vector<T> out,
                                Scratch scratch)
      -> decltype(s.argmax(team, in.utility, in.length, out, scratch)) {
    s.argmax(team, in.utility, in.length, out, scratch);
  }
};

struct LogPartition {
  static constexpr const char *name = "log_partition", *method = "log_partition";
  static constexpr bool scalar = true, reads_member = false, reads_cotangent = false;
  static constexpr bool takes_infinity = false;
  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto run(const S& s, const Team& team, const Operands<T>& in, Vector<T> out,
                                Scratch scratch)
      -> decltype(void(s.log_partition(team, in.utility, in.length, scratch))) {
    out[0] = s.log_partition(team, in.utility, in.length, scratch);
  }
};

struct Marginals {
  static constexpr const char *name = "marginals", *method = "marginals";
  static constexpr bool scalar = false, reads_member = false, reads_cotangent = false;
  static constexpr bool takes_infinity = false;
  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto run(const S& s, const Team& team, const Operands<T>& in, Vector<T> out,
                                Scratch scratch)
      -> decltype(s.marginals(team, in.utility, in.length, out, scratch)) {
    s.marginals(team, in.utility, in.length, out, scratch);
  }
};

struct MarginalsVjp {
  static constexpr const char *name = "marginals_vjp", *method = "marginals_vjp";
  static constexpr bool scalar = false, reads_member = false, reads_cotangent = true;
  static constexpr bool takes_infinity = false;
  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto run(const S& s, const Team& team, const Operands<T>& in, Vector<T> out,
                                Scratch scratch)
      -> decltype(s.marginals_vjp(team, in.utility, in.length, in.cotangent, out, scratch)) {
    s.marginals_vjp(team, in.utility, in.length, in.cotangent, out, scratch);
  }
};

struct Sample {
  static constexpr const char *name = "sample", *method = "sample";
  static constexpr bool scalar = false, reads_member = false, reads_cotangent = false;
  static constexpr bool takes_infinity = false;
  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto run(const S& s, const Team& team, const Operands<T>& in, Vector<T> out,
                                Scratch scratch)
      -> decltype(s.sample(team, in.utility, in.length, *in.stream, out, scratch)) {
    s.sample(team, in.utility, in.length, *in.stream, out, scratch);
  }
};

/// u.x - A(u); -inf where x is not a member.
struct LogProb {
  static constexpr const char *name = "log_prob", *method = "log_partition";
  static constexpr bool scalar = true, reads_member = true, reads_cotangent = false;
  static constexpr bool takes_infinity = false;
  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto run(const S& s, const Team& team, const Operands<T>& in, Vector<T> out,
                                Scratch scratch)
      -> decltype(void(s.log_partition(team, in.utility, in.length, scratch))) {
    const auto member = s.contains(team, in.member, in.length, scratch);
    const T normalizer = s.log_partition(team, in.utility, in.length, scratch);
    const T value = masked_dot(team, in.utility, in.member) - normalizer;
    const T spoil = normalizer - normalizer;  // an infeasible instance has no probabilities: NaN
    out[0] = select(member, value, T(-infinity<T>)) + spoil;
  }
};

/// Entropy of the Gibbs law: A(u) - u.marginals.
struct Entropy {
  static constexpr const char *name = "entropy", *method = "marginals";
  static constexpr bool scalar = true, reads_member = false, reads_cotangent = false;
  static constexpr bool takes_infinity = false;
  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto run(const S& s, const Team& team, const Operands<T>& in, Vector<T> out,
                                Scratch scratch)
      -> decltype(void(s.log_partition(team, in.utility, in.length, scratch))) {
    const int size = in.utility.size;
    const Vector<T> marginal = scratch.vector<T>(size);
    s.marginals(team, in.utility, in.length, marginal, scratch);
    out[0] = s.log_partition(team, in.utility, in.length, scratch) -
             masked_dot(team, in.utility, marginal.view());
  }
};

template <class Regularizer>
struct Relax {
  static constexpr const char *name = "relax", *method = Regularizer::method;
  static constexpr const char* regularizer = Regularizer::name;
  static constexpr bool scalar = false, reads_member = false, reads_cotangent = false;
  static constexpr bool takes_infinity = false;
  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto run(const S& s, const Team& team, const Operands<T>& in, Vector<T> out,
                                Scratch scratch)
      -> decltype(Regularizer::relax(s, team, in.utility, in.length, out, scratch)) {
    Regularizer::relax(s, team, in.utility, in.length, out, scratch);
  }
};

/// The vector-Jacobian product of Relax; `member` is the soft sample.
template <class Regularizer>
struct RelaxVjp {
  static constexpr const char *name = "relax_vjp", *method = Regularizer::vjp_method;
  static constexpr const char* regularizer = Regularizer::name;
  static constexpr bool scalar = false, reads_member = true, reads_cotangent = true;
  static constexpr bool takes_infinity = false;
  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto run(const S& s, const Team& team, const Operands<T>& in, Vector<T> out,
                                Scratch scratch)
      -> decltype(Regularizer::relax_vjp(s, team, in.utility, in.length, in.member, in.cotangent,
                                         out, scratch)) {
    Regularizer::relax_vjp(s, team, in.utility, in.length, in.member, in.cotangent, out, scratch);
  }
};

/// The verbs that stand alone, and those that come once for each regularizer.
using PlainVerbs = List<Argmax, LogPartition, Marginals, MarginalsVjp, Sample, LogProb, Entropy>;

template <class F>
constexpr void for_each_verb(F f) {
  PlainVerbs::for_each(f);
  Regularizers::for_each([&]<class R>() { f.template operator()<Relax<R>>(); });
  Regularizers::for_each([&]<class R>() { f.template operator()<RelaxVjp<R>>(); });
}

template <class Verb>
constexpr bool reads_regularizer = requires {
  Verb::regularizer;
};

/// Does S offer the verb on numbers T? Packs are refused by methods whose control flow depends on
/// the data; then instances go one by one.
template <class Verb, class S, class T, class Team>
concept Offered = requires(const S& s, const Team& team, const Operands<T>& in, Vector<T> out,
                           Scratch scratch) {
  Verb::run(s, team, in, out, scratch);
};

}  // namespace softtricks
