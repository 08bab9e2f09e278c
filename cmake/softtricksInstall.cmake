# `cmake --install <dir> --prefix <prefix>`: headers, library, programs, and the files that
# find_package(softtricks) reads.
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/softtricks")
# Programs look for softtricks_torch in the prefix, wherever the prefix is moved to.
file(RELATIVE_PATH bin_to_lib "/${CMAKE_INSTALL_BINDIR}" "/${CMAKE_INSTALL_LIBDIR}")

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(TARGETS softtricks_core softtricks EXPORT softtricksTargets)
install(EXPORT softtricksTargets NAMESPACE softtricks:: DESTINATION "${package_dir}")

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/softtricksConfig.cmake.in"
                              "${PROJECT_BINARY_DIR}/softtricksConfig.cmake"
                              INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/softtricksConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/softtricksConfig.cmake"
              "${PROJECT_BINARY_DIR}/softtricksConfigVersion.cmake" DESTINATION "${package_dir}")

if(TARGET softtricks_torch)
  set_target_properties(softtricks_torch PROPERTIES EXPORT_NAME torch INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS softtricks_torch EXPORT softtricksTorchTargets)
  install(EXPORT softtricksTorchTargets NAMESPACE softtricks:: DESTINATION "${package_dir}")
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/bindings/torch/include/"
          DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  install(FILES "${PROJECT_SOURCE_DIR}/cmake/FindTorchCore.cmake" DESTINATION "${package_dir}")
endif()

foreach(program IN ITEMS softtricks_cli graph_layout learning_to_explain)
  if(TARGET ${program})
    set_property(TARGET ${program} APPEND PROPERTY INSTALL_RPATH "$ORIGIN/${bin_to_lib}")
    set_target_properties(${program} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
    install(TARGETS ${program})
  endif()
endforeach()
