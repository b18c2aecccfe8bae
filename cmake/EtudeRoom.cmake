# etude_room(name SOURCES ... [USES ...] [PRIVATE_USES ...] [TORCH])
# One static library per room, named etude_<name>; includes are written from the project's root
# ("framework/comm/communicator.h"). TORCH gives it LibTorch; PCH also the shared precompiled header.
function(etude_room name)
  cmake_parse_arguments(room "TORCH;PCH" "" "SOURCES;USES;PRIVATE_USES" ${ARGN})
  add_library(etude_${name} STATIC ${room_SOURCES})
  target_include_directories(etude_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(etude_${name} PUBLIC ${room_USES} fmt::fmt Threads::Threads
                                      PRIVATE ${room_PRIVATE_USES} $<BUILD_INTERFACE:etude_warnings>)
  if(room_TORCH OR room_PCH)
    target_link_libraries(etude_${name} PUBLIC LibTorch::cpu)
  endif()
  if(room_PCH)
    target_precompile_headers(etude_${name} REUSE_FROM etude_precompiled)
  endif()
endfunction()

# etude_test(name SOURCES ... [USES ...] [LABEL unit|system] [TIMEOUT seconds] [PCH])
# One GoogleTest program. A unit program is one CTest test, since starting LibTorch anew for each of its many quick cases
# would take longer than the cases; of a system program each case is one, "name.Suite.Case".
#   Tests run side by side, so threads that wait for one another leave the core to others (OMP_WAIT_POLICY; LibTorch's spin
# otherwise, here and in the oracles). Python may keep what it compiled: importing PyTorch takes half the time then.
function(etude_test name)
  cmake_parse_arguments(test "PCH" "LABEL;TIMEOUT" "SOURCES;USES" ${ARGN})
  if(NOT test_LABEL)
    set(test_LABEL unit)
  endif()
  if(NOT test_TIMEOUT)
    set(test_TIMEOUT 120)
  endif()
  add_executable(${name} ${test_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${test_USES} GTest::gmock GTest::gtest_main etude_warnings)
  target_compile_definitions(${name} PRIVATE ETUDE_SOURCE_DIR="${PROJECT_SOURCE_DIR}" ETUDE_BINARY_DIR="${PROJECT_BINARY_DIR}")
  if(test_PCH)
    target_precompile_headers(${name} REUSE_FROM etude_precompiled)
  endif()
  # One variable each, since gtest_discover_tests passes no lists on.
  set(environment ENVIRONMENT OMP_WAIT_POLICY=passive ENVIRONMENT_MODIFICATION PYTHONDONTWRITEBYTECODE=unset:)
  if(test_TIMEOUT GREATER 400)  # what takes longest begins first, lest a core waits for it at the end
    list(APPEND environment COST ${test_TIMEOUT})
  endif()
  if(test_LABEL STREQUAL "unit")
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT ${test_TIMEOUT} ${environment})
  else()
    include(GoogleTest)
    gtest_discover_tests(${name} TEST_PREFIX ${name}. DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                         PROPERTIES LABELS ${test_LABEL} TIMEOUT ${test_TIMEOUT} ${environment}
                                    SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]")
  endif()
endfunction()
