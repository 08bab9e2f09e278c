# How the targets of this project are compiled: warnings, arithmetic, sanitizers.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug or RelWithDebInfo" FORCE)
endif()
if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_CXX_STANDARD 20)
  set(CMAKE_CXX_STANDARD_REQUIRED ON)
  set(CMAKE_CXX_EXTENSIONS OFF)
  set(CMAKE_COLOR_DIAGNOSTICS ON)
endif()

# What was compiled once, in whatever folder, is not compiled again where ccache is installed.
find_program(SOFTTRICKS_CCACHE ccache)
if(PROJECT_IS_TOP_LEVEL AND SOFTTRICKS_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}"
                                  CCACHE_NOHASHDIR=1 "${SOFTTRICKS_CCACHE}")
endif()

# A compiler that ./check never saw may know new warnings; they must not stop a user's build.
set(known_compiler OFF)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION MATCHES "^12[.]")
  set(known_compiler ON)
endif()
option(SOFTTRICKS_WERROR "Treat warnings as errors" ${known_compiler})

set(SOFTTRICKS_SANITIZE "" CACHE STRING "Sanitizers for every target, as in -fsanitize=")
if(SOFTTRICKS_SANITIZE)
  add_compile_options(-fsanitize=${SOFTTRICKS_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SOFTTRICKS_SANITIZE})
endif()

# softtricks_warnings(<target>...): every target of this project calls it.
function(softtricks_warnings)
  foreach(target IN LISTS ARGN)
    target_compile_options(
      ${target}
      PRIVATE -Wall
              -Wextra
              -Wpedantic
              -Wshadow
              -Wnon-virtual-dtor
              -Woverloaded-virtual
              -Wextra-semi
              $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> # g++ 12 sees overlaps in "text" + std::string
              -Wno-psabi # packs wider than the baseline's registers never cross a library boundary
              $<$<BOOL:${SOFTTRICKS_WERROR}>:-Werror>)
  endforeach()
endfunction()

# softtricks_numeric(<target>...): arithmetic that may be contracted and vectorised, and yet keeps
# infinities, NaN and the order of operations. -ffast-math would break the compensated sums.
function(softtricks_numeric)
  foreach(target IN LISTS ARGN)
    target_compile_options(${target} PRIVATE -fno-math-errno -fno-trapping-math -ffp-contract=fast
                                             $<$<CONFIG:Release>:-O3>)
  endforeach()
endfunction()

# softtricks_wanted(<folder> <out>): ON unless an option leaves the folder out.
function(softtricks_wanted folder out)
  set(wanted ON)
  if(folder STREQUAL "bindings/torch" AND NOT (SOFTTRICKS_TORCH OR SOFTTRICKS_WHEEL))
    set(wanted OFF)
  elseif(folder STREQUAL "experiments" AND NOT SOFTTRICKS_TORCH)
    set(wanted OFF)
  elseif(folder MATCHES "^bindings/(jax|python)" AND NOT SOFTTRICKS_PYTHON)
    set(wanted OFF)
  elseif(folder STREQUAL "tools" AND NOT SOFTTRICKS_TOOLS)
    set(wanted OFF)
  elseif(folder STREQUAL "benchmarks" AND NOT SOFTTRICKS_BENCHMARKS)
    set(wanted OFF)
  elseif(folder STREQUAL "tests" AND NOT (SOFTTRICKS_TESTS AND BUILD_TESTING))
    set(wanted OFF)
  endif()
  set(${out} ${wanted} PARENT_SCOPE)
endfunction()
