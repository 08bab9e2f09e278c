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

/// The inside pass of one instance.
template <class Graph, class T, class Team>
class Inside {
 public:
  SOFTTRICKS_SOLVER Inside(const Graph& graph, const Team& team, Vector<const T> utility, T length,
                           Scratch& scratch)
      : graph_(graph),
        length_(length),
        weight_(utility.size, scratch),
        ways_(graph.node_count(), scratch),
        inverse_(graph.node_count(), scratch) {
    team.each(utility.size, [&](int e) { weight_.set(e, exp_wide(utility[e], T(0))); });
    graph.template for_each_node<false>(
        [&](const Node& node, auto rules) { sum_rules(node, rules); });
  }

  SOFTTRICKS_FN Wide<T> total() const { return ways_[graph_.node_count() - 1]; }
  /// 0, or NaN where there is no member.
  SOFTTRICKS_FN T spoil() const {
    return select(total().mantissa > T(0), T(0), T(not_a_number<T>));
  }

  /// The chance of a rule given that its node is used; 0 for nodes that can't be.
  SOFTTRICKS_FN T chance(int node, const Rule& rule) const {
    const Wide<T> way = ways_of(rule), inverse = inverse_[node];
    // Not above 1; but a way of weight 0 may have any exponent.
    const T exponent = min(way.exponent + inverse.exponent, T(0));
    return scale2(way.mantissa * inverse.mantissa, exponent);
  }

 private:
  /// The weight of all ways to use a rule: a mantissa below 8, not normalized.
  SOFTTRICKS_FN Wide<T> ways_of(const Rule& rule) const {
    Wide<T> way(T(1), T(0));
    const auto times = [&](const Wide<T>& factor) {
      way = {way.mantissa * factor.mantissa, way.exponent + factor.exponent};
    };
    if (rule.left != Rule::none) way = ways_[rule.left];
    if (rule.right != Rule::none) times(ways_[rule.right]);
    if (rule.entry != Rule::none) times(weight_[rule.entry]);
    if (rule.length != 0) {
      const auto fits = length_ == T(ScalarOf<T>(rule.length));
      way.mantissa = select(fits, way.mantissa, T(0));
    }
    return way;
  }

  template <class Rules>
  SOFTTRICKS_FN void sum_rules(const Node& node, Rules rules) const {
    const T nothing(Wide<T>::zero_exponent);
    T sum(node.leaf ? 1 : 0), top = node.leaf ? T(0) : nothing;
    rules([&](const Rule& rule) {
      const Wide<T> way = ways_of(rule);
      const T exponent = select(way.mantissa == T(0), nothing, way.exponent);
      const T higher = max(top, exponent);
      sum = scale2(sum, top - higher) + scale2(way.mantissa, exponent - higher);
      top = higher;
    });
    Wide<T> own = Wide<T>::normalized(sum, top);
    const auto possible = sum > T(0);
    inverse_.set(node.index, {select(possible, T(1) / own.mantissa, T(0)),
                              select(possible, -own.exponent, T(0))});
    if (node.entry != Rule::none) own = own * weight_[node.entry];
    ways_.set(node.index, own);
  }

