#include "graph_layout/data_file.hpp"

#include <filesystem>
#include <iostream>
#include <sstream>

#include "common/error.hpp"
#include "graph_layout/layout.hpp"

namespace graph_layout {
namespace {

using experiments::ArrayView;
using experiments::Bytes;
using experiments::Path;
using experiments::TensorFile;

constexpr std::string_view what = "data file";
constexpr const char* version = "1";  // of the generator: another one draws other layouts

struct SplitSize {
  const char* name;
  std::int64_t count;
};

std::vector<SplitSize> split_sizes(const Options& o) {
  return {{"train", o.train_graphs}, {"validation", o.validation_graphs}, {"test", o.test_graphs}};
}

Path file_of(const Options& o) {
  std::ostringstream name;
  name << "graph-layout-" << o.nodes << "nodes-" << o.frames << "frames-seed" << o.data_seed << '-'
       << o.train_graphs << '-' << o.validation_graphs << '-' << o.test_graphs << ".safetensors";
  return Path(o.data) / name.str();
}

std::string remedy(const Path& path) {
  return "delete it, and it will be drawn again: rm '" + path.string() + "'";
}

template <class T>
Bytes bytes(const std::vector<T>& values, std::size_t first, std::size_t count) {
  return {reinterpret_cast<const char*>(values.data() + first), count * sizeof(T)};
}

void draw(const Options& o, const Path& path, int threads) {
  std::int64_t total = 0;
  for (const SplitSize& split : split_sizes(o)) total += split.count;
  const Graphs graphs =
      draw_graphs(static_cast<std::uint64_t>(o.data_seed), static_cast<std::size_t>(total),
                  static_cast<int>(o.nodes), static_cast<int>(o.frames), threads);
  std::vector<ArrayView> positions, trees;
  std::size_t first = 0;
  const auto tree_size = static_cast<std::size_t>(o.nodes - 1) * 2;
  const auto position_size = static_cast<std::size_t>(o.nodes * o.frames) * 2;
  for (const SplitSize& split : split_sizes(o)) {
    const auto count = static_cast<std::size_t>(split.count);
    const std::string name = split.name;
    positions.push_back({name + ".positions",
                         "F32",
                         {split.count, o.nodes, o.frames, 2},
                         bytes(graphs.positions, first * position_size, count * position_size)});
    trees.push_back({name + ".trees",
                     "U8",
                     {split.count, o.nodes - 1, 2},
                     bytes(graphs.trees, first * tree_size, count * tree_size)});
    first += count;
  }
  positions.insert(positions.end(), trees.begin(), trees.end());
  experiments::write_tensor_file(path, positions, {{"generator", version}}, what);
}

TensorFile read(const Path& path) {
  TensorFile file = experiments::read_tensor_file(path, what, remedy(path));
  if (file.metadata["generator"] != version) {
    throw experiments::UserError("data file '" + path.string() + "' was drawn by generator '" +
                                 file.metadata["generator"] + "', this program's is '" + version +
                                 "'; " + remedy(path));
  }
  return file;
}

}  // namespace

void prepare_data(const Options& options, int threads) {
  const Path path = file_of(options);
  if (std::filesystem::exists(path)) {
    read(path);
    return;
  }
  experiments::prepare_folder(options.data, "--data");
  const experiments::FolderTurn turn(options.data);  // trainings that start together draw it once
  if (std::filesystem::exists(path)) return;
  std::cerr << "Drawing the data set into " << path.string() << " ..." << std::endl;
  draw(options, path, threads);
}

TensorFile read_data(const Options& options) { return read(file_of(options)); }

}  // namespace graph_layout
