#include "graph_layout/data.hpp"

#include <cstring>

#include "graph_layout/data_file.hpp"

namespace graph_layout {
namespace {

at::Tensor tensor(const experiments::TensorFile& file, const std::string& name, const char* dtype,
                  at::ScalarType type) {
  const experiments::ArrayView& array = file.array(name, dtype);
  at::Tensor result = at::empty(array.shape, at::TensorOptions(type));
  std::memcpy(result.mutable_data_ptr(), array.bytes.data(), array.bytes.size());
  return result;
}

Split split(const experiments::TensorFile& file, const std::string& name) {
  return {tensor(file, name + ".positions", "F32", at::kFloat),
          tensor(file, name + ".trees", "U8", at::kByte)};
}

}  // namespace

Data load_data(const Options& options) {
  const experiments::TensorFile file = read_data(options);
  return {split(file, "train"), split(file, "validation"), split(file, "test")};
}

}  // namespace graph_layout
