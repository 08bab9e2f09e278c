#pragma once
/// Soft spanning trees: argmax of u.x - f(x) over the hull of the spanning trees of a graph, for
/// the regularizers f that treat edges alike. The hull is a base polytope: x >= 0, x(E) = n - 1 and
/// x(S)
/// <= |S| - 1 inside every vertex set S [Edmonds 1971].
///
/// Method   The decomposition algorithm [Fujishige 1980; Groenevelt 1991]. Forget all S but the
///          whole and the pairs: a soft choice of n - 1 edges (capped_simplex.hpp). Find the
///          partition whose parts hold most beyond their bounds (forest_excess.hpp). In the
///          solution these hold exactly their bounds; so each part is a problem of its own, and so
///          is what is left when parts become vertices. Solve these in the same way, until none
///          holds too much.
/// Result   The edges fall into blocks, x_e = h(u_e - c) with a threshold c for each: exact, by
///          finitely many choices, at most 2 n.
/// vjp      Block by block that of the soft choice.
/// Accuracy Everything is done in double.
#include "softtricks/solver/capped_simplex.hpp"
#include "softtricks/solver/forest_excess.hpp"

namespace softtricks {

constexpr std::size_t graphic_base_scratch(int vertices, int edges) {
  const std::size_t n = static_cast<std::size_t>(vertices), m = static_cast<std::size_t>(edges);
  return forest_excess_scratch(vertices) + sizeof(double) * n * n + sizeof(int) * n * 12 +
         (4 * sizeof(double) + 8 * sizeof(int)) * m + 20 * Scratch::alignment;
}

/// Name a graph and add its edges, one graph after the other where there are several, then solve.
template <class Shape, class Team>
class GraphicBase {
 public:
  SOFTTRICKS_FN GraphicBase(const Team& team, int vertices, int edges, Scratch& memory)
      : team_(team),
        excess_(vertices, memory),
        weight_{memory.take<double>(static_cast<std::size_t>(vertices) *
                                    static_cast<std::size_t>(vertices)),
                vertices},
        edge_(memory.take<Edge>(edges)),
        sorted_(memory.take<Edge>(edges)),
        utility_(memory.take<double>(edges)),
        soft_(memory.take<double>(edges)),
        spare_(memory.take<double>(edges)),
        rate_(memory.take<double>(edges)),
        open_(memory.take<Block>(vertices)),
        done_(memory.take<Block>(vertices)),
        part_(memory.take<int>(vertices)),
        place_(memory.take<int>(vertices)),
        size_(memory.take<int>(vertices)),
        start_(memory.take<int>(vertices + 2)) {}

  SOFTTRICKS_FN void clear() { edges_ = waiting_ = blocks_ = 0; }
  SOFTTRICKS_FN void start_graph(int vertices) { open_[waiting_++] = {edges_, edges_, vertices}; }
  SOFTTRICKS_FN void add(int index, int from, int to, double utility) {
    edge_[edges_] = {index, from, to};
    utility_[edges_++] = utility;
    open_[waiting_ - 1].last = edges_;
  }

  /// False where a graph is not connected.
  SOFTTRICKS_SOLVER bool solve() {
    while (waiting_ > 0) {
      const Block block = open_[--waiting_];
      const int rank = block.vertices - 1, edges = block.last - block.first;
      if (rank == 0) continue;
      if (edges < rank) return false;
      capped_choice<Shape>(team_, Vector<const double>{utility_ + block.first, edges},
                           static_cast<double>(rank), Vector<double>{soft_ + block.first, edges});
      const int parts = rank > 1 ? parts_of(block) : 1;
      if (parts == 1 || parts == block.vertices) {
        done_[blocks_++] = block;
        settle(block);
      } else {
        split(block, parts);
      }
    }
    return true;
  }

  SOFTTRICKS_FN int blocks() const { return blocks_; }
  /// visit(block, index, slope of h there) for every edge.
  template <class Visit>
  SOFTTRICKS_FN void each_slope(Visit visit) const {
    for (int b = 0; b < blocks_; ++b) {
      for (int k = done_[b].first; k < done_[b].last; ++k) {
        visit(b, edge_[k].index, Shape::slope(soft_[k]));
      }
    }
  }
  /// visit(index, x) for every edge.
  template <class Visit>
  SOFTTRICKS_FN void each_soft(Visit visit) const {
    for (int k = 0; k < edges_; ++k) visit(edge_[k].index, soft_[k]);
  }

