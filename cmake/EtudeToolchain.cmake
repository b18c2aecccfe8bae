# Compiler cache, fast linker, sanitizers: what makes a build quick or careful, and nothing else.
find_program(ETUDE_CCACHE ccache)
if(ETUDE_CCACHE)
  # Precompiled headers are cached only with these two sloppiness flags.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${ETUDE_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

find_program(ETUDE_MOLD mold)
if(ETUDE_MOLD)
  include(CheckCXXSourceCompiles)
  set(CMAKE_REQUIRED_LINK_OPTIONS -fuse-ld=mold)
  check_cxx_source_compiles("int main() { return 0; }" ETUDE_LINKS_WITH_MOLD)
  unset(CMAKE_REQUIRED_LINK_OPTIONS)
  if(ETUDE_LINKS_WITH_MOLD)
    add_link_options(-fuse-ld=mold)
  elseif(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ 11 knows no -fuse-ld=mold; it finds the linker in mold's own folder of wrappers instead.
    get_filename_component(mold_bin ${ETUDE_MOLD} DIRECTORY)
    foreach(folder ${mold_bin}/../libexec/mold ${mold_bin}/../lib/mold)
      if(EXISTS ${folder}/ld)
        add_link_options(-B${folder})
        break()
      endif()
    endforeach()
  endif()
endif()

set(ETUDE_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize= (address, undefined, thread)")
if(ETUDE_SANITIZE)
  add_compile_options(-fsanitize=${ETUDE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=${ETUDE_SANITIZE})
endif()

add_library(etude_warnings INTERFACE)
target_compile_options(etude_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                                                -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 sees overlap in every "literal" + std::string (GCC bug 105651).
  target_compile_options(etude_warnings INTERFACE -Wno-restrict)
endif()
