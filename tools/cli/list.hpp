#pragma once
#include <CLI/App.hpp>

namespace softtricks::cli {

/// What the library offers: structures x verbs x regularizers.
void add_list(CLI::App& app);

}  // namespace softtricks::cli
