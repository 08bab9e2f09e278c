#pragma once
/// The file that keeps a drawn data set. No LibTorch here, so that a process may fork afterwards.
#include "common/tensor_file.hpp"
#include "graph_layout/options.hpp"

namespace graph_layout {

/// Draws the data set that `options` describe into its folder, unless it lies there intact.
void prepare_data(const Options& options, int threads);

/// Arrays train.positions, train.trees, validation..., test...; throws UserError if the file is
/// missing, damaged or drawn by another version of the generator.
experiments::TensorFile read_data(const Options& options);

}  // namespace graph_layout
