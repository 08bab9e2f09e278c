#include "common/files.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/error.hpp"

namespace experiments {
namespace {

[[noreturn]] void fail(std::string_view doing, std::string_view what, const Path& path,
                       int error = errno) {
  std::ostringstream text;
  text << "cannot " << doing << ' ' << what << " '" << path.string()
       << "': " << std::strerror(error);
  if (error == ENOSPC || error == EDQUOT) text << "; free some space and run the command again";
  throw UserError(text.str());
}

/// An open file that closes itself.
class File {
 public:
  File(const Path& path, int flags) : descriptor_(::open(path.c_str(), flags, 0644)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool open() const { return descriptor_ >= 0; }

  bool write(Bytes bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return true;
  }

  /// Some errors of a write (a full network disk) are only told here.
  bool finish() {
    const bool flushed = ::fsync(descriptor_) == 0 || errno == EINVAL;
    const bool closed = ::close(std::exchange(descriptor_, -1)) == 0;
    return flushed && closed;
  }

  off_t length() const { return ::lseek(descriptor_, 0, SEEK_END); }

 private:
  int descriptor_;
};

}  // namespace

std::uint64_t checksum(Bytes bytes, std::uint64_t state) {
  // Four independent lanes, so that the multiplications overlap: several gigabytes a second.
  constexpr std::uint64_t prime = 0x9E3779B97F4A7C15u;
  std::array<std::uint64_t, 4> lanes = {state ^ prime, state + prime, ~state, state * prime + 1};
  std::size_t at = 0, lane = 0;
  for (; at + 8 <= bytes.size(); at += 8, lane = (lane + 1) % 4) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + at, 8);
    lanes[lane] = (lanes[lane] ^ word) * prime;
    lanes[lane] ^= lanes[lane] >> 29;
  }
  std::uint64_t result = bytes.size();
  for (; at < bytes.size(); ++at) {
    result = (result ^ static_cast<unsigned char>(bytes[at])) * prime;
  }
  for (const std::uint64_t value : lanes) {
    result = (result ^ value) * prime;
    result ^= result >> 32;
  }
  return result;
}

void write_atomically(const Path& path, std::initializer_list<Bytes> pieces,
                      std::string_view what) {
  Path temporary = path;
  temporary += ".writing";
  const auto give_up = [&](int error) {
    ::unlink(temporary.c_str());
    fail("write", what, path, error);
  };
  File file(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
  if (!file.open()) fail("write", what, path);
  for (const Bytes piece : pieces) {
    if (!file.write(piece)) give_up(errno);
  }
  if (!file.finish()) give_up(errno);
  if (std::rename(temporary.c_str(), path.c_str()) != 0) give_up(errno);
}

void write_atomically(const Path& path, std::string_view text, std::string_view what) {
  write_atomically(path, {Bytes(text.data(), text.size())}, what);
}

std::string read_file(const Path& path, std::string_view what) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) fail("read", what, path);
  std::string text(static_cast<std::size_t>(file.tellg()), '\0');
  file.seekg(0);
  if (!file.read(text.data(), static_cast<std::streamsize>(text.size()))) fail("read", what, path);
  return text;
}

void prepare_folder(const Path& folder, std::string_view option) {
  const std::string what = "folder given by " + std::string(option);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail("make the", what, folder, error.value());
  const Path probe = folder / (".probe-" + std::to_string(::getpid()));
  const bool writable = File(probe, O_WRONLY | O_CREAT | O_CLOEXEC).open();
  const int reason = errno;
  if (!writable) fail("write into the", what, folder, reason);
  ::unlink(probe.c_str());
}

void lock_folder(const Path& folder, std::string_view option) {
  // The descriptor stays open on purpose: the lock lasts as long as the last process that holds it.
  const int lock = ::open((folder / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0) fail("write into the", "folder given by " + std::string(option), folder);
  if (::flock(lock, LOCK_EX | LOCK_NB) == 0) return;
  if (errno != EWOULDBLOCK) return;  // a file system without locks
  throw UserError(std::string(option) + ": another training is writing into '" + folder.string() +
                  "'; wait for it, or give another folder");
}

FolderTurn::FolderTurn(const Path& folder)
    : lock_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  // On a file system without locks, work may be done twice.
  while (lock_ >= 0 && ::flock(lock_, LOCK_EX) != 0 && errno == EINTR) {
  }
}

FolderTurn::~FolderTurn() {
  if (lock_ >= 0) ::close(lock_);
}

std::uint64_t append_line(const Path& path, const std::string& line, std::string_view what) {
  File file(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC);
  if (!file.open()) fail("write", what, path);
  const off_t before = file.length();
  const std::string text = line + '\n';
  if (!file.write(text)) {
    const int error = errno;
    // Half a line would spoil the file for its readers.
    if (::truncate(path.c_str(), before) != 0) fail("repair", what, path);
    fail("write", what, path, error);
  }
  if (!file.finish()) fail("write", what, path);
  return static_cast<std::uint64_t>(before) + text.size();
}

void cut_file(const Path& path, std::uint64_t length, std::string_view what) {
  std::error_code error;
  const auto present = std::filesystem::exists(path, error) ? std::filesystem::file_size(path) : 0;
  if (present < length) {
    throw UserError(std::string(what) + " '" + path.string() + "' has " + std::to_string(present) +
                    " bytes, the checkpoint beside it expects at least " + std::to_string(length) +
                    "; delete the folder to start this row afresh");
  }
  if (present > length) std::filesystem::resize_file(path, length, error);
  if (error) fail("shorten", what, path, error.value());
}

}  // namespace experiments
