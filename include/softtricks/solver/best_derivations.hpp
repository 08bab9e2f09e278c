#pragma once
/// The best derivations of a dynamic program, in order. [Huang, Chiang 2005]
///
/// Every node keeps its best derivations, at most `count`. What makes one is a way: a rule, and
/// which of the derivations of its two parts, by rank. The way of ranks (i, j) is followed by (i, j
/// + 1) and, where j = 0, by (i + 1, 0): each is met once, after the one that is no worse. So the
/// next best way of a node is always on top of a heap that begins with (0, 0) of every rule.
///
/// Cost      O(rules + nodes count log(count + most rules)) time, O(nodes count) scratch.
#include "softtricks/base/view.hpp"
#include "softtricks/solver/derivation.hpp"

namespace softtricks {

/// A way to make a node; `rule` is the rule's number, -1 for a leaf.
template <class T>
struct Way {
  Score<T> score;
  int rule, left, right;

  SOFTTRICKS_FN bool before(const Way& o) const {
    if (o.score.below(score)) return true;
    if (score.below(o.score)) return false;
    if (rule != o.rule) return rule < o.rule;
    return left != o.left ? left < o.left : right < o.right;
  }
};

/// Ways, the best on top.
template <class T>
class WayHeap {
 public:
  SOFTTRICKS_FN WayHeap(std::size_t capacity, Scratch& scratch)
      : way_(scratch.take<Way<T>>(capacity)) {}
  SOFTTRICKS_FN void clear() { size_ = 0; }
  SOFTTRICKS_FN bool empty() const { return size_ == 0; }

  SOFTTRICKS_FN void push(const Way<T>& way) {
    int place = size_++;
    for (int above; place > 0 && way.before(way_[above = (place - 1) / 2]); place = above) {
      way_[place] = way_[above];
    }
    way_[place] = way;
  }
  SOFTTRICKS_FN Way<T> pop() {
    const Way<T> top = way_[0], last = way_[--size_];
    int place = 0;
    for (int next; (next = 2 * place + 1) < size_; place = next) {
      if (next + 1 < size_ && way_[next + 1].before(way_[next])) ++next;
      if (!way_[next].before(last)) break;
      way_[place] = way_[next];
    }
    way_[place] = last;
    return top;
  }

 private:
  Way<T>* way_;
  int size_ = 0;
};

template <class Graph, class T, class Team>
class BestDerivations {
 public:
  SOFTTRICKS_SOLVER BestDerivations(const Graph& graph, Vector<const T> utility, T length,
                                    int count, Scratch& scratch)
      : graph_(graph),
        utility_(utility),
        length_(length),
        count_(count),
        way_{scratch.take<Way<T>>(ways(graph, count)), count},
        found_(scratch.take<int>(static_cast<std::size_t>(graph.node_count()))),
        rule_(scratch.take<Rule>(static_cast<std::size_t>(graph.most_rules()))) {
    WayHeap<T> heap(heap_size(graph, count), scratch);
    graph.template for_each_node<false>(
        [&](const Node& node, auto rules) { collect(node, rules, heap); });
  }

  /// How many members there are, up to `count`.
  SOFTTRICKS_FN int found() const { return found_[graph_.node_count() - 1]; }

  /// Adds the member of rank r to x, which is 0, and returns its value.
  SOFTTRICKS_SOLVER T unroll(int r, Vector<T> x, Scratch scratch) const {
    const int nodes = graph_.node_count(), root = nodes - 1;
    const Vector<int> rank = scratch.vector<int>(nodes);  // of the derivation in use, or none
    for (int node = 0; node < nodes; ++node) rank[node] = node == root ? r : unused;
    graph_.template for_each_node<true>([&](const Node& node, auto rules) {
      if (rank[node.index] == unused) return;
      const Way<T>& way = way_(node.index, rank[node.index]);
      if (node.entry != Rule::none) x[node.entry] = T(1);
      int number = 0;
      rules([&](const Rule& rule) {
        if (number++ != way.rule) return;
        if (rule.entry != Rule::none) x[rule.entry] = T(1);
        if (rule.left != Rule::none) rank[rule.left] = way.left;
        if (rule.right != Rule::none) rank[rule.right] = way.right;
      });
    });
    return way_(root, r).score.rest.high;
  }

  static std::size_t bytes(const Graph& graph, int count) {
    const auto nodes = static_cast<std::size_t>(graph.node_count());
    return sizeof(Way<T>) * (ways(graph, count) + heap_size(graph, count)) +
           sizeof(int) * 2 * nodes + sizeof(Rule) * static_cast<std::size_t>(graph.most_rules()) +
           5 * Scratch::alignment;
  }

 private:
  static constexpr int unused = -1;

  SOFTTRICKS_FN static std::size_t ways(const Graph& graph, int count) {
    return static_cast<std::size_t>(graph.node_count()) * static_cast<std::size_t>(count);
  }
  /// A way for each rule and a leaf; taking one adds at most two.
  SOFTTRICKS_FN static std::size_t heap_size(const Graph& graph, int count) {
    return static_cast<std::size_t>(graph.most_rules()) + 1 + static_cast<std::size_t>(count);
  }

  SOFTTRICKS_FN int found_of(int node) const { return node == Rule::none ? 1 : found_[node]; }

  /// Puts the way on the heap, if there is one of these ranks.
  SOFTTRICKS_FN void offer(WayHeap<T>& heap, int number, int left, int right) const {
    const Rule& rule = rule_[number];
    if (left >= found_of(rule.left) || right >= found_of(rule.right)) return;
    Score<T> sum = Score<T>::zero();
    if (rule.left != Rule::none) sum = way_(rule.left, left).score;
    if (rule.right != Rule::none) sum = sum + way_(rule.right, right).score;
    if (rule.entry != Rule::none) sum = sum + Score<T>::of(utility_[rule.entry]);
    if (sum.infinite > T(-infinity<T>)) heap.push({sum, number, left, right});
  }

  template <class Rules>
  SOFTTRICKS_FN void collect(const Node& node, Rules rules, WayHeap<T>& heap) const {
    int number = 0, found = 0;
    heap.clear();
    if (node.leaf) heap.push({Score<T>::zero(), unused, 0, 0});
    rules([&](const Rule& rule) {
      rule_[number] = rule;
      if (rule.length == 0 || T(rule.length) == length_) offer(heap, number, 0, 0);
      ++number;
    });
    Score<T> own = Score<T>::zero();
    if (node.entry != Rule::none) own = Score<T>::of(utility_[node.entry]);
    const bool allowed = own.infinite > T(-infinity<T>);
    while (allowed && found < count_ && !heap.empty()) {
      Way<T> way = heap.pop();
      if (way.rule != unused) {
        offer(heap, way.rule, way.left, way.right + 1);
        if (way.right == 0) offer(heap, way.rule, way.left + 1, 0);
      }
      way.score = way.score + own;
      way_(node.index, found++) = way;
    }
    found_[node.index] = found;
  }

  const Graph& graph_;
  Vector<const T> utility_;
  T length_;
  int count_;
  Matrix<Way<T>> way_;  // [nodes, count]
  int* found_;          // [nodes]: how many of them there are
  Rule* rule_;          // [most rules]: those of the node at hand
};

}  // namespace softtricks
