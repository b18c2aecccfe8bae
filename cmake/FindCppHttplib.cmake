# Finds Debian's and Ubuntu's cpp-httplib, which comes compiled: the macros that it was compiled with have to be those of
# whoever includes it, and pkg-config knows them.
#   CppHttplib::cpp_httplib
find_package(PkgConfig QUIET)
if(PKG_CONFIG_FOUND)
  pkg_check_modules(CppHttplib QUIET IMPORTED_TARGET cpp-httplib)
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CppHttplib REQUIRED_VARS CppHttplib_LIBRARIES VERSION_VAR CppHttplib_VERSION
  REASON_FAILURE_MESSAGE "install libcpp-httplib-dev and pkg-config: script/setup does")
if(CppHttplib_FOUND AND NOT TARGET CppHttplib::cpp_httplib)
  add_library(CppHttplib::cpp_httplib ALIAS PkgConfig::CppHttplib)
endif()
