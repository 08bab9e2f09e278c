#pragma once
#include <CLI/App.hpp>

namespace softtricks::cli {

/// Any verb on arrays of utilities.
void add_solve(CLI::App& app);
/// Hard samples: exact Gibbs draws, or the argmax of perturbed utilities.
void add_sample(CLI::App& app);
/// Soft samples.
void add_relax(CLI::App& app);

}  // namespace softtricks::cli
