#pragma once
/// Dynamic programs, all of them: sums, maxima and draws over the derivations of a directed acyclic
/// hypergraph (derivation.hpp). [Goodman 1999; Huang 2008]
///
/// inside    Weights of all ways to make a node, summed; mantissa and exponent apart, so that
///           nothing over- or underflows.
/// outside   Ratios of these are the chance of each rule given its node, plain numbers in [0, 1];
///           top down they give the chance of each node, and of each entry: the marginals.
/// vjp       Derivatives of those chances by hand, relative to the likeliest rule of each node.
/// k_best    See best_derivations.hpp.
///
/// Cost      O(rules) time; scratch for the entries and a few numbers a node. Nothing nearly equal
///           is subtracted: chances have full relative accuracy at any spread of utilities.
#include "softtricks/base/random.hpp"
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"
#include "softtricks/base/wide.hpp"
#include "softtricks/solver/best_derivations.hpp"
#include "softtricks/solver/derivation.hpp"

namespace softtricks {

/// Wide numbers of which mantissas and exponents lie apart.
template <class T>
struct WideVector {
  T *mantissa, *exponent;

  SOFTTRICKS_FN WideVector(int size, Scratch& scratch)
      : mantissa(scratch.take<T>(static_cast<std::size_t>(size))),
        exponent(scratch.take<T>(static_cast<std::size_t>(size))) {}
  SOFTTRICKS_FN Wide<T> operator[](int i) const { return {mantissa[i], exponent[i]}; }
  SOFTTRICKS_FN void set(int i, const Wide<T>& x) const {
    mantissa[i] = x.mantissa;
    exponent[i] = x.exponent;
  }
};

/// Whether every entry is used by just one rule or node, and every rule but those of the root has
/// one, as a structure says by `entries_once`. Then each rule's part in its node is kept in the
/// place of its entry, and the exponents of a node's rules are compared before they are summed:
/// ahead where nodes have many rules.
template <class Graph>
inline constexpr bool tabled = requires {
  Graph::entries_once;
};

/// The inside pass of one instance. Where the program is tabled, `part`, a number for each entry,
/// is what chances come from, until an entry's place is overwritten; without it nothing but the
/// total is there.
template <class Graph, class T, class Team>
class Inside {
 public:
  SOFTTRICKS_SOLVER Inside(const Graph& graph, const Team& team, Vector<const T> utility, T length,
                           T* part, Scratch& scratch)
      : graph_(graph),
        utility_(utility),
        length_(length),
        weight_(tabled<Graph> ? 0 : utility.size, scratch),
        ways_(graph.node_count(), scratch),
        inverse_(graph.node_count(), scratch),
        part_(part),
        root_part_(scratch.take<T>(tabled<Graph> ? graph.most_rules() : 0)) {
    if constexpr (!tabled<Graph>) {
      team.each(utility.size, [&](int e) { weight_.set(e, exp_apart(utility[e])); });
    }
    const WideVector<T> way(tabled<Graph> ? graph.most_rules() : 0, scratch);
    graph.template for_each_node<false>(
        [&](const Node& node, auto rules) { sum_rules(node, rules, way); });
  }

  SOFTTRICKS_FN Wide<T> total() const { return ways_[graph_.node_count() - 1]; }
  /// 0, or NaN where there is no member.
  SOFTTRICKS_FN T spoil() const {
    return select(total().mantissa > T(0), T(0), T(not_a_number<T>));
  }

  /// f(rule, its chance given that its node is used) for the rules of a node; 0 for nodes that
  /// can't be.
  template <class Rules, class F>
  SOFTTRICKS_FN void for_each_chance(const Node& node, Rules rules, F f) const {
    const Wide<T> inverse = inverse_[node.index];
    if constexpr (tabled<Graph>) {
      int number = 0;
      rules([&](const Rule& rule) { f(rule, part_of(rule, number++) * inverse.mantissa); });
    } else {
      rules([&](const Rule& rule) {
        const Wide<T> way = ways_of(rule);
        // Not above 1; but a way of weight 0 may have any exponent.
        const T exponent = min(way.exponent + inverse.exponent, T(0));
        f(rule, scale2(way.mantissa * inverse.mantissa, exponent));
      });
    }
  }

 private:
  SOFTTRICKS_FN T& part_of(const Rule& rule, int number) const {
    return rule.entry == Rule::none ? root_part_[number] : part_[rule.entry];
  }
  SOFTTRICKS_FN Wide<T> weight_of(int entry) const {
    if constexpr (tabled<Graph>) return exp_apart(utility_[entry]);
    return weight_[entry];
  }

