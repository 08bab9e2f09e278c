#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "names.hpp"

namespace softtricks::cli {

/// Keys stay in the order in which they are written.
using Json = nlohmann::ordered_json;

/// {"items": 64, "k": 8}
inline Json shape_json(const std::string& structure, const std::vector<std::int64_t>& shape) {
  Json document = Json::object();
  const auto& fields = find_structure(structure).fields;
  for (std::size_t i = 0; i < fields.size(); ++i) document[fields[i]] = shape[i];
  return document;
}

}  // namespace softtricks::cli
