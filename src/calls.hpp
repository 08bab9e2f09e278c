#pragma once
/// What the calls on structures (cpu.cpp) and on perturbations (perturbations.cpp) share.
#include <string>
#include <string_view>
#include <vector>

#include "kernels.hpp"
#include "softtricks/lists.hpp"
#include "softtricks/registry.hpp"

namespace softtricks {

/// The kernels of the machine's best instruction set.
const KernelTable& kernels();

inline std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

inline std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

template <class List>
std::vector<std::string> names_of() {
  std::vector<std::string> names;
  List::for_each([&]<class M>() { names.emplace_back(M::name); });
  return names;
}

template <class List>
int place_of(std::string_view name) {
  int place = 0, found = -1;
  List::for_each([&]<class M>() {
    if (name == M::name) found = place;
    ++place;
  });
  return found;
}

/// Instances per piece: enough work to be worth a thread's attention, and whole packs.
inline std::int64_t grain_for(std::int64_t work) {
  constexpr std::int64_t worth = 100000, pack = 16;
  const std::int64_t instances = worth / (work + 1) + 1;
  return (instances + pack - 1) / pack * pack;
}

}  // namespace softtricks
