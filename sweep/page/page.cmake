# Puts the files of the page into the library etude_sweep, so that the program needs nothing beside itself.
set(page_files
  page.html
  page.css
  page.js
  actions.js
  client.js
  details.js
  header.js
  study.js
  table.js
  charts/contour.js
  charts/curves.js
  charts/history.js
  charts/importance.js
  charts/marks.js
  charts/parameter.js
  charts/parallel.js
  charts/pareto.js
  charts/shades.js
  charts/slices.js
  charts/timeline.js)
list(TRANSFORM page_files PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
set(shared ${PROJECT_SOURCE_DIR}/page)
list(APPEND page_files ${shared}/base.css ${shared}/dialog.js ${shared}/dom.js ${shared}/format.js ${shared}/order.js
                       ${shared}/charts/plot.js ${shared}/charts/ramp.js ${shared}/charts/scale.js ${shared}/charts/shapes.js)
set(page_list ${CMAKE_CURRENT_BINARY_DIR}/page_files.inc)
add_custom_command(
  OUTPUT ${page_list}
  COMMAND ${CMAKE_COMMAND} -D root=${PROJECT_SOURCE_DIR} -D folder=${CMAKE_CURRENT_LIST_DIR} -D output=${page_list} -D "files=${page_files}"
          -P ${shared}/embed.cmake
  DEPENDS ${page_files} ${shared}/embed.cmake
  COMMENT "Embedding the page" VERBATIM)
target_sources(etude_sweep PRIVATE ${page_list})
set_source_files_properties(${CMAKE_CURRENT_LIST_DIR}/page.cpp PROPERTIES INCLUDE_DIRECTORIES ${CMAKE_CURRENT_BINARY_DIR})