  /// The weight of all ways to use a rule: a mantissa below 8, not normalized.
  SOFTTRICKS_FN Wide<T> ways_of(const Rule& rule) const {
    Wide<T> way(T(1), T(0));
    const auto times = [&](const Wide<T>& factor) {
      way = {way.mantissa * factor.mantissa, way.exponent + factor.exponent};
    };
    if (rule.left != Rule::none) way = ways_[rule.left];
    if (rule.right != Rule::none) times(ways_[rule.right]);
    if (rule.entry != Rule::none) times(weight_of(rule.entry));
    if (rule.length != 0) {
      const auto fits = length_ == T(ScalarOf<T>(rule.length));
      way = select(fits, way, Wide<T>(T(0), T(Wide<T>::zero_exponent)));
    }
    return way;
  }

  /// Sums the ways of a node. The exponents of ways of weight 0 are far below all others.
  template <class Rules>
  SOFTTRICKS_FN void sum_rules(const Node& node, Rules rules, WideVector<T> way) const {
    T top(node.leaf ? ScalarOf<T>(0) : Wide<T>::zero_exponent), sum(node.leaf ? 1 : 0);
    if constexpr (tabled<Graph>) {  // the highest exponent first
      int count = 0, number = 0;
      rules([&](const Rule& rule) {
        const Wide<T> here = ways_of(rule);
        top = max(top, here.exponent);
        way.set(count++, here);
      });
      if (node.leaf) sum = scale2(sum, -top);  // else -top may be above all range
      rules([&](const Rule& rule) {
        const T part = scale2(way.mantissa[number], way.exponent[number] - top);
        sum = sum + part;
        if (part_ != nullptr) part_of(rule, number) = part;
        ++number;
      });
    } else {
      rules([&](const Rule& rule) {
        const Wide<T> here = ways_of(rule);
        const T higher = max(top, here.exponent);
        sum = scale2(sum, top - higher) + scale2(here.mantissa, here.exponent - higher);
        top = higher;
      });
    }
    // Where there is no way at all, chances are 0.
    inverse_.set(node.index, {select(sum > T(0), T(1) / sum, T(0)), -top});
    if (node.entry != Rule::none) {
      const Wide<T> own = weight_of(node.entry);
      sum = sum * own.mantissa;
      top = top + own.exponent;
    }
    ways_.set(node.index, Wide<T>::normalized(sum, top));
  }

  const Graph& graph_;
  Vector<const T> utility_;
  T length_;
  WideVector<T> weight_;   // [entries], where the program is not tabled
  WideVector<T> ways_;     // [nodes]: the weight of all ways to make a node and use it
  WideVector<T> inverse_;  // [nodes]: one over that without its own entry
  T* part_;       // [entries]: the part of the entry's rule in its node, times 2^top of that
  T* root_part_;  // the same for the root's rules
};

/// The verbs of a structure that is a dynamic program; `Graph` derives from this.
template <class Graph>
struct Derivations {
  /// Bytes of scratch that suffice for every method.
  template <class T>
  constexpr std::size_t scratch() const {
    const auto nodes = static_cast<std::size_t>(graph().node_count());
    const auto size = static_cast<std::size_t>(graph().size());
    const auto rules = static_cast<std::size_t>(graph().most_rules());
    return sizeof(T) * (3 * size + 10 * nodes + 5 * rules) + 24 * Scratch::alignment;
  }
  SOFTTRICKS_FN std::int64_t working_numbers() const {
    return std::int64_t{1} * graph().size() + 5 * std::int64_t{1} * graph().node_count();
  }