  const Graph& graph_;
  T length_;
  WideVector<T> weight_;   // [entries]
  WideVector<T> ways_;     // [nodes]: the weight of all ways to make a node and use it
  WideVector<T> inverse_;  // [nodes]: one over that without its own entry
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
    return sizeof(T) * (3 * size + 9 * nodes + 2 * rules) + 24 * Scratch::alignment;
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
    using S = Score<T>;
    const Vector<S> best = scratch.vector<S>(graph().node_count());
    const Vector<T> choice = scratch.vector<T>(graph().node_count());  // number of the best rule
    const auto score = [&](const Rule& rule) {
      S sum{T(0), T(0), T(0)};
      if (rule.left != Rule::none) sum = best[rule.left];
      if (rule.right != Rule::none) sum = sum + best[rule.right];
      if (rule.entry != Rule::none) sum = sum + S::of(utility[rule.entry]);
      if (rule.length == 0) return sum;
      const auto fits = length == T(ScalarOf<T>(rule.length));
      sum.infinite = select(fits, sum.infinite, T(-infinity<T>));
      return sum;
    };
    graph().template for_each_node<false>([&](const Node& node, auto rules) {
      S most = node.leaf ? S{T(0), T(0), T(0)} : S::worst();
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
    const T allowed = best[graph().node_count() - 1].infinite;
    descend(x, select(allowed > T(-infinity<T>), T(0), T(not_a_number<T>)), scratch,
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
    const Inside<Graph, T, Team> inside(graph(), team, utility, length, scratch);
    const Wide<T> total = inside.total();
    return select(total.mantissa > T(0), log(total), T(-infinity<T>));
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void marginals(const Team& team, Vector<const T> utility, T length,
                                   Vector<T> out, Scratch scratch) const {
    const Inside<Graph, T, Team> inside(graph(), team, utility, length, scratch);
    const Vector<T> reach = scratch.vector<T>(graph().node_count());
    team.each(out.size, [&](int e) { out[e] = inside.spoil(); });
    team.each(reach.size, [&](int node) { reach[node] = T(node + 1 == reach.size ? 1 : 0); });
    graph().template for_each_node<true>([&](const Node& node, auto rules) {
      const T here = reach[node.index];
      add(out, node.entry, here);
      rules([&](const Rule& rule) {
        const T used = here * inside.chance(node.index, rule);
        add(out, rule.entry, used);
        add(reach, rule.left, used);
        add(reach, rule.right, used);
      });
    });
    // Rounding must not make an entry more than certain.
    team.map(
        out.size, out.data, []<class V>(const V& x) { return select(x > V(1), V(1), x); },
        static_cast<const T*>(out.data));
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void marginals_vjp(const Team& team, Vector<const T> utility, T length,
                                       Vector<const T> cotangent, Vector<T> out,
                                       Scratch scratch) const {
    const Inside<Graph, T, Team> inside(graph(), team, utility, length, scratch);
    team.each(out.size, [&](int e) { out[e] = inside.spoil(); });
    pull_back(team, inside, cotangent, out, scratch);
  }

  /// Top down, one rule for each node in use, by a random number of the node's own.
  template <class T, class Team>
  SOFTTRICKS_SOLVER void sample(const Team& team, Vector<const T> utility, T length,
                                const Stream<T>& stream, Vector<T> x, Scratch scratch) const {
    const Inside<Graph, T, Team> inside(graph(), team, utility, length, scratch);
    descend(x, inside.spoil(), scratch, [&](const Node& node, auto rules, auto visit) {
      T total(0), sum(0);
      rules([&](const Rule& rule) { total = total + inside.chance(node.index, rule); });
      const T mark = total * stream.at(static_cast<std::uint32_t>(node.index)).below;
      auto open = total > T(0);
      rules([&](const Rule& rule) {
        sum = sum + inside.chance(node.index, rule);
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
    const int nodes = graph().node_count(), root = nodes - 1;
    const Vector<T> reach = scratch.vector<T>(nodes), change = scratch.vector<T>(nodes);
    const Vector<T> below = scratch.vector<T>(nodes), pivot = scratch.vector<T>(nodes),
                    rest = scratch.vector<T>(nodes);
    const Vector<T> chance = scratch.vector<T>(graph().most_rules()),
                    worth_of = scratch.vector<T>(graph().most_rules());
    graph().template for_each_node<false>([&](const Node& node, auto rules) {
      int count = 0;
      T most(0), likeliest(0), mean(0);
      rules([&](const Rule& rule) {
        const T p = inside.chance(node.index, rule), s = expected(rule, p, cotangent, below);
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
    team.each(nodes, [&](int node) {
      reach[node] = T(node == root ? 1 : 0);
      change[node] = T(0);
    });
    graph().template for_each_node<true>([&](const Node& node, auto rules) {
      const int i = node.index;
      const T here = reach[i], moves = change[i];
      add(out, node.entry, moves);
      rules([&](const Rule& rule) {
        const T p = inside.chance(i, rule), s = expected(rule, p, cotangent, below);
        const T slope = p * ((s - pivot[i]) - rest[i]);
        const T moved = mul_add(moves, p, here * slope), used = here * p;
        add(out, rule.entry, moved);
        add(change, rule.left, moved);
        add(change, rule.right, moved);
        add(reach, rule.left, used);
        add(reach, rule.right, used);
      });
    });
  }
};

}  // namespace softtricks
