#pragma once
/// Files that are either the old version or the new one, never something in between.
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace experiments {

using Path = std::filesystem::path;
using Bytes = std::span<const char>;

/// A 64-bit checksum of `bytes`, continuing from `state`. It is there to notice damage, not malice.
std::uint64_t checksum(Bytes bytes, std::uint64_t state = 0);

/// Writes the pieces one after another beside `path`, flushes them to the disk and renames: a crash
/// or a full disk leaves what was at `path` before. `what` names the file in the error.
void write_atomically(const Path& path, std::initializer_list<Bytes> pieces, std::string_view what);
void write_atomically(const Path& path, std::string_view text, std::string_view what);

std::string read_file(const Path& path, std::string_view what);

/// Makes the folder if it is missing, and checks that a file can be written there. `option` is the
/// argument that named the folder.
void prepare_folder(const Path& folder, std::string_view option);

/// Keeps a folder for this process and its children until they end, however they do. Throws
/// UserError where another process has it.
void lock_folder(const Path& folder, std::string_view option);

/// Keeps a folder for its scope; waits until no other process has it.
class FolderTurn {
 public:
  explicit FolderTurn(const Path& folder);
  ~FolderTurn();
  FolderTurn(const FolderTurn&) = delete;
  FolderTurn& operator=(const FolderTurn&) = delete;

 private:
  int lock_;
};

/// Adds one line and flushes it to the disk; returns the file's new length.
std::uint64_t append_line(const Path& path, const std::string& line, std::string_view what);

/// Cuts a file back to `length` bytes; it must have at least that many.
void cut_file(const Path& path, std::uint64_t length, std::string_view what);

}  // namespace experiments
