#pragma once
/// Marginals of a dynamic program and their derivative in many digits: inside and outside by the
/// product rule, on the rules that a structure states (that they are the right ones is what
/// enumeration shows on small shapes).
#include "high_precision.hpp"
#include "softtricks/solver/inside_outside.hpp"

namespace softtricks::laws {

template <class Graph>
class DerivationReference {
 public:
  DerivationReference(const Graph& graph, const std::vector<double>& utility) : graph_(graph) {
    Digits::default_precision(60);
    for (const double u : utility) w_.push_back(std::isfinite(u) ? Digits(exp(Digits(u))) : 0);
  }

  Reference along(const std::vector<double>& direction) const {
    const auto nodes = static_cast<std::size_t>(graph_.node_count());
    std::vector<Jet> weight(w_.size()), inside(nodes), outside(nodes), share(w_.size());
    for (std::size_t e = 0; e < w_.size(); ++e) weight[e] = {w_[e], w_[e] * direction[e]};
    graph_.template for_each_node<false>([&](const Node& node, auto rules) {
      Jet sum{node.leaf ? 1 : 0, 0};
      rules([&](const Rule& rule) { sum = sum + ways(rule, weight, inside); });
      if (node.entry != Rule::none) sum = sum * weight[at(node.entry)];
      inside[at(node.index)] = sum;
    });
    outside.back().value = 1;
    graph_.template for_each_node<true>([&](const Node& node, auto rules) {
      Jet out = outside[at(node.index)];
      if (node.entry != Rule::none) {
        share[at(node.entry)] = share[at(node.entry)] + out * inside[at(node.index)];
        out = out * weight[at(node.entry)];
      }
      rules([&](const Rule& rule) { hand_down(rule, out, weight, inside, outside, share); });
    });
    const Jet total = inside.back();
    Reference result;
    for (const Jet& s : share) {
      result.marginal.push_back(s.value / total.value);
      result.derivative.push_back((s.change - s.value * total.change / total.value) / total.value);
    }
    return result;
  }

 private:
  struct Jet {
    Digits value{0}, change{0};
    Jet operator+(const Jet& o) const { return {value + o.value, change + o.change}; }
    Jet operator*(const Jet& o) const {
      return {value * o.value, value * o.change + change * o.value};
    }
  };
  using Jets = std::vector<Jet>;

  static std::size_t at(int i) { return static_cast<std::size_t>(i); }
  bool offered(const Rule& rule) const {
    return rule.length == 0 || rule.length == graph_.longest();
  }
  Jet ways(const Rule& rule, const Jets& weight, const Jets& inside) const {
    if (!offered(rule)) return {};
    Jet way{1, 0};
    if (rule.left != Rule::none) way = way * inside[at(rule.left)];
    if (rule.right != Rule::none) way = way * inside[at(rule.right)];
    return rule.entry == Rule::none ? way : way * weight[at(rule.entry)];
  }
  void hand_down(const Rule& rule, const Jet& out, const Jets& weight, const Jets& inside,
                 Jets& outside, Jets& share) const {
    if (!offered(rule)) return;
    const Jet here = rule.entry == Rule::none ? out : out * weight[at(rule.entry)];
    const auto child = [&](int node, int sibling) {
      if (node == Rule::none) return;
      const Jet reach = sibling == Rule::none ? here : here * inside[at(sibling)];
      outside[at(node)] = outside[at(node)] + reach;
    };
    child(rule.left, rule.right);
    child(rule.right, rule.left);
    if (rule.entry != Rule::none) {
      share[at(rule.entry)] = share[at(rule.entry)] + out * ways(rule, weight, inside);
    }
  }

  Graph graph_;
  DigitVector w_;
};

}  // namespace softtricks::laws
