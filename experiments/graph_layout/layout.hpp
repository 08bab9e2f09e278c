#pragma once
/// The data: random trees and the frames of a spring layout that pulls them into shape.
///
/// A tree is the heaviest spanning tree under 45 independent Gumbel(0, 1) edge weights. The
/// vertices start at independent Normal(0, 1) positions; frame 0 is what one step of the layout
/// makes of them, and every further frame is one further step.
#include <cstdint>
#include <span>
#include <vector>

namespace graph_layout {

/// One step of the spring layout, in place. It is the step of NetworkX before version 3.6:
/// repulsion k^2/d between all vertices, attraction d^2/k along edges, k = sqrt(1/nodes); every
/// vertex moves by a tenth of the layout's larger side, an almost balanced one (force below 0.01)
/// by less; then the layout is centred and scaled to a largest coordinate of 1.
void layout_step(std::span<double> positions,               // [nodes, 2]
                 std::span<const std::uint8_t> adjacency);  // [nodes, nodes], symmetric 0/1

struct Graph {
  std::vector<std::uint8_t> tree;  // [nodes - 1, 2], smaller vertex first, in order
  std::vector<float> positions;    // [nodes, frames, 2]
};

/// Graph number `index` of the data set with this seed: a function of its arguments alone.
Graph draw_graph(std::uint64_t seed, std::uint64_t index, int nodes, int frames);

/// Graphs 0 .. count - 1, drawn by `threads` threads.
struct Graphs {
  std::vector<std::uint8_t> trees;  // [count, nodes - 1, 2]
  std::vector<float> positions;     // [count, nodes, frames, 2]
};
Graphs draw_graphs(std::uint64_t seed, std::size_t count, int nodes, int frames, int threads);

}  // namespace graph_layout
