#pragma once
/// The table through which src/cpu.cpp reaches the kernels, compiled once per instruction set.
/// Plain types only: nothing here may pull in code that could be compiled twice with different
/// flags.
#include <cstddef>
#include <cstdint>

namespace softtricks {

/// A Call (registry.hpp) reduced to numbers and pointers.
struct KernelArguments {
  std::int64_t shape[4];
  double temperature;
  double utility_range;
  const void* utility;
  const void* member;
  const void* cotangent;
  const void* other;
  const std::int64_t* lengths;
  const std::int64_t* counts;
  std::int64_t members;  // that a verb returns for an instance
  std::uint64_t seed;
  std::uint64_t first_instance;
  void* out;
  void* out_value;
};

/// Works on instances [begin, end); `memory` as the matching `bytes` asks for.
struct Kernel {
  void (*run)(const KernelArguments&, std::int64_t begin, std::int64_t end, void* memory) = nullptr;
  std::size_t (*bytes)(const KernelArguments&) = nullptr;
  /// A guess of the work of one instance in multiply-adds, to cut batches into pieces.
  std::int64_t (*work)(const KernelArguments&) = nullptr;
};

/// A PerturbationCall reduced to numbers and pointers; works on rows [begin, end).
struct PerturbationArguments {
  double parameters[4];
  std::int64_t size;
  const void* theta;
  const void* value;
  const void* cotangent;
  std::uint64_t seed;
  std::uint64_t first_instance;
  void* out;
  void* out_value;
};
using PerturbationKernel = void (*)(const PerturbationArguments&, std::int64_t begin,
                                    std::int64_t end);

/// Verbs on perturbations, in the order of KernelTable::perturbation.
enum PerturbationVerb {
  draw,
  draw_vjp,
  draw_noise,
  transform,
  transform_vjp,
  log_density,
  log_density_vjp,
  divergence,
  divergence_vjp,
  perturbation_verbs
};

inline constexpr int most_structures = 32, most_verbs = 32, most_perturbations = 16;

/// Kernels by place in the lists of lists.hpp and functions.hpp, and by type (float, double). An
/// empty entry: not offered.
struct KernelTable {
  const char* name;
  Kernel verb[most_structures][most_verbs][2];
  PerturbationKernel perturbation[most_perturbations][perturbation_verbs][2];
};

const KernelTable& kernels_baseline();
const KernelTable& kernels_avx2();
const KernelTable& kernels_avx512();

}  // namespace softtricks
