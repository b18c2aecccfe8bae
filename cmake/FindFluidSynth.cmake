# Finds fluidsynth, which plays scores, by pkg-config.
#   FluidSynth::FluidSynth
find_package(PkgConfig QUIET)
if(PKG_CONFIG_FOUND)
  pkg_check_modules(FluidSynth QUIET IMPORTED_TARGET fluidsynth)
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(FluidSynth REQUIRED_VARS FluidSynth_LINK_LIBRARIES VERSION_VAR FluidSynth_VERSION
  REASON_FAILURE_MESSAGE "install libfluidsynth-dev and pkg-config: script/setup does")
if(FluidSynth_FOUND AND NOT TARGET FluidSynth::FluidSynth)
  add_library(FluidSynth::FluidSynth ALIAS PkgConfig::FluidSynth)
endif()
