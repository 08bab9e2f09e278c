#pragma once
/// Soft arborescences: argmax of u.x - f(x) over the hull of the arborescences of a graph, for the
/// regularizers f that treat arcs alike. The hull holds what is common to two base polytopes: that
/// of the spanning trees, blind to directions, and one arc into each vertex but the root [Edmonds
/// 1970].
///
/// Method   A price for each vertex but the root, paid by the arcs into it, so that the soft
/// spanning
///          tree (graphic_base.hpp) of u - price has one arc into each. That is the gradient of the
///          convex dual in the prices, and its Hessian is a Laplacian: blocks and vertices are
///          joined by slopes. Newton's steps, each with a search along the line by the sign of the
///          derivative. Utilities spread far are first scaled down, then doubled again and again.
/// Result   A soft spanning tree, exact for its prices, so within rounding of the hull's other
///          inequalities; the sums into vertices are 1 to `error`. The duality gap is at most the
///          sum of price times what is missing.
/// vjp      With M the Jacobian of the soft spanning tree and A the sums into vertices,
///          M - M A^T (A M A^T)^+ A M.
/// Needs    Arcs that are in some arborescence only (useful_arcs.hpp): for the others there is no
///          price. Arcs that are in all are contracted.
/// Cost     5 to 10 soft spanning trees where utilities are spread over a few nats, some hundred at
///          worst.
#include "softtricks/solver/bipartite_laplacian.hpp"
#include "softtricks/solver/graphic_base.hpp"
#include "softtricks/solver/useful_arcs.hpp"

namespace softtricks {

SOFTTRICKS_FN constexpr int common_base_stride(int vertices) { return (vertices + 15) / 16 * 16; }
constexpr std::size_t common_base_scratch(int vertices, int arcs) {
  const std::size_t stride = static_cast<std::size_t>(common_base_stride(vertices));
  return graphic_base_scratch(vertices + 1, arcs) + sizeof(double) * stride * (2 * stride + 16) +
         static_cast<std::size_t>(arcs) * (3 * sizeof(double) + 3 * sizeof(int)) +
         2 * sizeof(int) * stride + 18 * Scratch::alignment;
}

/// Vertex 0 is the root; `one_child`: exactly one arc leaves it.
template <class Shape, class Team>
class CommonBase {
 public:
  SOFTTRICKS_FN CommonBase(const Team& team, int vertices, bool one_child, int arcs,
                           Scratch& memory)
      : team_(team),
        n_(vertices),
        stride_(common_base_stride(vertices)),
        one_child_(one_child),
        base_(team, vertices + 1, arcs, memory),
        arc_(memory.take<Arc>(arcs)),
        utility_(memory.take<double>(arcs)),
        soft_(memory.take<double>(arcs)),
        rate_(memory.take<double>(arcs)),
        only_(memory.take<int>(vertices)),
        group_(memory.take<int>(vertices)),
        price_(take(memory)),
        before_(take(memory)),
        step_(take(memory)),
        excess_(take(memory)),
        current_(take(memory)),
        noise_(take(memory)),
        inverse_(take(memory)),
        slope_{take(memory, vertices), stride_},
        weight_{take(memory, vertices), stride_} {}

  SOFTTRICKS_FN void add(int index, int tail, int head, double utility) {
    arc_[arcs_] = {index, tail, head};
    utility_[arcs_++] = utility;
  }

  /// Sums into vertices to `tolerance`, as far as rounding allows; returns the largest error left.
  SOFTTRICKS_SOLVER double solve(double tolerance) {
    find_groups();
    start();
    for (; scale_ < 1; scale_ *= 2) {
      descend(rough);
      for (int v = 1; v < n_; ++v) price_[v] *= 2;
    }
    descend(tolerance);
    return error_;
  }

  /// visit(index, x) for every arc.
  template <class Visit>
  SOFTTRICKS_FN void each_soft(Visit visit) const {
    for (int a = 0; a < arcs_; ++a) visit(arc_[a].index, soft_[a]);
  }

  /// visit(index, vector-Jacobian product with the cotangent get(index)) for the arcs that are
  /// free.
  template <class Get, class Visit>
  SOFTTRICKS_SOLVER void each_vjp(Get get, Visit visit) {
    const auto cotangent = [&](int a) { return get(arc_[a].index); };
    for (int a = 0; a < arcs_; ++a) rate_[a] = 0;
    base_.each_vjp(cotangent, [&](int a, double value) { rate_[a] = value; });
    for (int v = 0; v < stride_; ++v) current_[v] = noise_[v] = 0;
    for (int a = 0; a < arcs_; ++a) {
      current_[arc_[a].head] += rate_[a];
      noise_[arc_[a].head] += epsilon<double> * abs(rate_[a]);
    }
    find_step();
    base_.each_vjp([&](int a) { return cotangent(a) - step_[arc_[a].head]; },
                   [&](int a, double value) { visit(arc_[a].index, value); });
  }

