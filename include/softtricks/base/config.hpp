#pragma once
/// Words that let one text compile for the host and for CUDA devices.
///
/// SOFTTRICKS_FN      a small function, always inlined. The same text is compiled for several
///                    instruction sets into one binary; what is never emitted out of line can't be
///                    exchanged for its twin of another instruction set by the linker.
/// SOFTTRICKS_SOLVER  a large one, emitted once for each number type instead of into every caller.
///                    Must be a template over the team, whose tag tells instruction sets apart.

#if defined(__CUDACC__)
#define SOFTTRICKS_FN __host__ __device__ inline
#define SOFTTRICKS_SOLVER __host__ __device__ __noinline__ inline
#elif defined(NDEBUG)
#define SOFTTRICKS_FN [[gnu::always_inline]] inline
#define SOFTTRICKS_SOLVER [[gnu::noinline]] inline
#else
#define SOFTTRICKS_FN inline
#define SOFTTRICKS_SOLVER inline
#endif
