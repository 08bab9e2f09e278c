#include "graph_layout/layout.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <thread>

#include "softtricks/base/random.hpp"

namespace graph_layout {
namespace {

using Stream = softtricks::Stream<double>;

double gumbel(Stream& stream) { return -std::log(softtricks::exponential_from(stream.next())); }

/// A pair of independent Normal(0, 1) numbers, by Box and Muller's transform.
void normal_pair(Stream& stream, double* out) {
  const double radius = std::sqrt(2 * softtricks::exponential_from(stream.next()));
  const double angle = 2 * std::numbers::pi * stream.next().below;
  out[0] = radius * std::cos(angle);
  out[1] = radius * std::sin(angle);
}

/// Prim's algorithm: the heaviest spanning tree of a complete graph, as an adjacency matrix.
std::vector<std::uint8_t> heaviest_tree(const std::vector<double>& weights, std::size_t nodes) {
  std::vector<std::uint8_t> adjacency(nodes * nodes, 0);
  std::vector<std::size_t> parent(nodes, 0);
  std::vector<bool> joined(nodes, false);
  joined[0] = true;
  for (std::size_t step = 1; step < nodes; ++step) {
    std::size_t best = 0;
    for (std::size_t v = 0; v < nodes; ++v) {
      if (joined[v]) continue;
      if (best == 0 || weights[v * nodes + parent[v]] > weights[best * nodes + parent[best]]) {
        best = v;
      }
    }
    joined[best] = true;
    adjacency[best * nodes + parent[best]] = adjacency[parent[best] * nodes + best] = 1;
    for (std::size_t v = 0; v < nodes; ++v) {
      if (!joined[v] && weights[v * nodes + best] > weights[v * nodes + parent[v]])
        parent[v] = best;
    }
  }
  return adjacency;
}

std::vector<std::uint8_t> draw_tree(Stream& stream, std::size_t nodes) {
  std::vector<double> weights(nodes * nodes, 0);
  for (std::size_t i = 0; i < nodes; ++i) {
    for (std::size_t j = i + 1; j < nodes; ++j) {
      weights[i * nodes + j] = weights[j * nodes + i] = gumbel(stream);
    }
  }
  return heaviest_tree(weights, nodes);
}

double side(std::span<const double> positions, std::size_t axis) {
  double low = positions[axis], high = low;
  for (std::size_t at = axis; at < positions.size(); at += 2) {
    low = std::min(low, positions[at]);
    high = std::max(high, positions[at]);
  }
  return high - low;
}

void centre_and_scale(std::span<double> positions) {
  const auto nodes = static_cast<double>(positions.size() / 2);
  double mean[2] = {0, 0}, largest = 0;
  for (std::size_t at = 0; at < positions.size(); ++at) mean[at % 2] += positions[at];
  for (std::size_t at = 0; at < positions.size(); ++at) {
    positions[at] -= mean[at % 2] / nodes;
    largest = std::max(largest, std::abs(positions[at]));
  }
  if (largest > 0) {
    for (double& coordinate : positions) coordinate /= largest;
  }
}

}  // namespace

void layout_step(std::span<double> positions, std::span<const std::uint8_t> adjacency) {
  const std::size_t nodes = positions.size() / 2;
  const double k = std::sqrt(1.0 / static_cast<double>(nodes));
  const double step = 0.1 * std::max(side(positions, 0), side(positions, 1));
  std::vector<double> moved(positions.begin(), positions.end());
  for (std::size_t i = 0; i < nodes; ++i) {
    double force[2] = {0, 0};
    for (std::size_t j = 0; j < nodes; ++j) {
      const double dx = positions[2 * i] - positions[2 * j];
      const double dy = positions[2 * i + 1] - positions[2 * j + 1];
      const double distance = std::max(std::sqrt(dx * dx + dy * dy), 0.01);
      const double pull = adjacency[i * nodes + j] * distance / k;
      const double push = k * k / (distance * distance);
      force[0] += dx * (push - pull);
      force[1] += dy * (push - pull);
    }
    double length = std::sqrt(force[0] * force[0] + force[1] * force[1]);
    if (length < 0.01) length = 0.1;
    moved[2 * i] += step * force[0] / length;
    moved[2 * i + 1] += step * force[1] / length;
  }
  std::copy(moved.begin(), moved.end(), positions.begin());
  centre_and_scale(positions);
}

Graph draw_graph(std::uint64_t seed, std::uint64_t index, int nodes, int frames) {
  const auto n = static_cast<std::size_t>(nodes), length = static_cast<std::size_t>(frames);
  Stream stream(seed, static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32));
  const std::vector<std::uint8_t> adjacency = draw_tree(stream, n);
  std::vector<double> positions(2 * n);
  for (std::size_t v = 0; v < n; ++v) normal_pair(stream, &positions[2 * v]);

  Graph graph;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) {
      if (!adjacency[i * n + j]) continue;
      graph.tree.push_back(static_cast<std::uint8_t>(i));
      graph.tree.push_back(static_cast<std::uint8_t>(j));
    }
  }
  graph.positions.resize(n * length * 2);
  for (std::size_t frame = 0; frame < length; ++frame) {
    layout_step(positions, adjacency);
    for (std::size_t at = 0; at < 2 * n; ++at) {
      graph.positions[(at / 2 * length + frame) * 2 + at % 2] = static_cast<float>(positions[at]);
    }
  }
  return graph;
}

Graphs draw_graphs(std::uint64_t seed, std::size_t count, int nodes, int frames, int threads) {
  const auto tree_size = static_cast<std::size_t>(nodes - 1) * 2;
  const auto position_size = static_cast<std::size_t>(nodes) * static_cast<std::size_t>(frames) * 2;
  Graphs graphs{std::vector<std::uint8_t>(count * tree_size),
                std::vector<float>(count * position_size)};
  const auto draw_every = [&](std::size_t first, std::size_t stride) {
    for (std::size_t index = first; index < count; index += stride) {
      const Graph graph = draw_graph(seed, index, nodes, frames);
      std::ranges::copy(graph.tree, &graphs.trees[index * tree_size]);
      std::ranges::copy(graph.positions, &graphs.positions[index * position_size]);
    }
  };
  const auto workers = static_cast<std::size_t>(std::max(threads, 1));
  {
    std::vector<std::jthread> pool;  // joins at the end of this block
    for (std::size_t worker = 1; worker < workers; ++worker) {
      pool.emplace_back(draw_every, worker, workers);
    }
    draw_every(0, workers);
  }
  return graphs;
}

}  // namespace graph_layout
