#include "array.hpp"

#include <cmath>
#include <numeric>

#include "error.hpp"
#include "numbers.hpp"

namespace softtricks::cli {

std::int64_t Array::count() const {
  return std::visit([](const auto& v) { return static_cast<std::int64_t>(v.size()); }, values);
}

void* Array::data() {
  return std::visit([](auto& v) { return static_cast<void*>(v.data()); }, values);
}

std::vector<std::string> dtype_names() { return {"float32", "float64"}; }

std::string dtype_name(Dtype dtype) { return dtype_names()[dtype == Dtype::float32 ? 0 : 1]; }

Dtype dtype_of(const std::string& name) {
  return name == dtype_names()[0] ? Dtype::float32 : Dtype::float64;
}

std::int64_t product(const Dims& dims) {
  return std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
}

std::string dims_text(const Dims& dims) {
  std::string text = "[";
  for (std::size_t i = 0; i < dims.size(); ++i) text += (i ? ", " : "") + std::to_string(dims[i]);
  return text + "]";
}

Array zeros(Dims dims, Dtype dtype) {
  Array array{std::move(dims), {}};
  const auto count = static_cast<std::size_t>(product(array.dims));
  if (dtype == Dtype::float32) {
    array.values = std::vector<float>(count);
  } else {
    array.values = std::vector<double>(count);
  }
  return array;
}

namespace {

float narrowed(double wide, const std::string& name) {
  const auto narrow = static_cast<float>(wide);
  if (std::isinf(narrow) && !std::isinf(wide)) {
    refuse(name,
           "the value " + number_text(wide) + " is too large for float32; use --dtype float64");
  }
  return narrow;
}

}  // namespace

Array converted(Array array, Dtype dtype, const std::string& name) {
  if (array.dtype() == dtype) return array;
  Array result = zeros(array.dims, dtype);
  if (dtype == Dtype::float64) {
    const auto& from = std::get<std::vector<float>>(array.values);
    std::get<std::vector<double>>(result.values).assign(from.begin(), from.end());
    return result;
  }
  const auto& from = std::get<std::vector<double>>(array.values);
  auto& to = std::get<std::vector<float>>(result.values);
  for (std::size_t i = 0; i < from.size(); ++i) to[i] = narrowed(from[i], name);
  return result;
}

Array repeated(const Array& array, std::int64_t times) {
  Array result{array.dims, array.values};
  result.dims.insert(result.dims.begin(), times);
  std::visit(
      [&](auto& values) {
        const auto once = values;
        values.clear();
        values.reserve(once.size() * static_cast<std::size_t>(times));
        for (std::int64_t i = 0; i < times; ++i) {
          values.insert(values.end(), once.begin(), once.end());
        }
      },
      result.values);
  return result;
}

}  // namespace softtricks::cli
