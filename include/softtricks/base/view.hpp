#pragma once
#include <cstddef>
#include <cstdint>

#include "softtricks/base/config.hpp"

namespace softtricks {

/// A contiguous run of `size` numbers that somebody else owns.
template <class T>
struct Vector {
  T* data = nullptr;
  int size = 0;

  SOFTTRICKS_FN T& operator[](int i) const { return data[i]; }
  /// The same numbers, to be read only.
  SOFTTRICKS_FN Vector<const T> view() const { return {data, size}; }
};

/// A row-major matrix with `stride` numbers a row that somebody else owns.
template <class T>
struct Matrix {
  T* data = nullptr;
  int stride = 0;

  SOFTTRICKS_FN T& operator()(int i, int j) const {
    return data[static_cast<std::ptrdiff_t>(i) * stride + j];
  }
  SOFTTRICKS_FN T* row(int i) const { return data + static_cast<std::ptrdiff_t>(i) * stride; }
};

/// A bump allocator over memory of the caller. Solvers take their working arrays from it, so that
/// nothing allocates inside a kernel. Passing it by value gives the callee a frame of its own: what
/// the callee takes is free again when it returns.
///
/// A default-constructed Scratch hands out null pointers and only counts: `used` then tells how
/// much memory the same sequence of calls needs.
class Scratch {
 public:
  static constexpr std::size_t alignment = 64;

  /// What `arrays` arrays of `size` numbers T take at most.
  template <class T>
  static constexpr std::size_t bytes(int arrays, int size) {
    return static_cast<std::size_t>(arrays) *
           (sizeof(T) * static_cast<std::size_t>(size) + alignment);
  }

  Scratch() = default;
  SOFTTRICKS_FN explicit Scratch(void* memory) : base_(static_cast<char*>(memory)) {}

  template <class T>
  SOFTTRICKS_FN T* take(std::size_t count) {
    char* const here = base_ == nullptr ? nullptr : base_ + used_;
    used_ += (count * sizeof(T) + alignment - 1) / alignment * alignment;
    return reinterpret_cast<T*>(here);
  }

  template <class T>
  SOFTTRICKS_FN Vector<T> vector(int size) {
    return {take<T>(static_cast<std::size_t>(size)), size};
  }

  template <class T>
  SOFTTRICKS_FN Matrix<T> matrix(int rows, int columns) {
    return {take<T>(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns)), columns};
  }

  SOFTTRICKS_FN std::size_t used() const { return used_; }

 private:
  char* base_ = nullptr;
  std::size_t used_ = 0;
};

}  // namespace softtricks
