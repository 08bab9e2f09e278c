#pragma once
#include <optional>
#include <string>
#include <vector>

#include "problem.hpp"

namespace softtricks::cli {

inline const std::vector<std::string> formats{"tsv", "csv", "json", "npy"};

/// Where results go and how they are written down.
struct Output {
  std::string path = "-";
  std::string format;  // empty: told by the path's ending, otherwise tsv
  bool json = false;

  /// Refuses what contradicts itself.
  std::string chosen_format() const;
};

void write_result(const Output& output, const Problem& problem, const std::string& verb,
                  const Array& result);

}  // namespace softtricks::cli
