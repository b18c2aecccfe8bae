# Finds SOCI with its backends for SQLite and PostgreSQL; the packages of Debian and Ubuntu bring no CMake files.
#   Soci::soci
find_path(Soci_INCLUDE_DIR soci/soci.h)
find_library(Soci_CORE_LIBRARY soci_core)
find_library(Soci_SQLITE3_LIBRARY soci_sqlite3)
find_library(Soci_POSTGRESQL_LIBRARY soci_postgresql)
find_path(Soci_PQ_INCLUDE_DIR libpq-fe.h PATH_SUFFIXES postgresql)  # which SOCI's header includes
find_library(Soci_PQ_LIBRARY pq)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Soci
  REQUIRED_VARS Soci_CORE_LIBRARY Soci_SQLITE3_LIBRARY Soci_POSTGRESQL_LIBRARY Soci_INCLUDE_DIR Soci_PQ_LIBRARY Soci_PQ_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install libsoci-dev and libpq-dev: script/setup does")

if(Soci_FOUND AND NOT TARGET Soci::soci)
  add_library(Soci::soci INTERFACE IMPORTED)
  target_include_directories(Soci::soci SYSTEM INTERFACE ${Soci_INCLUDE_DIR} ${Soci_PQ_INCLUDE_DIR})
  target_link_libraries(Soci::soci INTERFACE ${Soci_SQLITE3_LIBRARY} ${Soci_POSTGRESQL_LIBRARY} ${Soci_CORE_LIBRARY}
                                             ${Soci_PQ_LIBRARY})
endif()
