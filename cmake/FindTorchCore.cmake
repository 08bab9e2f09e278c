# Finds LibTorch's CPU half inside a torch wheel: headers, libtorch_cpu and libc10, nothing of CUDA.
#
#   TORCH_DIR          <site-packages>/torch: a variable, or else the environment's; without one,
#                      .venv beside the top CMakeLists.txt is looked at
#   TorchCore_FOUND, TorchCore_VERSION, TorchCore_DIR
#   TorchCore::headers     the include folders only (stable-ABI operators need no more to compile)
#   TorchCore::torch_cpu   a program or library that calls LibTorch
#   TorchCore::c10
#
# torch's own TorchConfig.cmake asks for a CUDA toolkit wherever the wheel was built with CUDA.
# libtorch_cpu needs none, so one build works with the toolkit and without.

# An explicit TORCH_DIR that holds nothing is a mistake to report, not a reason to look elsewhere.
set(TORCH_DIR "$ENV{TORCH_DIR}" CACHE PATH "<site-packages>/torch of the torch wheel to build with")
if(TORCH_DIR)
  set(torch_core_places "${TORCH_DIR}")
else()
  file(GLOB torch_core_places "${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch")
endif()

find_path(TorchCore_INCLUDE_DIR torch/csrc/stable/library.h PATHS ${torch_core_places}
          PATH_SUFFIXES include NO_DEFAULT_PATH)
find_library(TorchCore_LIBRARY torch_cpu PATHS ${torch_core_places} PATH_SUFFIXES lib
             NO_DEFAULT_PATH)
find_library(TorchCore_C10_LIBRARY c10 PATHS ${torch_core_places} PATH_SUFFIXES lib NO_DEFAULT_PATH)
mark_as_advanced(TorchCore_INCLUDE_DIR TorchCore_LIBRARY TorchCore_C10_LIBRARY)

if(TorchCore_INCLUDE_DIR)
  get_filename_component(TorchCore_DIR "${TorchCore_INCLUDE_DIR}" DIRECTORY)
  set(torch_core_header "${TorchCore_INCLUDE_DIR}/torch/headeronly/version.h")
  if(EXISTS "${torch_core_header}")
    file(STRINGS "${torch_core_header}" torch_core_parts
         REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
    string(REGEX MATCHALL "[0-9]+" torch_core_parts "${torch_core_parts}")
    list(JOIN torch_core_parts "." TorchCore_VERSION)
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  TorchCore
  REQUIRED_VARS TorchCore_LIBRARY TorchCore_C10_LIBRARY TorchCore_INCLUDE_DIR
  VERSION_VAR TorchCore_VERSION
  REASON_FAILURE_MESSAGE "looked in '${torch_core_places}', set TORCH_DIR to <site-packages>/torch")

if(TorchCore_FOUND AND NOT TARGET TorchCore::torch_cpu)
  add_library(TorchCore::headers INTERFACE IMPORTED)
  target_include_directories(
    TorchCore::headers SYSTEM INTERFACE "${TorchCore_INCLUDE_DIR}"
                                        "${TorchCore_INCLUDE_DIR}/torch/csrc/api/include")

  add_library(TorchCore::c10 SHARED IMPORTED)
  set_target_properties(TorchCore::c10 PROPERTIES IMPORTED_LOCATION "${TorchCore_C10_LIBRARY}")
  target_link_libraries(TorchCore::c10 INTERFACE TorchCore::headers)

  add_library(TorchCore::torch_cpu SHARED IMPORTED)
  set_target_properties(TorchCore::torch_cpu PROPERTIES IMPORTED_LOCATION "${TorchCore_LIBRARY}")
  target_link_libraries(TorchCore::torch_cpu INTERFACE TorchCore::headers TorchCore::c10)
  # The wheel finds its own CUDA runtime libraries when it is loaded; a link need not see them.
  target_link_options(TorchCore::torch_cpu INTERFACE LINKER:--allow-shlib-undefined)
endif()
