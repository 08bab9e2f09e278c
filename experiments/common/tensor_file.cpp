#include "common/tensor_file.hpp"

#include <cstring>

#include <nlohmann/json.hpp>

#include "common/error.hpp"

namespace experiments {
namespace {

using Json = nlohmann::json;
constexpr std::string_view checksum_key = "checksum";

std::size_t size_of(const std::string& dtype) {
  if (dtype == "U8") return 1;
  if (dtype == "F32") return 4;
  if (dtype == "F64" || dtype == "I64") return 8;
  throw UserError("unknown element type " + dtype);
}

std::size_t bytes_of(const ArrayView& array) {
  std::size_t count = size_of(array.dtype);
  for (const std::int64_t extent : array.shape) count *= static_cast<std::size_t>(extent);
  return count;
}

/// The checksum covers the arrays' names, types, shapes and every other word of the metadata too.
std::uint64_t checksum_of(Json header, Bytes content) {
  header["__metadata__"].erase(std::string(checksum_key));
  const std::string text = header.dump();
  return checksum(content, checksum(Bytes(text.data(), text.size())));
}

/// Fills `file` from its storage; throws anything at all if the bytes make no sense.
void parse(TensorFile& file) {
  std::uint64_t header_length = 0;
  const std::string& storage = file.storage;
  if (storage.size() < 8) throw UserError("too short");
  std::memcpy(&header_length, storage.data(), 8);
  if (header_length > storage.size() - 8) throw UserError("cut short");
  const auto begin = storage.begin() + 8, end = begin + static_cast<std::ptrdiff_t>(header_length);
  const Json header = Json::parse(begin, end);
  const Bytes content(storage.data() + 8 + header_length, storage.size() - 8 - header_length);
  file.metadata = header.at("__metadata__").get<std::map<std::string, std::string>>();
  const std::string expected = file.metadata.at(std::string(checksum_key));
  if (std::to_string(checksum_of(header, content)) != expected) {
    throw UserError("its checksum does not match");
  }
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    ArrayView array{name, entry.at("dtype"), entry.at("shape"), {}};
    const auto first = entry.at("data_offsets").at(0).get<std::size_t>();
    const auto last = entry.at("data_offsets").at(1).get<std::size_t>();
    if (last > content.size() || first > last || last - first != bytes_of(array)) {
      throw UserError("array '" + name + "' is cut short");
    }
    array.bytes = content.subspan(first, last - first);
    file.arrays.emplace(name, std::move(array));
  }
}

}  // namespace

const ArrayView& TensorFile::array(const std::string& name, const std::string& dtype) const {
  const auto found = arrays.find(name);
  if (found == arrays.end()) {
    throw UserError("file '" + path.string() + "' holds no array '" + name + "'");
  }
  if (found->second.dtype != dtype) {
    throw UserError("array '" + name + "' in '" + path.string() + "' has type " +
                    found->second.dtype + ", expected " + dtype);
  }
  return found->second;
}

void write_tensor_file(const Path& path, const std::vector<ArrayView>& arrays,
                       std::map<std::string, std::string> metadata, std::string_view what) {
  Json header;
  std::string content;
  for (const ArrayView& array : arrays) {
    if (array.bytes.size() != bytes_of(array)) throw std::logic_error("array of wrong length");
    const std::size_t begin = content.size();
    content.append(array.bytes.begin(), array.bytes.end());
    header[array.name] = {
        {"dtype", array.dtype}, {"shape", array.shape}, {"data_offsets", {begin, content.size()}}};
  }
  header["__metadata__"] = metadata;
  header["__metadata__"][std::string(checksum_key)] =
      std::to_string(checksum_of(header, Bytes(content.data(), content.size())));
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // keeps the arrays aligned
  const auto length = static_cast<std::uint64_t>(text.size());
  write_atomically(path,
                   {Bytes(reinterpret_cast<const char*>(&length), 8),
                    Bytes(text.data(), text.size()), Bytes(content.data(), content.size())},
                   what);
}

TensorFile read_tensor_file(const Path& path, std::string_view what, std::string_view remedy) {
  TensorFile file;
  file.storage = read_file(path, what);
  file.path = path;
  try {
    parse(file);
  } catch (const std::exception& error) {
    throw UserError(std::string(what) + " '" + path.string() + "' is damaged (" + error.what() +
                    "); " + std::string(remedy));
  }
  return file;
}

}  // namespace experiments
