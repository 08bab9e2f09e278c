#include "shape.hpp"

#include <algorithm>

#include "error.hpp"
#include "names.hpp"
#include "numbers.hpp"

namespace softtricks::cli {
namespace {

using Shape = std::vector<std::int64_t>;

std::string field_text(const std::string& field, std::int64_t value) {
  return field + "=" + std::to_string(value);
}

/// "nodes=9 needs 36"
std::string needs_text(const std::string& field, std::int64_t value, std::int64_t size) {
  return field_text(field, value) + " needs " + std::to_string(size);
}

/// Looks for the one value of a field that makes the structure as wide as the input.
class Inference {
 public:
  Inference(const std::string& structure, Shape shape, std::size_t field, std::int64_t width)
      : structure_(structure), shape_(std::move(shape)), field_(field), width_(width) {}

  Shape run(const std::string& input) {
    // A size grows at least by one with every step of a field it depends on.
    for (auto& value = shape_[field_]; value <= width_ + 1 && !decided(); ++value) consider(value);
    if (fits_.empty()) refuse_all(input);
    if (fits_.size() > 1) {
      refuse("--" + name(),
             "the input does not tell it; give --" + name() + " or --shape " + name() + "=...");
    }
    shape_[field_] = fits_[0];
    return shape_;
  }

 private:
  const std::string& name() const { return find_structure(structure_).fields[field_]; }

  bool decided() const { return fits_.size() > 1 || !above_.empty(); }

  void consider(std::int64_t value) {
    std::int64_t size = 0;
    const Status status = size_of(structure_, shape_, size);
    if (!status.ok()) {
      if (value <= width_) last_refusal_ = status.message();
    } else if (size == width_) {
      fits_.push_back(value);
    } else {
      (size < width_ ? below_ : above_) = needs_text(name(), value, size);
    }
  }

  /// " with k=10", if there are other fields.
  std::string known_text() const {
    std::vector<std::string> pairs;
    const auto& fields = find_structure(structure_).fields;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (i != field_) pairs.push_back(field_text(fields[i], shape_[i]));
    }
    return pairs.empty() ? "" : " with " + joined(pairs);
  }

  [[noreturn]] void refuse_all(const std::string& input) const {
    if (below_.empty() && above_.empty()) refuse("--shape", last_refusal_);
    const std::string near = below_ + (below_.empty() || above_.empty() ? "" : ", ") + above_;
    refuse(input, "the last dimension is " + std::to_string(width_) + ", which no " + name() +
                      " of " + structure_ + known_text() + " gives (" + near + ")");
  }

  const std::string& structure_;
  Shape shape_;
  std::size_t field_;
  std::int64_t width_;
  std::vector<std::int64_t> fits_;
  std::string below_, above_, last_refusal_;
};

/// What was given for a field, or its default.
std::optional<std::int64_t> field_value(const StructureInfo& structure, std::size_t field,
                                        const Fields& given) {
  const auto entry = given.find(structure.fields[field]);
  return entry == given.end() ? structure.defaults[field] : std::optional(entry->second);
}

void expect_fields_of(const std::string& structure, const Fields& given) {
  const auto& fields = find_structure(structure).fields;
  for (const auto& [field, value] : given) {
    if (std::find(fields.begin(), fields.end(), field) != fields.end()) continue;
    refuse("--" + field, "given as " + std::to_string(value) + ", but the shape of " + structure +
                             " has no such field; accepted: " + joined(fields));
  }
}

}  // namespace

void add_field(Fields& fields, const std::string& argument, const std::string& field,
               std::int64_t value) {
  const auto [entry, is_new] = fields.emplace(field, value);
  if (!is_new) {
    refuse(argument, "gives " + field + " twice: " + std::to_string(entry->second) + " and " +
                         std::to_string(value));
  }
}

void add_field(Fields& fields, const std::string& pair) {
  const auto equals = std::min(pair.find('='), pair.size());
  const auto value =
      parse_integer(std::string_view(pair).substr(std::min(equals + 1, pair.size())));
  if (equals == 0 || !value) {
    refuse("--shape", "got " + quoted(pair) + "; accepted: FIELD=INTEGER,... such as nodes=10");
  }
  add_field(fields, "--shape", pair.substr(0, equals), *value);
}

std::vector<std::int64_t> resolve_shape(const std::string& structure, const Fields& given,
                                        std::int64_t width, const std::string& input) {
  expect_fields_of(structure, given);
  Shape shape;
  std::vector<std::string> missing;
  std::size_t unknown = 0;
  const StructureInfo& info = find_structure(structure);
  for (std::size_t f = 0; f < info.fields.size(); ++f) {
    const auto value = field_value(info, f, given);
    if (!value) {
      missing.push_back(info.fields[f]);
      unknown = f;
    }
    shape.push_back(value.value_or(0));
  }
  if (missing.size() > 1) {
    refuse("--shape", structure + " needs " + joined(missing, "=..., ") +
                          "=...; all but one of them must be given");
  }
  if (missing.size() == 1) return Inference(structure, shape, unknown, width).run(input);

  std::int64_t size = 0;
  const Status status = size_of(structure, shape, size);
  if (!status.ok()) refuse("--shape", status.message());
  if (size != width) {
    refuse(input, "the last dimension is " + std::to_string(width) + "; " + structure + "(" +
                      shape_text(structure, shape) + ") needs " + std::to_string(size));
  }
  return shape;
}

std::optional<std::vector<std::int64_t>> shape_from(const StructureInfo& structure,
                                                    const Fields& given) {
  Shape shape;
  for (const auto& [field, value] : given) {
    if (std::ranges::count(structure.fields, field) == 0) return std::nullopt;
  }
  for (std::size_t f = 0; f < structure.fields.size(); ++f) {
    const auto value = field_value(structure, f, given);
    if (!value) return std::nullopt;
    shape.push_back(*value);
  }
  return shape;
}

std::string shape_text(const std::string& structure, const std::vector<std::int64_t>& shape) {
  const auto& fields = find_structure(structure).fields;
  std::vector<std::string> pairs;
  for (std::size_t i = 0; i < shape.size(); ++i) pairs.push_back(field_text(fields[i], shape[i]));
  return joined(pairs, ",");
}

}  // namespace softtricks::cli
