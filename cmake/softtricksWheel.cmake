# What a wheel holds, all in the package's folder: libsofttricks.so, the one copy of the kernels, and the
# modules that find it beside themselves. Neither PyTorch nor JAX is needed to build it.

# Only the functions of registry.hpp leave the library: the kernels' own may not meet another copy.
target_link_options(softtricks PRIVATE
                    "LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/softtricks.map")
set_property(TARGET softtricks APPEND PROPERTY LINK_DEPENDS "${PROJECT_SOURCE_DIR}/cmake/softtricks.map")

# PyTorch's stable ABI is plain C functions. An empty library by the right name makes the loader look
# for them in the PyTorch that is there.
file(WRITE "${PROJECT_BINARY_DIR}/stub/torch_cpu.cpp" "")
add_library(torch_cpu_stub SHARED "${PROJECT_BINARY_DIR}/stub/torch_cpu.cpp")
set_target_properties(torch_cpu_stub PROPERTIES OUTPUT_NAME torch_cpu LIBRARY_OUTPUT_DIRECTORY
                                                                      "${PROJECT_BINARY_DIR}/stub")
add_library(TorchCore::torch_cpu INTERFACE IMPORTED)
target_include_directories(TorchCore::torch_cpu SYSTEM
                           INTERFACE "${PROJECT_SOURCE_DIR}/third_party/torch_stable")
target_link_options(TorchCore::torch_cpu INTERFACE LINKER:--no-as-needed)
target_link_libraries(TorchCore::torch_cpu INTERFACE torch_cpu_stub)

function(softtricks_install_wheel)
  foreach(target IN ITEMS softtricks _core softtricks_torch softtricks_jax)
    if(TARGET ${target})
      set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN")
      install(TARGETS ${target} LIBRARY DESTINATION softtricks)
    endif()
  endforeach()
endfunction()