  /// x is a member if it is the best one for the utilities 2 x - 1: another has fewer of its ones,
  /// or more besides.
  template <class T, class Team>
  SOFTTRICKS_SOLVER MaskOf<T> contains(const Team& team, Vector<const T> x, T length,
                                       Scratch scratch) const {
    const Vector<T> liking = scratch.vector<T>(x.size), best = scratch.vector<T>(x.size);
    team.map(
        x.size, liking.data, []<class V>(const V& v) { return v + v - V(1); }, x.data);
    argmax(team, liking.view(), length, best, scratch);
    const auto differ = []<class V>(const V& a, const V& b) { return select(a == b, V(0), V(1)); };
    return team.template map_sum<T>(x.size, differ, x.data, best.data) == T(0);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void argmax(const Team&, Vector<const T> utility, T length, Vector<T> x,
                                Scratch scratch) const {
    const Vector<T> choice = scratch.vector<T>(graph().node_count());  // number of the best rule
    T value = plain_choices<Team>(utility, length, choice, scratch);
    if (any(!is_finite(value))) value = scored_choices<Team>(utility, length, choice, scratch);
    descend(x, select(value > T(-infinity<T>), T(0), T(not_a_number<T>)), scratch,
            [&](const Node& node, auto rules, auto visit) {
              T number(0);
              rules([&](const Rule& rule) {
                visit(rule, choice[node.index] == number);
                number = number + T(1);
              });
            });
  }

  /// The `count` best members, best first; of equals, first what argmax prefers. Where there are
  /// fewer, members 0 and values -inf; NaN where there is none.
  template <Plain T, class Team>
  SOFTTRICKS_SOLVER void k_best(const Team& team, Vector<const T> utility, T length, int count,
                                Matrix<T> members, Vector<T> values, Scratch scratch) const {
    const BestDerivations<Graph, T, Team> best(graph(), utility, length, count, scratch);
    const int found = best.found();
    for (int r = 0; r < count; ++r) {
      const Vector<T> x{members.row(r), utility.size};
      const T spoil = found > 0 ? T(0) : T(not_a_number<T>);
      team.each(x.size, [&](int e) { x[e] = spoil; });
      values[r] = r < found ? best.unroll(r, x, scratch) : -infinity<T> + spoil;
    }
  }
  template <class T>
  std::size_t k_best_scratch(int count) const {
    return BestDerivations<Graph, T, SerialTeam<>>::bytes(graph(), count);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER T log_partition(const Team& team, Vector<const T> utility, T length,
                                    Scratch scratch) const {
    const Inside<Graph, T, Team> inside(graph(), team, utility, length, nullptr, scratch);
    const Wide<T> total = inside.total();
    return select(total.mantissa > T(0), log(total), T(-infinity<T>));
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void marginals(const Team& team, Vector<const T> utility, T length,
                                   Vector<T> out, Scratch scratch) const {
    const Inside<Graph, T, Team> inside(graph(), team, utility, length, out.data, scratch);
    const Vector<T> reach = scratch.vector<T>(graph().node_count());
    begin(team, inside.spoil(), reach, out);
    graph().template for_each_node<true>([&](const Node& node, auto rules) {
      const T here = reach[node.index];
      hand(out, node.entry, here, at_most_one<T>);
      inside.for_each_chance(node, rules, [&](const Rule& rule, T chance) {
        const T used = here * chance;
        hand(out, rule.entry, used, at_most_one<T>);
        add(reach, rule.left, used);
        add(reach, rule.right, used);
      });
    });
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void marginals_vjp(const Team& team, Vector<const T> utility, T length,
                                       Vector<const T> cotangent, Vector<T> out,
                                       Scratch scratch) const {
    const Inside<Graph, T, Team> inside(graph(), team, utility, length, out.data, scratch);
    pull_back(team, inside, cotangent, out, scratch);
  }

  /// Top down, one rule for each node in use, by a random number of the node's own.
  template <class T, class Team>
  SOFTTRICKS_SOLVER void sample(const Team& team, Vector<const T> utility, T length,
                                const Stream<T>& stream, Vector<T> x, Scratch scratch) const {
    T* const part = scratch.take<T>(tabled<Graph> ? utility.size : 0);
    const Inside<Graph, T, Team> inside(graph(), team, utility, length, part, scratch);
    descend(x, inside.spoil(), scratch, [&](const Node& node, auto rules, auto visit) {
      T total(0), sum(0);
      inside.for_each_chance(node, rules, [&](const Rule&, T chance) { total = total + chance; });
      const T mark = total * stream.at(static_cast<std::uint32_t>(node.index)).below;
      auto open = total > T(0);
      inside.for_each_chance(node, rules, [&](const Rule& rule, T chance) {
        sum = sum + chance;
        const auto chosen = open & (sum >= mark);
        open = open & !chosen;
        visit(rule, chosen);
      });
    });
  }

 private:
  SOFTTRICKS_FN const Graph& graph() const { return static_cast<const Graph&>(*this); }

  template <class T>
  SOFTTRICKS_FN static void add(Vector<T> to, int place, T amount) {
    if (place != Rule::none) to[place] = to[place] + amount;
  }

  template <class T>
  SOFTTRICKS_FN static T as_it_is(T x) {
    return x;
  }
  /// Rounding must not make an entry more than certain.
  template <class T>
  SOFTTRICKS_FN static T at_most_one(T x) {
    return select(x > T(1), T(1), x);
  }
  /// Adds to what an entry has so far; where entries are met once, there was nothing.
  template <class T, class F>
  SOFTTRICKS_FN static void hand(Vector<T> out, int entry, T amount, F limit) {
    if (entry == Rule::none) return;
    if constexpr (!tabled<Graph>) amount = out[entry] + amount;
    out[entry] = limit(amount);
  }
  /// The root is reached, nothing else so far; `spoil`, 0 or NaN, goes with it.
  template <class T, class Team>
  SOFTTRICKS_FN static void begin(const Team& team, T spoil, Vector<T> reach, Vector<T> out) {
    const int root = reach.size - 1;
    team.each(reach.size, [&](int node) { reach[node] = node == root ? T(1) + spoil : T(0); });
    if constexpr (!tabled<Graph>) team.each(out.size, [&](int e) { out[e] = spoil; });
  }

  /// The best rule of every node, where the best member has a finite value; else the result is not
  /// finite. Rules are compared by plain sums; only where these come too close, by long ones.
  template <class Team, class T>
  SOFTTRICKS_SOLVER T plain_choices(Vector<const T> utility, T length, Vector<T> choice,
                                    Scratch scratch) const {
    using Sum = LongSum<T>;
    const T none(-infinity<T>);
    const Vector<Sum> best = scratch.vector<Sum>(graph().node_count());
    const auto utility_of = [&](int e) { return e == Rule::none ? T(0) : utility[e]; };
    const auto parts_of = [&](const Rule& rule) {
      Sum parts{T(0), T(0)};
      if (rule.left != Rule::none) parts = best[rule.left];
      if (rule.right != Rule::none) parts = parts + best[rule.right];
      if (rule.length == 0) return parts;
      const auto fits = length == T(ScalarOf<T>(rule.length));
      return Sum::either(fits, parts, Sum{none, T(0)});
    };
    T largest(0);  // of the sums so far, by size
    graph().template for_each_node<false>([&](const Node& node, auto rules) {
      const T at_first = node.leaf ? T(0) : none;
      T top = at_first, second = none, chosen(-1), number(0), entry(0);
      Sum parts{at_first, T(0)};
      rules([&](const Rule& rule) {
        const Sum below = parts_of(rule);
        const T u = utility_of(rule.entry), sum = below.high + u;
        const auto better = sum > top;
        second = max(second, min(sum, top));
        top = max(sum, top);
        parts = Sum::either(better, below, parts);
        entry = select(better, u, entry);
        chosen = select(better, number, chosen);
        number = number + T(1);
      });
      largest = select(is_finite(top), max(largest, abs(top)), largest);
      const T doubt = T(ScalarOf<T>(8) * epsilon<T>) * largest;
      Sum most = parts + Sum{entry, T(0)};
      if (any((second >= top - doubt) & (second > none))) {
        most = {at_first, T(0)};
        chosen = T(-1);
        number = T(0);
        rules([&](const Rule& rule) {
          const Sum other = parts_of(rule) + Sum{utility_of(rule.entry), T(0)};
          const auto better = most.below(other);
          most = Sum::either(better, other, most);
          chosen = select(better, number, chosen);
          number = number + T(1);
        });
      }
      if (node.entry != Rule::none) most = most + Sum{utility[node.entry], T(0)};
      best[node.index] = most;
      choice[node.index] = chosen;
      largest = select(is_finite(most.high), max(largest, abs(most.high)), largest);
    });
    return best[graph().node_count() - 1].high;
  }

  /// The best rule of every node, whatever the utilities; -inf if there is no member.
  template <class Team, class T>
  SOFTTRICKS_SOLVER T scored_choices(Vector<const T> utility, T length, Vector<T> choice,
                                     Scratch scratch) const {
    using S = Score<T>;
    const Vector<S> best = scratch.vector<S>(graph().node_count());
    const auto score = [&](const Rule& rule) {
      S sum = S::zero();
      if (rule.left != Rule::none) sum = best[rule.left];
      if (rule.right != Rule::none) sum = sum + best[rule.right];
      if (rule.entry != Rule::none) sum = sum + S::of(utility[rule.entry]);
      if (rule.length == 0) return sum;
      const auto fits = length == T(ScalarOf<T>(rule.length));
      sum.infinite = select(fits, sum.infinite, T(-infinity<T>));
      return sum;
    };
    graph().template for_each_node<false>([&](const Node& node, auto rules) {
      S most = node.leaf ? S::zero() : S::worst();
      T chosen(-1), number(0);
      rules([&](const Rule& rule) {
        const S other = score(rule);
        const auto better = most.below(other);
        most = S::either(better, other, most);
        chosen = select(better, number, chosen);
        number = number + T(1);
      });
      if (node.entry != Rule::none) most = most + S::of(utility[node.entry]);
      best[node.index] = most;
      choice[node.index] = chosen;
    });
    return best[graph().node_count() - 1].infinite;
  }

  /// Fills x with the entries of the rules that choose(node, rules, visit) says, by visit(rule,
  /// lanes in which it is chosen), of nodes in use. `spoil`: 0, or NaN for lanes without a member.
  template <class T, class Choose>
  SOFTTRICKS_FN void descend(Vector<T> x, T spoil, Scratch scratch, Choose choose) const {
    const Vector<T> used = scratch.vector<T>(graph().node_count());
    for (int node = 0; node < used.size; ++node) used[node] = T(node + 1 == used.size ? 1 : 0);
    for (int e = 0; e < x.size; ++e) x[e] = spoil;
    graph().template for_each_node<true>([&](const Node& node, auto rules) {
      const T use = used[node.index];
      if (!any(use > T(0))) return;
      add(x, node.entry, use);
      choose(node, rules, [&](const Rule& rule, auto chosen) {
        const T here = select(chosen, use, T(0));
        add(x, rule.entry, here);
        add(used, rule.left, here);
        add(used, rule.right, here);
      });
    });
  }

  /// What the cotangent says of a rule's entry and of all below it, expected.
  template <class T>
  SOFTTRICKS_FN static T expected(const Rule& rule, T chance, Vector<const T> cotangent,
                                  Vector<T> below) {
    T sum(0);
    if (rule.entry != Rule::none) sum = cotangent[rule.entry];
    if (rule.left != Rule::none) sum = sum + below[rule.left];
    if (rule.right != Rule::none) sum = sum + below[rule.right];
    return select(chance == T(0), T(0), sum);
  }

  /// A chance p_r of a rule changes by p_r (s_r - sum p s), s the cotangent expected below it.
  /// Taken relative to s of the likeliest rule, nothing cancels where that has nearly all chance.
  template <class T, class Team, class Ways>
  SOFTTRICKS_SOLVER void pull_back(const Team& team, const Ways& inside, Vector<const T> cotangent,
                                   Vector<T> out, Scratch scratch) const {
    const int nodes = graph().node_count();
    const Vector<T> reach = scratch.vector<T>(nodes), change = scratch.vector<T>(nodes);
    const Vector<T> below = scratch.vector<T>(nodes), pivot = scratch.vector<T>(nodes),
                    rest = scratch.vector<T>(nodes);
    const Vector<T> chance = scratch.vector<T>(graph().most_rules()),
                    worth_of = scratch.vector<T>(graph().most_rules());
    graph().template for_each_node<false>([&](const Node& node, auto rules) {
      int count = 0;
      T most(0), likeliest(0), mean(0);
      inside.for_each_chance(node, rules, [&](const Rule& rule, T p) {
        const T s = expected(rule, p, cotangent, below);
        likeliest = select(p > most, s, likeliest);
        most = max(most, p);
        chance[count] = p;
        worth_of[count++] = s;
      });
      for (int r = 0; r < count; ++r) mean = mul_add(chance[r], worth_of[r] - likeliest, mean);
      pivot[node.index] = likeliest;
      rest[node.index] = mean;
      T all = likeliest + mean;
      if (node.entry != Rule::none) all = all + cotangent[node.entry];
      below[node.index] = all;
    });
    begin(team, inside.spoil(), reach, out);
    team.each(nodes, [&](int node) { change[node] = T(0); });
    graph().template for_each_node<true>([&](const Node& node, auto rules) {
      const int i = node.index;
      const T here = reach[i], moves = change[i];
      hand(out, node.entry, moves, as_it_is<T>);
      inside.for_each_chance(node, rules, [&](const Rule& rule, T p) {
        const T s = expected(rule, p, cotangent, below);
        const T slope = p * ((s - pivot[i]) - rest[i]);
        const T moved = mul_add(moves, p, here * slope), used = here * p;
        hand(out, rule.entry, moved, as_it_is<T>);
        add(change, rule.left, moved);
        add(change, rule.right, moved);
        add(reach, rule.left, used);
        add(reach, rule.right, used);
      });
    });
  }
};

}  // namespace softtricks
