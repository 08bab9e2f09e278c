#pragma once
/// Named arrays in one file, in the safetensors layout (readable from Python with the package of
/// that name), with a checksum of the content in the file's own metadata.
///
///   8 bytes   length of the header
///   header    JSON: name -> {"dtype", "shape", "data_offsets"}, and "__metadata__"
///   content   the arrays, one after another
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/files.hpp"

namespace experiments {

/// One array in memory that somebody else owns.
struct ArrayView {
  std::string name;
  std::string dtype;  // "F32", "F64", "I64", "U8"
  std::vector<std::int64_t> shape;
  Bytes bytes;
};

/// A file read whole and found intact. The views point into `storage`.
struct TensorFile {
  std::string storage;
  std::map<std::string, ArrayView> arrays;
  std::map<std::string, std::string> metadata;

  /// The array `name`; an error if it is missing or has another type.
  const ArrayView& array(const std::string& name, const std::string& dtype) const;
  Path path;
};

void write_tensor_file(const Path& path, const std::vector<ArrayView>& arrays,
                       std::map<std::string, std::string> metadata, std::string_view what);

/// Throws UserError if the file is missing, cut short or damaged. `remedy` ends that sentence.
TensorFile read_tensor_file(const Path& path, std::string_view what, std::string_view remedy);

}  // namespace experiments
