#pragma once
/// Words that let one text compile for the host and for CUDA devices.
///
/// SOFTTRICKS_FN marks every function of the core. On the host it also forces inlining: the same
/// text is compiled for several instruction sets into one binary, and a function that is never
/// emitted out of line can't be exchanged for its twin of another instruction set by the linker.

#if defined(__CUDACC__)
#define SOFTTRICKS_FN __host__ __device__ inline
#define SOFTTRICKS_RECURSIVE __host__ __device__ inline
#elif defined(NDEBUG)
#define SOFTTRICKS_FN [[gnu::always_inline]] inline
#define SOFTTRICKS_RECURSIVE inline
#else
#define SOFTTRICKS_FN inline
#define SOFTTRICKS_RECURSIVE inline
#endif
