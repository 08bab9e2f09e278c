#include "npy.hpp"

#include <bit>
#include <cstring>
#include <limits>

#include "error.hpp"
#include "numbers.hpp"

namespace softtricks::cli {
namespace {

static_assert(std::endian::native == std::endian::little, "npy files are read as they lie there");

constexpr std::string_view magic{"\x93NUMPY", 6};

[[noreturn]] void corrupt(const std::string& name, const std::string& what) {
  refuse(name, "not a sound .npy file: " + what);
}

struct Header {
  std::string descr;  // NumPy's type code, such as "<f4"
  bool fortran_order = false;
  Dims dims;
  std::string_view data;
};

/// What stands behind 'key': in the header's dictionary.
std::string_view entry(std::string_view dictionary, const std::string& key,
                       const std::string& name) {
  auto at = dictionary.find("'" + key + "'");
  if (at != dictionary.npos) at = dictionary.find(':', at);
  if (at != dictionary.npos) at = dictionary.find_first_not_of(' ', at + 1);
  if (at == dictionary.npos) corrupt(name, "its header has no '" + key + "'");
  return dictionary.substr(at);
}

Dims parse_dims(std::string_view text, const std::string& name) {
  const auto end = text.find(')');
  if (text.empty() || text[0] != '(' || end == text.npos) corrupt(name, "its shape is no tuple");
  text = text.substr(1, end - 1);
  Dims dims;
  std::int64_t total = 1;
  while (true) {
    const auto start = text.find_first_not_of(" ,");
    if (start == text.npos) return dims;
    text.remove_prefix(start);
    const auto stop = std::min(text.find_first_of(" ,"), text.size());
    const auto extent = parse_integer(text.substr(0, stop));
    if (!extent || *extent < 0 || __builtin_mul_overflow(total, *extent, &total)) {
      corrupt(name, "its shape has the entry '" + std::string(text.substr(0, stop)) + "'");
    }
    dims.push_back(*extent);
    text.remove_prefix(stop);
  }
}

Header parse_header(std::string_view bytes, const std::string& name) {
  if (!looks_like_npy(bytes)) corrupt(name, "it does not begin with \\x93NUMPY");
  if (bytes.size() < 12) corrupt(name, "it ends within its header");
  const auto byte = [&](std::size_t i) {
    return std::size_t(static_cast<unsigned char>(bytes[i]));
  };
  const std::size_t version = byte(6);
  if (version < 1 || version > 3) {
    corrupt(name, "format version " + std::to_string(version) + "; versions 1 to 3 are read");
  }
  const std::size_t start = version == 1 ? 10 : 12;
  std::size_t length = byte(8) + (byte(9) << 8);
  if (version > 1) length += (byte(10) << 16) + (byte(11) << 24);
  if (bytes.size() - start < length) corrupt(name, "it ends within its header");

  const auto dictionary = bytes.substr(start, length);
  const auto descr = entry(dictionary, "descr", name);
  Header header;
  header.descr = descr[0] == '\'' ? descr.substr(1, std::min(descr.find('\'', 1) - 1, descr.size()))
                                  : "a structured type";
  header.fortran_order = entry(dictionary, "fortran_order", name).starts_with("True");
  header.dims = parse_dims(entry(dictionary, "shape", name), name);
  header.data = bytes.substr(start + length);
  return header;
}

/// The numbers in row-major order.
template <class T>
std::vector<T> decode(const Header& header, const std::string& name) {
  const auto count = static_cast<std::size_t>(product(header.dims));
  if (count > std::numeric_limits<std::size_t>::max() / sizeof(T) ||
      header.data.size() != count * sizeof(T)) {
    corrupt(name, "shape " + dims_text(header.dims) + " of " + header.descr + " needs " +
                      std::to_string(count) + " x " + std::to_string(sizeof(T)) +
                      " bytes of data, it has " + std::to_string(header.data.size()));
  }
  std::vector<T> values(count);
  if (count > 0) std::memcpy(values.data(), header.data.data(), count * sizeof(T));
  return values;
}

/// From the order in which the first index runs fastest to the one in which the last does.
template <class T>
std::vector<T> row_major(const std::vector<T>& values, const Dims& dims) {
  std::vector<T> result(values.size());
  Dims index(dims.size(), 0);
  for (T& entry : result) {
    std::int64_t from = 0;
    for (std::size_t d = dims.size(); d-- > 0;) from = from * dims[d] + index[d];
    entry = values[static_cast<std::size_t>(from)];
    for (std::size_t d = dims.size(); d-- > 0 && ++index[d] == dims[d];) index[d] = 0;
  }
  return result;
}

template <class T>
Array decode_as(const Header& header, const std::string& name) {
  using Kept = std::conditional_t<std::is_same_v<T, float>, float, double>;
  auto values = decode<T>(header, name);
  if (header.fortran_order) values = row_major(values, header.dims);
  return {header.dims, std::vector<Kept>(values.begin(), values.end())};
}

}  // namespace

bool looks_like_npy(std::string_view bytes) { return bytes.starts_with(magic); }

Array parse_npy(std::string_view bytes, const std::string& name, bool integers_too) {
  const Header header = parse_header(bytes, name);
  if (header.descr == "<f4") return decode_as<float>(header, name);
  if (header.descr == "<f8") return decode_as<double>(header, name);
  if (integers_too && header.descr == "<i4") return decode_as<std::int32_t>(header, name);
  if (integers_too && header.descr == "<i8") return decode_as<std::int64_t>(header, name);
  refuse(name, "the array's type is " + header.descr + "; accepted: little-endian float32 (<f4), " +
                   "float64 (<f8)" + (integers_too ? ", int32 (<i4), int64 (<i8)" : "") +
                   "; in Python: array.astype('<f4')");
}

std::string npy_bytes(const Array& array) {
  std::string shape;
  for (const auto extent : array.dims) shape += std::to_string(extent) + ",";
  if (array.dims.size() > 1) shape.pop_back();
  std::string header = std::string("{'descr': '") +
                       (array.dtype() == Dtype::float32 ? "<f4" : "<f8") +
                       "', 'fortran_order': False, 'shape': (" + shape + "), }";
  // The data must start at a multiple of 64 bytes, behind a line break.
  const std::size_t before = magic.size() + 4, unpadded = before + header.size() + 1;
  header.append((64 - unpadded % 64) % 64, ' ').push_back('\n');

  std::string bytes(magic);
  bytes += {'\x01', '\x00', static_cast<char>(header.size() & 255),
            static_cast<char>(header.size() >> 8)};
  bytes += header;
  const std::size_t width = array.dtype() == Dtype::float32 ? sizeof(float) : sizeof(double);
  bytes.append(static_cast<const char*>(array.data()),
               static_cast<std::size_t>(array.count()) * width);
  return bytes;
}

}  // namespace softtricks::cli
