#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "softtricks/registry.hpp"

namespace softtricks::cli {

/// Field name -> value, as far as the user gave them.
using Fields = std::map<std::string, std::int64_t>;

/// Adds a field; refuses one that was given before. `argument` is the command line's name for it.
void add_field(Fields& fields, const std::string& argument, const std::string& field,
               std::int64_t value);
/// The same from text such as "nodes=10".
void add_field(Fields& fields, const std::string& pair);

/// The structure's shape in the order of its fields. One that has no default and wasn't given is
/// inferred where exactly one value makes the structure `width` utilities wide. Refuses what isn't
/// a shape of that width; `input` names the array.
std::vector<std::int64_t> resolve_shape(const std::string& structure, const Fields& given,
                                        std::int64_t width, const std::string& input);

/// The shape if the fields given are the structure's, those with defaults perhaps left out.
std::optional<std::vector<std::int64_t>> shape_from(const StructureInfo& structure,
                                                    const Fields& given);

/// "items=64,k=8"
std::string shape_text(const std::string& structure, const std::vector<std::int64_t>& shape);

}  // namespace softtricks::cli