  /// visit(index, vector-Jacobian product with the cotangent get(index)) for every edge.
  template <class Get, class Visit>
  SOFTTRICKS_FN void each_vjp(Get get, Visit visit) const {
    for (int k = 0; k < edges_; ++k) rate_[k] = get(edge_[k].index);
    for (int b = 0; b < blocks_; ++b) {
      const int first = done_[b].first, count = done_[b].last - first;
      capped_choice_vjp<Shape>(team_, Vector<const double>{soft_ + first, count},
                               Vector<const double>{rate_ + first, count},
                               Vector<double>{spare_ + first, count});
    }
    for (int k = 0; k < edges_; ++k) visit(edge_[k].index, spare_[k]);
  }

 private:
  struct Edge {
    int index, from, to;
  };
  /// The edges [first, last) of a graph on vertices 0 .. vertices-1.
  struct Block {
    int first, last, vertices;
  };

  /// One more step towards the sum, which is rounded only as far as x is away from 0/1 vectors.
  SOFTTRICKS_SOLVER void settle(const Block& block) {
    const int edges = block.last - block.first;
    const auto sums = team_.template map_sums<double, 3>(
        edges,
        []<class V>(const V& x) {
          const V nearest = select(x > V(0.5), V(1), V(0));
          return Several<V, 3>{{nearest, x - nearest, Shape::slope(x)}};
        },
        static_cast<const double*>(soft_ + block.first));
    const double excess = sums.part[0] - (block.vertices - 1) + sums.part[1];
    if (!(sums.part[2] > 0)) return;
    const double step = excess / sums.part[2];
    const auto corrected = [=]<class V>(const V& x) {
      return max(V(0), min(V(1), x - V(step) * Shape::slope(x)));
    };
    team_.map(edges, soft_ + block.first, corrected,
              static_cast<const double*>(soft_ + block.first));
  }

  SOFTTRICKS_FN int parts_of(const Block& block) {
    const int n = block.vertices;
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) weight_(i, j) = 0;
    }
    for (int k = block.first; k < block.last; ++k) {
      const auto [index, i, j] = edge_[k];
      weight_(i, j) = weight_(j, i) = weight_(i, j) + soft_[k];
    }
    return excess_.partition({weight_.data, weight_.stride}, n, part_);
  }

  /// Sorts the edges by the part in which they are, those between parts last, and opens each.
  SOFTTRICKS_FN void split(const Block& block, int parts) {
    const auto part_of = [&](const Edge& e) {
      return part_[e.from] == part_[e.to] ? part_[e.from] : parts;
    };
    for (int p = 0; p < parts; ++p) size_[p] = 0;
    for (int v = 0; v < block.vertices; ++v) place_[v] = size_[part_[v]]++;
    for (int p = 0; p <= parts; ++p) start_[p + 1] = 0;
    for (int k = block.first; k < block.last; ++k) ++start_[part_of(edge_[k]) + 1];
    start_[0] = block.first;
    for (int p = 0; p <= parts; ++p) start_[p + 1] += start_[p];
    for (int p = 0; p < parts; ++p) {
      if (size_[p] > 1) open_[waiting_++] = {start_[p], start_[p + 1], size_[p]};
    }
    open_[waiting_++] = {start_[parts], start_[parts + 1], parts};
    for (int k = block.first; k < block.last; ++k) {
      const Edge e = edge_[k];
      const int part = part_of(e), to = start_[part]++;
      const int* const label = part < parts ? place_ : part_;
      sorted_[to] = {e.index, label[e.from], label[e.to]};
      spare_[to] = utility_[k];
    }
    for (int k = block.first; k < block.last; ++k) {
      edge_[k] = sorted_[k];
      utility_[k] = spare_[k];
    }
  }

  const Team& team_;
  ForestExcess excess_;
  const Matrix<double> weight_;
  Edge* const edge_;
  Edge* const sorted_;
  double* const utility_;
  double* const soft_;
  double* const spare_;
  double* const rate_;
  Block* const open_;
  Block* const done_;
  int* const part_;
  int* const place_;  // of a vertex in its part
  int* const size_;   // of a part
  int* const start_;  // of a part's edges
  int edges_ = 0, waiting_ = 0, blocks_ = 0;
};

}  // namespace softtricks
