#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "softtricks/registry.hpp"

namespace softtricks::cli {

using Dims = std::vector<std::int64_t>;

/// A contiguous row-major array of float32 or float64.
struct Array {
  Dims dims;
  std::variant<std::vector<float>, std::vector<double>> values;

  Dtype dtype() const { return values.index() == 0 ? Dtype::float32 : Dtype::float64; }
  std::int64_t count() const;
  /// The last dimension: the numbers of one instance.
  std::int64_t width() const { return dims.empty() ? 1 : dims.back(); }
  /// The dimensions before the last.
  Dims leading() const { return {dims.begin(), dims.end() - 1}; }
  void* data();
  const void* data() const { return const_cast<Array*>(this)->data(); }
};

/// "float32", "float64"
std::vector<std::string> dtype_names();
std::string dtype_name(Dtype dtype);
Dtype dtype_of(const std::string& name);
std::int64_t product(const Dims& dims);
std::string dims_text(const Dims& dims);

Array zeros(Dims dims, Dtype dtype);
/// The same numbers as `dtype`; refuses a finite one that float32 can't hold. `name` is the
/// argument that the numbers came from.
Array converted(Array array, Dtype dtype, const std::string& name);
/// `times` copies one after the other, as a new leading dimension.
Array repeated(const Array& array, std::int64_t times);

}  // namespace softtricks::cli
