#pragma once
/// What a structure's test file says about one of its shapes, found without the library: its
/// members by brute force, their number in closed form, the inequalities of their convex hull.
#include <algorithm>
#include <functional>
#include <optional>

#include "kernel_engine.hpp"

namespace softtricks::laws {

using Member = std::vector<int>;  // 0/1, [size]

/// The smaller structure that an instance of some length is.
struct Part {
  std::vector<std::int64_t> shape;
  std::vector<int> entries;  // which entries of the padded instance it uses, in its own order
};

struct Subject {
  std::string structure;
  std::vector<std::int64_t> shape;
  std::size_t size;
  std::vector<Member> members;
  double count;  // closed form
  /// By how much a point violates the inequalities of the convex hull.
  std::function<double(const Numbers&)> outside;
  std::int64_t longest;
  /// None: no member is that short.
  std::function<std::optional<Part>(std::int64_t length)> part;
  Engines engines;
  /// By how many roundings of the largest utility the value of argmax may miss the best one: 0
  /// where utilities are only compared, never added.
  double argmax_roundings = 0;

  std::string label() const {
    std::string text = structure;
    for (const std::int64_t field : shape) text += "_" + std::to_string(field);
    return text;
  }
};

/// The subjects of all structures; a structure's test file adds to them before main.
inline std::vector<Subject>& subjects() {
  static std::vector<Subject> all;
  return all;
}

/// Engines of shapes too large to enumerate, to run within the scratch a structure asks for.
inline std::vector<std::pair<std::size_t, Engines>>& large_engines() {
  static std::vector<std::pair<std::size_t, Engines>> all;
  return all;
}

/// f(x) of a regularizer that treats entries alike.
struct RegularizerSubject {
  std::string name;
  double (*slope)(double x);  // f'
  /// How much f' is off when x, in (0, 1), is off by the rounding of one unit of `epsilon`.
  double (*slack)(double x);
};

inline std::vector<RegularizerSubject>& regularizer_subjects() {
  static std::vector<RegularizerSubject> all;
  return all;
}

/// Entries 0 .. length-1: the part of a structure with one entry an item.
inline std::vector<int> first_entries(std::int64_t length) {
  std::vector<int> entries(static_cast<std::size_t>(length));
  std::iota(entries.begin(), entries.end(), 0);
  return entries;
}

inline double largest_violation(std::initializer_list<double> violations) {
  return std::max(violations);
}

/// All 0/1 vectors of `size` entries for which `keep` holds.
template <class Keep>
std::vector<Member> subsets_where(int size, Keep keep) {
  std::vector<Member> found;
  for (unsigned bits = 0; bits < (1u << size); ++bits) {
    Member x(static_cast<std::size_t>(size));
    for (int e = 0; e < size; ++e) x[static_cast<std::size_t>(e)] = (bits >> e) & 1u;
    if (keep(x)) found.push_back(x);
  }
  return found;
}

/// All 0/1 vectors of `size` entries with `ones` ones.
inline std::vector<Member> subsets_of(int size, int ones) {
  Member x(static_cast<std::size_t>(size));
  std::fill_n(x.begin(), ones, 1);
  std::vector<Member> found{x};
  while (std::prev_permutation(x.begin(), x.end())) found.push_back(x);
  return found;
}

}  // namespace softtricks::laws
