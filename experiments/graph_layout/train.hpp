#pragma once
/// Training of one task, from wherever its folder says it stopped to its result.
#include "common/files.hpp"
#include "common/progress.hpp"
#include "graph_layout/options.hpp"

namespace graph_layout {

/// <out>/<row>-seed<seed>: what a task writes and reads.
struct TaskFolder {
  experiments::Path folder;

  experiments::Path metrics() const { return folder / "metrics.jsonl"; }
  experiments::Path last() const { return folder / "last.safetensors"; }
  experiments::Path best() const { return folder / "best.safetensors"; }
  experiments::Path result() const { return folder / "result.json"; }
  experiments::Path picture() const { return folder / "picture.json"; }
};

TaskFolder folder_of(const Options& options, const Task& task);

/// Is the task finished? Throws UserError if its folder holds something made with other options.
/// Calls no LibTorch function.
bool finished(const Options& options, const Task& task);

/// Trains and tests; leaves result.json.
void train(const Options& options, const Task& task, int threads, experiments::Progress& progress);

}  // namespace graph_layout
