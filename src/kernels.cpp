/// All kernels for one instruction set. CMake compiles this file once for each, with the matching
/// flags and SOFTTRICKS_ISA = 0 (baseline), 1 (AVX2) or 2 (AVX-512).
#include "perturbation_kernels.hpp"
#include "structure_kernels.hpp"

#ifndef SOFTTRICKS_ISA
#define SOFTTRICKS_ISA 0
#endif

namespace softtricks {
namespace {

constexpr int isa = SOFTTRICKS_ISA;
constexpr int register_bytes = isa == 2 ? 64 : isa == 1 ? 32 : 16;
constexpr const char* names[] = {"baseline", "avx2", "avx512"};

/// Plain numbers are taken a register at a time.
template <class T>
struct Register {
  using type = T;
};
template <Plain T>
struct Register<T> {
  using type = Pack<T, register_bytes / sizeof(T)>;
};

/// A CPU thread.
using CpuTeam = SerialTeam<isa, Register>;

template <class Verb, class S, class Scalar>
constexpr Kernel kernel_of() {
  if constexpr (Offered<Verb, S, Scalar, CpuTeam>) {
    using K = StructureKernels<Verb, S, Scalar, register_bytes / sizeof(Scalar), CpuTeam>;
    return {&K::run, &K::bytes, &K::work};
  } else {
    return {};
  }
}

template <class P, class Scalar>
constexpr void fill_perturbation(KernelTable& table, int place) {
  using K = PerturbationKernels<P, Scalar, register_bytes / sizeof(Scalar)>;
  constexpr int type = sizeof(Scalar) == 8;
  auto& row = table.perturbation[place];
  row[draw][type] = &K::draw;
  row[draw_vjp][type] = &K::draw_vjp;
  row[draw_noise][type] = &K::draw_noise;
  row[transform][type] = &K::template value<TransformOf>;
  row[transform_vjp][type] = &K::template vjp<TransformOf>;
  if constexpr (Has<P, LogProbOf, Scalar>) {
    row[log_density][type] = &K::template value<LogProbOf>;
    row[log_density_vjp][type] = &K::template vjp<LogProbOf>;
  }
  if constexpr (Has<P, KlOf, Scalar>) {
    row[divergence][type] = &K::template value<KlOf>;
    row[divergence_vjp][type] = &K::template vjp<KlOf>;
  }
}

constexpr KernelTable make_table() {
  KernelTable table{names[isa], {}, {}};
  int s = 0;
  Structures::for_each([&]<class S>() {
    int v = 0;
    for_each_verb([&]<class Verb>() {
      table.verb[s][v][0] = kernel_of<Verb, S, float>();
      table.verb[s][v][1] = kernel_of<Verb, S, double>();
      ++v;
    });
    ++s;
  });
  int p = 0;
  Perturbations::for_each([&]<class P>() {
    fill_perturbation<P, float>(table, p);
    fill_perturbation<P, double>(table, p);
    ++p;
  });
  return table;
}

constexpr KernelTable table = make_table();

}  // namespace

#if SOFTTRICKS_ISA == 2
const KernelTable& kernels_avx512() { return table; }
#elif SOFTTRICKS_ISA == 1
const KernelTable& kernels_avx2() { return table; }
#else
const KernelTable& kernels_baseline() { return table; }
#endif

}  // namespace softtricks