 private:
  struct Arc {
    int index, tail, head;
  };
  /// Utilities whose difference to the best into the same vertex is beyond are scaled down first.
  static constexpr double near_spread = 20;
  /// Sums before the last scale.
  static constexpr double rough = 1e-2;
  static constexpr int most_rounds = 100, most_trials = 30;
  /// No price moves further in the first trial of a step (nats).
  static constexpr double most_moved = 10;

  SOFTTRICKS_FN double* take(Scratch& memory, int rows = 1) const {
    return memory.take<double>(static_cast<std::size_t>(rows) * static_cast<std::size_t>(stride_));
  }

  enum Arcs { none = -1, many = -2 };

  /// Must arc a be taken? One child of the root is a choice of its own.
  SOFTTRICKS_FN bool is_taken(int a) const {
    return only_[arc_[a].head] == a && !(one_child_ && arc_[a].tail == 0);
  }
  /// Joins the ends of arcs that must be taken, for which no finite price would do.
  SOFTTRICKS_FN void find_groups() {
    for (int v = 0; v < n_; ++v) only_[v] = none;
    for (int a = 0; a < arcs_; ++a) {
      int& only = only_[arc_[a].head];
      only = only == none ? a : many;
    }
    const auto joined = [&](int v) { return only_[v] >= 0 && is_taken(only_[v]); };
    groups_ = 0;
    for (int v = 0; v < n_; ++v) {
      if (!joined(v)) group_[v] = groups_++;
    }
    for (int v = 0; v < n_; ++v) {
      int top = v;
      while (joined(top)) top = arc_[only_[top]].tail;
      group_[v] = group_[top];
    }
  }

  /// Prices that make the best arc into each vertex worth 0.
  SOFTTRICKS_FN void start() {
    for (int v = 0; v < n_; ++v) price_[v] = -infinity<double>;
    for (int a = 0; a < arcs_; ++a) {
      double& price = price_[arc_[a].head];
      price = max(price, utility_[a]);
    }
    double spread = 0, largest = 1;
    for (int a = 0; a < arcs_; ++a) spread = max(spread, price_[arc_[a].head] - utility_[a]);
    for (int v = 1; v < n_; ++v) largest = max(largest, abs(price_[v]));
    scale_ = 1;
    while (spread * scale_ > near_spread) scale_ *= 0.5;
    for (int v = 1; v < n_; ++v) price_[v] *= scale_;
    price_[0] = 0;
    rounding_ = 64 * epsilon<double> * (largest + spread);
  }

  /// The soft spanning tree for the prices, and how its sums into vertices exceed 1.
  SOFTTRICKS_SOLVER void evaluate() {
    base_.clear();
    base_.start_graph(one_child_ ? groups_ - 1 : groups_);
    const int first = one_child_ ? 1 : 0;
    for (int a = 0; a < arcs_; ++a) {
      const auto [index, tail, head] = arc_[a];
      soft_[a] = 1;
      if (tail >= first && !is_taken(a)) {
        base_.add(a, group_[tail] - first, group_[head] - first, worth(a));
      }
    }
    if (one_child_) {  // the arcs from the root, of which one is chosen
      base_.start_graph(2);
      for (int a = 0; a < arcs_; ++a) {
        if (arc_[a].tail == 0) base_.add(a, 0, 1, worth(a));
      }
    }
    base_.solve();
    base_.each_soft([&](int a, double x) { soft_[a] = x; });
    for (int v = 0; v < stride_; ++v) excess_[v] = v > 0 && v < n_ ? -1 : 0;
    for (int a = 0; a < arcs_; ++a) excess_[arc_[a].head] += soft_[a];
    error_ = 0;
    for (int v = 1; v < n_; ++v) error_ = max(error_, abs(excess_[v]));
  }
  SOFTTRICKS_FN double worth(int a) const { return scale_ * utility_[a] - price_[arc_[a].head]; }

  /// Newton's method on the dual at this scale.
  SOFTTRICKS_SOLVER void descend(double tolerance) {
    evaluate();
    for (int round = 0; round < most_rounds && error_ > tolerance; ++round) {
      const double error = error_;
      find_direction();
      search_line(tolerance);
      if (error_ <= rounding_ && error_ > 0.5 * error) return;
    }
  }

  /// Newton's step for the prices; where it is no use, the step that would do if each vertex were
  /// alone.
  SOFTTRICKS_SOLVER void find_direction() {
    for (int v = 0; v < stride_; ++v) {
      before_[v] = price_[v];
      current_[v] = excess_[v];
      noise_[v] = 0;
    }
    find_step();
    double longest = 0;
    for (int v = 1; v < n_; ++v) longest = max(longest, abs(step_[v]));
    if (still_to_gain() > 0 && longest < infinity<double>) return;
    for (int v = 1; v < n_; ++v) step_[v] = log(max(1e-30, 1 + excess_[v]));
  }

