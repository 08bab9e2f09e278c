#include "files.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include <unistd.h>

#include "error.hpp"
#include "npy.hpp"
#include "table.hpp"

namespace softtricks::cli {
namespace {

namespace fs = std::filesystem;

std::string reason() { return std::strerror(errno); }

std::string read_all(std::FILE* file, const std::string& name) {
  std::string bytes;
  char piece[1 << 16];
  while (const std::size_t got = std::fread(piece, 1, sizeof piece, file)) bytes.append(piece, got);
  if (std::ferror(file)) refuse(name, "cannot be read: " + reason());
  return bytes;
}

std::string read_bytes(const std::string& path, const std::string& argument) {
  if (path == standard_stream) {
    if (isatty(STDIN_FILENO)) refuse(argument, "name a file, or pipe the numbers in");
    return read_all(stdin, argument);
  }
  const std::string name = argument + " " + quoted(path);
  std::FILE* const file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) refuse(name, "cannot be opened: " + reason());
  const struct Closer {
    std::FILE* file;
    ~Closer() { std::fclose(file); }
  } closer{file};
  return read_all(file, name);
}

/// Did everything reach the file? `file` is flushed, not closed.
bool put(std::FILE* file, const std::string& bytes) {
  return std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size() && std::fflush(file) == 0;
}

[[noreturn]] void cannot_write(const std::string& path) {
  fail("cannot write " + quoted(path) + ": " + reason());
}

/// Writes and closes; leaves errno telling why it failed.
bool write_plainly(const std::string& path, const std::string& bytes) {
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return false;
  const bool written = put(file, bytes);
  const int error = errno;
  if (std::fclose(file) == 0 && written) return true;
  if (!written) errno = error;
  return false;
}

}  // namespace

Array read_array(const std::string& path, const std::string& argument, bool integers_too) {
  const std::string bytes = read_bytes(path, argument);
  const std::string name = path == standard_stream ? argument : argument + " " + quoted(path);
  if (bytes.empty()) refuse(name, "is empty");
  if (looks_like_npy(bytes) || path.ends_with(".npy")) return parse_npy(bytes, name, integers_too);
  return parse_table(bytes, name);
}

void write_file(const std::string& path, const std::string& bytes) {
  if (path == standard_stream) {
    if (!put(stdout, bytes)) fail("cannot write to standard output: " + reason());
    return;
  }
  std::error_code error;
  const fs::path known = fs::canonical(path, error);
  const std::string target = error ? path : known.string();  // a link stays a link
  if (fs::exists(target, error) && !fs::is_regular_file(target, error)) {
    if (!write_plainly(target, bytes)) cannot_write(path);  // a device or pipe can't be replaced
    return;
  }
  const std::string beside = target + ".tmp-" + std::to_string(getpid());
  if (write_plainly(beside, bytes) && std::rename(beside.c_str(), target.c_str()) == 0) return;
  const int why = errno;
  std::remove(beside.c_str());
  errno = why;
  cannot_write(path);
}

}  // namespace softtricks::cli
