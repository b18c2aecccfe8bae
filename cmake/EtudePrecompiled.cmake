# One precompiled <torch/torch.h> for everything that needs autograd: building it costs half a minute and 700 MB, so
# there is one set of flags, shared with REUSE_FROM. Files that only touch tensors include single ATen headers instead.
file(WRITE ${CMAKE_BINARY_DIR}/precompiled.cpp "// Exists so that the precompiled header has a target.\n")
add_library(etude_precompiled STATIC ${CMAKE_BINARY_DIR}/precompiled.cpp)
target_link_libraries(etude_precompiled PUBLIC LibTorch::cpu fmt::fmt Threads::Threads PRIVATE etude_warnings)
target_precompile_headers(etude_precompiled PRIVATE <torch/torch.h>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(etude_precompiled PRIVATE -fpch-preprocess)
endif()
