/// The generic kernel of every structure and verb for CUDA devices: one thread per instance, on the
/// same text as the CPU. Compiled so that the text stays host and device; nothing launches it yet.
#include "kernels.hpp"
#include "softtricks/base/parameters.hpp"
#include "softtricks/base/shape.hpp"
#include "softtricks/functions.hpp"

namespace softtricks {
namespace {

/// A CUDA thread alone.
using ThreadTeam = SerialTeam<100>;

/// `memory`: `bytes_each` bytes of scratch for every instance.
template <class Verb, class S, class Scalar>
__global__ void structure_kernel(KernelArguments in, std::int64_t batch, char* memory,
                                 std::int64_t bytes_each) {
  const std::int64_t b = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (b >= batch) return;
  const S structure = make_structure<S>(in.shape);
  const int size = structure.size();
  const auto row = [&](const void* base) {
    return Vector<const Scalar>{static_cast<const Scalar*>(base) + b * size, size};
  };
  const std::uint64_t instance = in.first_instance + static_cast<std::uint64_t>(b);
  const Stream<Scalar> stream(in.seed, static_cast<std::uint32_t>(instance),
                              static_cast<std::uint32_t>(instance >> 32));
  const auto length =
      static_cast<Scalar>(in.lengths == nullptr ? structure.longest() : in.lengths[b]);
  const int members = Verb::result == Result::members ? static_cast<int>(in.members) : 0;
  const Vector<Scalar> value{static_cast<Scalar*>(in.out_value) + b * members, members};
  const Operands<Scalar> operands{
      row(in.utility), row(in.member), row(in.cotangent), row(in.other), value, length, &stream};
  const int results = results_of(Verb::result, size, members);
  Scalar* const out = static_cast<Scalar*>(in.out) + b * results;
  Verb::run(structure, ThreadTeam(), operands, Vector<Scalar>{out, results},
            Scratch(memory + b * bytes_each));
}

template <class P, class Scalar>
__global__ void draw_kernel(PerturbationArguments in, std::int64_t rows) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= rows * in.size) return;
  const std::uint64_t instance = in.first_instance + static_cast<std::uint64_t>(i / in.size);
  const P law = make_perturbation<P>(in.parameters);
  static_cast<Scalar*>(in.out)[i] =
      law.transform(static_cast<const Scalar*>(in.theta)[i],
                    entry_noise<Scalar>(law, in.seed, instance, static_cast<int>(i % in.size)));
}

using StructureKernel = void (*)(KernelArguments, std::int64_t, char*, std::int64_t);
using DrawKernel = void (*)(PerturbationArguments, std::int64_t);

template <class Verb, class S, class Scalar>
StructureKernel structure_entry() {
  if constexpr (Offered<Verb, S, Scalar, ThreadTeam>) return &structure_kernel<Verb, S, Scalar>;
  return nullptr;
}

}  // namespace

/// The kernel of each verb and structure, by place in their lists: what a launcher will look up.
StructureKernel cuda_kernel(int structure, int verb, bool float64) {
  StructureKernel found = nullptr;
  int s = 0;
  Structures::for_each([&]<class S>() {
    int v = 0;
    for_each_verb([&]<class Verb>() {
      if (s == structure && v == verb) {
        found = float64 ? structure_entry<Verb, S, double>() : structure_entry<Verb, S, float>();
      }
      ++v;
    });
    ++s;
  });
  return found;
}

DrawKernel cuda_draw_kernel(int perturbation, bool float64) {
  DrawKernel found = nullptr;
  int p = 0;
  Perturbations::for_each([&]<class P>() {
    if (p == perturbation) found = float64 ? &draw_kernel<P, double> : &draw_kernel<P, float>;
    ++p;
  });
  return found;
}

}  // namespace softtricks
