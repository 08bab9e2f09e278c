#pragma once
/// Training of one task, from wherever its folder says it stopped to its result.
#include "common/files.hpp"
#include "common/progress.hpp"
#include "learning_to_explain/corpus.hpp"
#include "learning_to_explain/options.hpp"

namespace learning_to_explain {

/// <out>/<row>-k<k>-seed<seed>: what a task writes and reads.
struct TaskFolder {
  Path folder;

  Path metrics() const { return folder / "metrics.jsonl"; }
  Path last() const { return folder / "last.safetensors"; }
  Path best() const { return folder / "best.safetensors"; }
  Path result() const { return folder / "result.json"; }
  Path picture() const { return folder / "picture.json"; }
};

TaskFolder folder_of(const Options& options, const Task& task);

/// Is the task finished? Throws UserError if its folder holds something made with other options.
/// Calls no LibTorch function.
bool finished(const Options& options, const Task& task);

/// Trains and tests; leaves result.json.
void train(const Options& options, const Task& task, const Corpus& corpus, int threads,
           experiments::Progress& progress);

}  // namespace learning_to_explain
