#include "output.hpp"

#include <algorithm>
#include <cmath>

#include "error.hpp"
#include "files.hpp"
#include "json.hpp"
#include "names.hpp"
#include "npy.hpp"
#include "numbers.hpp"
#include "table.hpp"

namespace softtricks::cli {
namespace {

/// JSON has no inf and nan: they become the strings that Python's float() reads.
template <class T>
Json json_number(T value) {
  if (!std::isfinite(value)) return number_text(value);
  return parse_number(number_text(value)).value();  // 0.1f as 0.1, not as 0.10000000149011612
}

template <class T>
Json json_array(const T*& next, const Dims& dims, std::size_t depth) {
  if (depth == dims.size()) return json_number(*next++);
  Json array = Json::array();
  for (std::int64_t i = 0; i < dims[depth]; ++i) array.push_back(json_array(next, dims, depth + 1));
  return array;
}

std::string json_text(const Problem& problem, const std::string& verb, const Array& result) {
  Json document{{"structure", problem.structure},
                {"shape", shape_json(problem.structure, problem.shape)},
                {"verb", verb}};
  document["result"] = std::visit(
      [&](const auto& values) {
        const auto* next = values.data();
        return json_array(next, result.dims, 0);
      },
      result.values);
  return document.dump() + "\n";
}

/// The format that the path's ending names; empty if it names none.
std::string format_of(const std::string& path) {
  for (const auto& format : formats) {
    if (path.ends_with("." + format)) return format;
  }
  return "";
}

}  // namespace

std::string Output::chosen_format() const {
  const std::string named = format_of(path);
  std::string asked = json ? "json" : format;
  if (json && !format.empty() && format != "json") {
    refuse("--json", "contradicts --format " + format);
  }
  if (!asked.empty() && !named.empty() && asked != named) {
    refuse("--output", quoted(path) + " contradicts the format " + asked);
  }
  if (!asked.empty()) return asked;
  return named.empty() ? "tsv" : named;
}

void write_result(const Output& output, const Problem& problem, const std::string& verb,
                  const Array& result) {
  const std::string format = output.chosen_format();
  if (format == "npy") return write_file(output.path, npy_bytes(result));
  if (format == "json") return write_file(output.path, json_text(problem, verb, result));
  const bool scalar = find_verb(problem.verb).result == Result::number;
  write_file(output.path, table_text(result, scalar, format == "csv" ? ',' : '\t'));
}

}  // namespace softtricks::cli
