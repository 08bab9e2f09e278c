#pragma once
/// The verbs, each written once for all structures. A verb says what it needs from a structure (so
/// that `offered` can be asked for), which of its methods does the work, which arrays it reads, and
/// what it returns.
#include "softtricks/base/dot.hpp"
#include "softtricks/base/result.hpp"
#include "softtricks/lists.hpp"

namespace softtricks {

/// One instance of a call. In a pack every field holds several instances side by side.
template <class T>
struct Operands {
  Vector<const T> utility;    // [size]
  Vector<const T> member;     // [size]
  Vector<const T> cotangent;  // [size]
  Vector<const T> other;      // [size]: utilities of a second law
  Vector<T> value;            // [count]: written by verbs that return members
  T length;
  const Stream<T>* stream;
};

struct Argmax {
  static constexpr const char *name = "argmax", *method = "argmax";
  static constexpr Result result = Result::entries;
  static constexpr bool reads_member = false, reads_cotangent = false, reads_other = false;
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
  static constexpr Result result = Result::number;
  static constexpr bool reads_member = false, reads_cotangent = false, reads_other = false;
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
  static constexpr Result result = Result::entries;
  static constexpr bool reads_member = false, reads_cotangent = false, reads_other = false;
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
  static constexpr Result result = Result::entries;
  static constexpr bool reads_member = false, reads_cotangent = true, reads_other = false;
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
  static constexpr Result result = Result::entries;
  static constexpr bool reads_member = false, reads_cotangent = false, reads_other = false;
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
  static constexpr Result result = Result::number;
  static constexpr bool reads_member = true, reads_cotangent = false, reads_other = false;
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
  static constexpr Result result = Result::number;
  static constexpr bool reads_member = false, reads_cotangent = false, reads_other = false;
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

/// -E[log p(x; other)], x drawn from the law of the utilities: +inf where marginals see that x may
/// be none of the other's members.
struct CrossEntropy {
  static constexpr const char *name = "cross_entropy", *method = "marginals";
  static constexpr Result result = Result::number;
  static constexpr bool reads_member = false, reads_cotangent = false, reads_other = true;
  static constexpr bool takes_infinity = false;
  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto run(const S& s, const Team& team, const Operands<T>& in, Vector<T> out,
                                Scratch scratch)
      -> decltype(void(s.log_partition(team, in.utility, in.length, scratch))) {
    const Vector<T> marginal = scratch.vector<T>(in.utility.size);
    s.marginals(team, in.utility, in.length, marginal, scratch);
    const T normalizer = s.log_partition(team, in.other, in.length, scratch);
    const T spoil = normalizer - normalizer;  // the other law has no members: NaN
    out[0] = normalizer - masked_dot(team, in.other, marginal.view()) + spoil;
  }
};

/// KL divergence of the law of the utilities from the other, at least 0: cross entropy less
/// entropy, from differences of utilities.
struct Kl {
  static constexpr const char *name = "kl", *method = "marginals";
  static constexpr Result result = Result::number;
  static constexpr bool reads_member = false, reads_cotangent = false, reads_other = true;
  static constexpr bool takes_infinity = false;
  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto run(const S& s, const Team& team, const Operands<T>& in, Vector<T> out,
                                Scratch scratch)
      -> decltype(void(s.log_partition(team, in.utility, in.length, scratch))) {
    const Vector<T> marginal = scratch.vector<T>(in.utility.size);
    s.marginals(team, in.utility, in.length, marginal, scratch);
    const T own = s.log_partition(team, in.utility, in.length, scratch);
    const T normalizer = s.log_partition(team, in.other, in.length, scratch);
    const T spoil = (normalizer - normalizer) + (own - own);  // a law without members: NaN
    const T gain = team.sum(0, marginal.size, T(0), [&](int e) {
      return select(marginal[e] == T(0), T(0), marginal[e] * (in.utility[e] - in.other[e]));
    });
    out[0] = max(gain + (normalizer - own), T(0)) + spoil;
  }
};

/// The best `count` members, best first, and their u.x; where there are fewer, rows of 0 and -inf.
struct KBest {
  static constexpr const char *name = "k_best", *method = "k_best";
  static constexpr Result result = Result::members;
  static constexpr bool reads_member = false, reads_cotangent = false, reads_other = false;
  static constexpr bool takes_infinity = false;
  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto run(const S& s, const Team& team, const Operands<T>& in, Vector<T> out,
                                Scratch scratch)
      -> decltype(s.k_best(team, in.utility, in.length, in.value.size,
                           Matrix<T>{out.data, in.utility.size}, in.value, scratch)) {
    s.k_best(team, in.utility, in.length, in.value.size, Matrix<T>{out.data, in.utility.size},
             in.value, scratch);
  }
  template <class T, class S>
  static std::size_t more_scratch(const S& s, int count) {
    return s.template k_best_scratch<T>(count);
  }
};

template <class Regularizer>
struct Relax {
  static constexpr const char *name = "relax", *method = Regularizer::method;
  static constexpr const char* regularizer = Regularizer::name;
  using Solver = Regularizer;
  static constexpr Result result = Result::entries;
  static constexpr bool reads_member = false, reads_cotangent = false, reads_other = false;
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
  using Solver = Regularizer;
  static constexpr Result result = Result::entries;
  static constexpr bool reads_member = true, reads_cotangent = true, reads_other = false;
  static constexpr bool takes_infinity = false;
  template <class S, class T, class Team>
  SOFTTRICKS_FN static auto run(const S& s, const Team& team, const Operands<T>& in, Vector<T> out,
                                Scratch scratch)
      -> decltype(Regularizer::relax_vjp(s, team, in.utility, in.length, in.member, in.cotangent,
                                         out, scratch)) {
    Regularizer::relax_vjp(s, team, in.utility, in.length, in.member, in.cotangent, out, scratch);
  }
};

/// The members of which a sparse soft sample is a mixture, heaviest first, and their weights; rows
/// of 0 behind the last. Of more than `count` members the lightest are left out.
template <class Regularizer>
struct ActiveSetOf {
  static constexpr const char *name = "active_set", *method = Regularizer::method;
  static constexpr const char* regularizer = Regularizer::name;
  using Solver = Regularizer;
  static constexpr Result result = Result::members;
  static constexpr bool reads_member = false, reads_cotangent = false, reads_other = false;
  static constexpr bool takes_infinity = false;
  template <class S, class T, class Team, class R = Regularizer>
  SOFTTRICKS_FN static auto run(const S& s, const Team& team, const Operands<T>& in, Vector<T> out,
                                Scratch scratch)
      -> decltype(R::active_set(s, team, in.utility, in.length, in.value.size,
                                Matrix<T>{out.data, in.utility.size}, in.value, scratch)) {
    R::active_set(s, team, in.utility, in.length, in.value.size,
                  Matrix<T>{out.data, in.utility.size}, in.value, scratch);
  }
  template <class T, class S, class R = Regularizer>
  static auto more_scratch(const S& s, int) -> decltype(R::template active_set_scratch<T>(s)) {
    return R::template active_set_scratch<T>(s);
  }
};

/// The verbs that stand alone, and those that come once for each regularizer.
using PlainVerbs = List<Argmax, LogPartition, Marginals, MarginalsVjp, Sample, LogProb, Entropy,
                        CrossEntropy, Kl, KBest>;

template <class F>
constexpr void for_each_verb(F f) {
  PlainVerbs::for_each(f);
  Regularizers::for_each([&]<class R>() { f.template operator()<Relax<R>>(); });
  Regularizers::for_each([&]<class R>() { f.template operator()<RelaxVjp<R>>(); });
  Regularizers::for_each([&]<class R>() { f.template operator()<ActiveSetOf<R>>(); });
}

template <class Verb>
constexpr bool reads_regularizer = requires {
  Verb::regularizer;
};

/// Bytes of scratch that suffice for the verb on structure s; `count`: of the members it returns.
template <class Verb, class T, class S>
constexpr std::size_t verb_scratch(const S& s, int count) {
  if constexpr (requires { Verb::template more_scratch<T>(s, count); }) {
    return s.template scratch<T>() + Verb::template more_scratch<T>(s, count);
  } else if constexpr (reads_regularizer<Verb>) {
    return relax_scratch<typename Verb::Solver, T>(s);
  } else {
    return s.template scratch<T>();
  }
}

/// Does S offer the verb on numbers T? Packs are refused by methods whose control flow depends on
/// the data; then instances go one by one.
template <class Verb, class S, class T, class Team>
concept Offered = requires(const S& s, const Team& team, const Operands<T>& in, Vector<T> out,
                           Scratch scratch) {
  Verb::run(s, team, in, out, scratch);
};

}  // namespace softtricks
