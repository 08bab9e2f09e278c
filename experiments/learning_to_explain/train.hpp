#pragma once
/// Training of one task, from wherever its folder says it stopped to its result.
#include "common/progress.hpp"
#include "common/run.hpp"
#include "learning_to_explain/corpus.hpp"
#include "learning_to_explain/options.hpp"

namespace learning_to_explain {

using experiments::TaskFolder;

/// <out>/<row>-k<k>-seed<seed>.
TaskFolder folder_of(const Options& options, const Task& task);

/// Is the task finished? Throws UserError if its folder holds something made with other options.
/// Calls no LibTorch function.
bool finished(const Options& options, const Task& task);

/// Trains and tests; leaves result.json.
void train(const Options& options, const Task& task, const Corpus& corpus, int threads,
           experiments::Progress& progress);

}  // namespace learning_to_explain
