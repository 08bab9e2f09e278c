#pragma once
#include <CLI/App.hpp>

namespace softtricks::cli {

/// Times of every structure and verb.
void add_bench(CLI::App& app);

}  // namespace softtricks::cli
