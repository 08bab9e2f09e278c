#pragma once
/// Training of one task, from wherever its folder says it stopped to its result.
#include "common/progress.hpp"
#include "common/run.hpp"
#include "graph_layout/options.hpp"

namespace graph_layout {

using experiments::TaskFolder;

/// <out>/<row>-seed<seed>.
TaskFolder folder_of(const Options& options, const Task& task);

/// Is the task finished? Throws UserError if its folder holds something made with other options.
/// Calls no LibTorch function.
bool finished(const Options& options, const Task& task);

/// Trains and tests; leaves result.json.
void train(const Options& options, const Task& task, int threads, experiments::Progress& progress);

}  // namespace graph_layout
