#pragma once
/// The data set as tensors, drawn once and kept in a file.
#include <ATen/ATen.h>

#include "graph_layout/options.hpp"

namespace graph_layout {

struct Split {
  at::Tensor positions;  // [count, nodes, frames, 2], float
  at::Tensor trees;      // [count, nodes - 1, 2], uint8, smaller vertex first
};

struct Data {
  Split train, validation, test;
};

/// Reads what prepare_data (data_file.hpp) left.
Data load_data(const Options& options);

}  // namespace graph_layout
