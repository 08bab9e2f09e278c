# The compiled library `softtricks` and the compile-only CUDA target.
#
# Files named src/kernels*.cpp are compiled once per instruction set, with SOFTTRICKS_ISA = 0, 1, 2
# for the widest registers the text may use; every other src/*.cpp once, for the baseline.
# src/cpu.cpp picks at run time, so one binary serves every machine.

file(GLOB kernel_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/kernels*.cpp")
file(GLOB library_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/*.cpp")
list(REMOVE_ITEM library_sources ${kernel_sources})

option(SOFTTRICKS_ALL_INSTRUCTION_SETS
       "Compile the kernels for wide registers too; OFF: the baseline only, three times as quick" ON)
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  set(instruction_sets native-baseline)
elseif(SOFTTRICKS_ALL_INSTRUCTION_SETS)
  set(instruction_sets x86-64-v2 x86-64-v3 x86-64-v4) # SSE4.2, AVX2 with FMA, AVX-512
else()
  set(instruction_sets x86-64-v2)
endif()
list(LENGTH instruction_sets instruction_set_count)

# A wheel has several modules that share it; elsewhere every program has its own.
set(library_type STATIC)
if(SOFTTRICKS_WHEEL)
  set(library_type SHARED)
endif()
add_library(softtricks ${library_type} ${library_sources})
add_library(softtricks::softtricks ALIAS softtricks)
# Compiled with the same words either way, so that ccache knows the files again.
set_target_properties(softtricks PROPERTIES POSITION_INDEPENDENT_CODE ON DEFINE_SYMBOL "")
target_link_libraries(softtricks PUBLIC softtricks_core Threads::Threads)
# The tests ask too, hence BUILD_INTERFACE.
target_compile_definitions(
  softtricks PRIVATE SOFTTRICKS_ISA_COUNT=${instruction_set_count}
             INTERFACE $<BUILD_INTERFACE:SOFTTRICKS_ISA_COUNT=${instruction_set_count}>)
softtricks_numeric(softtricks)
softtricks_warnings(softtricks)

set(isa 0)
foreach(instruction_set IN LISTS instruction_sets)
  set(kernels softtricks_kernels_${isa})
  add_library(${kernels} OBJECT ${kernel_sources})
  set_target_properties(${kernels} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${kernels} PRIVATE softtricks_core Threads::Threads)
  target_compile_definitions(${kernels} PRIVATE SOFTTRICKS_ISA=${isa}
                                                SOFTTRICKS_ISA_COUNT=${instruction_set_count})
  if(NOT instruction_set STREQUAL "native-baseline")
    target_compile_options(${kernels} PRIVATE -march=${instruction_set})
  endif()
  softtricks_numeric(${kernels})
  softtricks_warnings(${kernels})
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # g++ 12 suspects its own AVX-512 intrinsics. It mixes independent chains of long operations (a
    # third faster draws) only when asked to.
    target_compile_options(${kernels} PRIVATE -Wno-maybe-uninitialized -Wno-uninitialized
                                              -fschedule-insns
                                              -fsched-pressure)
  endif()
  target_sources(softtricks PRIVATE $<TARGET_OBJECTS:${kernels}>)
  math(EXPR isa "${isa} + 1")
endforeach()

# CMake 3.25 does not know CUDA 13's C++20 flag, so nvcc is called by hand. Nothing links this yet:
# it keeps the core's text compiling for the device. `cmake --build <dir> --target softtricks_cuda`
if(SOFTTRICKS_CUDA AND EXISTS "${PROJECT_SOURCE_DIR}/src/cuda.cu")
  set(cuda_object "${PROJECT_BINARY_DIR}/softtricks_cuda.o")
  add_custom_command(
    OUTPUT "${cuda_object}"
    COMMAND
      "${SOFTTRICKS_NVCC}" -c "${PROJECT_SOURCE_DIR}/src/cuda.cu" -o "${cuda_object}" -O3 -std=c++20
      -arch=sm_90 --expt-relaxed-constexpr --extended-lambda -I "${PROJECT_SOURCE_DIR}/include" -I
      "${PROJECT_SOURCE_DIR}/src" -ccbin "${CMAKE_CXX_COMPILER}" -Werror
      cross-execution-space-call,reorder -Xcompiler=-fPIC,-Wall -MD -MF "${cuda_object}.d"
    DEPENDS "${PROJECT_SOURCE_DIR}/src/cuda.cu"
    DEPFILE "${cuda_object}.d"
    COMMENT "Compiling src/cuda.cu for sm_90"
    VERBATIM)
  add_custom_target(softtricks_cuda DEPENDS "${cuda_object}")
endif()
