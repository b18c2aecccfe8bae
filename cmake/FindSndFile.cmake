# Finds libsndfile, which writes sound files, by pkg-config.
#   SndFile::SndFile
find_package(PkgConfig QUIET)
if(PKG_CONFIG_FOUND)
  pkg_check_modules(SndFile QUIET IMPORTED_TARGET sndfile)
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(SndFile REQUIRED_VARS SndFile_LINK_LIBRARIES VERSION_VAR SndFile_VERSION
  REASON_FAILURE_MESSAGE "install libsndfile1-dev and pkg-config: script/setup does")
if(SndFile_FOUND AND NOT TARGET SndFile::SndFile)
  add_library(SndFile::SndFile ALIAS PkgConfig::SndFile)
endif()