  /// The step that `current_` drives through the Laplacian of the slopes.
  SOFTTRICKS_SOLVER void find_step() {
    team_.each(n_ * stride_, [&](int k) { slope_.data[k] = 0; });
    base_.each_slope([&](int block, int a, double slope) { slope_(block, arc_[a].head) += slope; });
    team_.each(n_, [&](int b) {
      double sum = 0;
      for (int v = 0; v < n_; ++v) sum += slope_(b, v);
      inverse_[b] = sum > 0 ? 1 / sum : 0;
    });
    join_columns(team_, Matrix<const double>{slope_.data, stride_}, n_,
                 static_cast<const double*>(inverse_), weight_);
    potentials(team_, weight_, n_, current_, noise_, step_, epsilon<double>);
  }

  /// Minus the derivative of the dual along the step.
  SOFTTRICKS_FN double still_to_gain() const {
    double sum = 0;
    for (int v = 1; v < n_; ++v) sum += step_[v] * excess_[v];
    return sum;
  }
  SOFTTRICKS_FN void move(double length) {
    for (int v = 1; v < n_; ++v) price_[v] = before_[v] + length * step_[v];
    evaluate();
  }

  /// Moves along the step until the derivative is half of what it was, or less; full steps that
  /// leave as much as e^-1 are doubled, for entries that tend to 0 lose one nat a step. Regula
  /// falsi, where an end that stays counts half each time [Dowell, Jarratt 1971].
  SOFTTRICKS_SOLVER void search_line(double tolerance) {
    double longest = 0;
    for (int v = 1; v < n_; ++v) longest = max(longest, abs(step_[v]));
    const double start = still_to_gain();
    double length = longest > most_moved ? most_moved / longest : 1;
    double low = 0, high = 0, gain_low = start, gain_high = 0;
    int side = 0;
    move(length);
    for (int trial = 0; trial < most_trials && error_ > tolerance; ++trial) {
      const double gain = still_to_gain();
      const double enough = side == 0 ? 0.3 : 0.5;
      if (gain <= enough * start && gain >= -0.5 * start) return;
      if (gain > 0) {
        if (side > 0) gain_high *= 0.5;
        side = 1;
        low = length;
        gain_low = gain;
      } else {
        if (side < 0) gain_low *= 0.5;
        side = -1;
        high = length;
        gain_high = gain;
      }
      const double share = min(0.9, max(0.1, gain_low / (gain_low - gain_high)));
      length = high == 0 ? 2 * length : low + (high - low) * share;
      move(length);
    }
  }

  const Team& team_;
  const int n_, stride_;
  const bool one_child_;
  GraphicBase<Shape, Team> base_;
  Arc* const arc_;
  double* const utility_;
  double* const soft_;
  double* const rate_;
  int* const only_;   // the one arc into a vertex; none, many
  int* const group_;  // of vertices joined by arcs that must be taken
  double* const price_;
  double* const before_;  // the step
  double* const step_;
  double* const excess_;   // of the sums into vertices over 1
  double* const current_;  // what drives a step
  double* const noise_;
  double* const inverse_;
  const Matrix<double> slope_;   // [block, head], sums over arcs
  const Matrix<double> weight_;  // between heads
  int arcs_ = 0, groups_ = 0;
  double scale_ = 1, error_ = 0, rounding_ = 0;
};

constexpr std::size_t soft_arborescence_scratch(int vertices) {
  return UsefulArcs::bytes(vertices) + common_base_scratch(vertices, vertices * vertices);
}

/// The soft arborescence of arcs (p, q), q > 0, with utilities at utility[entry(p, q)]; or, given a
/// cotangent, the vector-Jacobian product there. NaN where there is no arborescence.
template <class Shape, Plain T, class Team, class Entry>
SOFTTRICKS_SOLVER void soft_arborescence(const Team& team, Vector<const T> utility, int vertices,
                                         bool one_child, Entry entry, Vector<const T> cotangent,
                                         Vector<T> out, Scratch scratch) {
  UsefulArcs arcs(vertices, scratch);
  const auto each_arc = [=](auto visit) {
    for (int p = 0; p < vertices; ++p) {
      for (int q = 1; q < vertices; ++q) {
        if (p != q) visit(p, q, entry(p, q));
      }
    }
  };
  each_arc([&](int p, int q, int e) {
    if (utility[e] > -infinity<T>) arcs.add(p, q);
  });
  const bool exists = arcs.keep_useful(one_child);
  team.each(out.size, [&](int e) { out[e] = exists ? T(0) : not_a_number<T>; });
  if (!exists) return;
  CommonBase<Shape, Team> base(team, vertices, one_child, vertices * vertices, scratch);
  each_arc([&](int p, int q, int e) {
    if (arcs.has(p, q)) base.add(e, p, q, utility[e]);
  });
  base.solve(sizeof(T) == 4 ? 1e-9 : 4 * epsilon<double>);
  const auto put = [&](int e, double value) { out[e] = static_cast<T>(value); };
  if (cotangent.size == 0) return base.each_soft(put);
  base.each_vjp([&](int e) { return static_cast<double>(cotangent[e]); }, put);
}

}  // namespace softtricks
