# cmake -D root=… -D styles="a;b" -D scripts="c;d" -D output=… -P bundle.cmake
#
# Writes kStyle and kScript, for a page that is one file and is opened from disk, where modules cannot import one another.
# Each module becomes a function that runs once and returns what it exports; `import` becomes a look at what another has
# returned. So names stay apart as they do in modules. `scripts` are in the order in which they need one another; imports
# and exports are written as in our files: one a line, with names, from relative paths.
cmake_minimum_required(VERSION 3.22)
set(style "")
foreach(file IN LISTS styles)
  file(READ ${file} content)
  string(APPEND style "${content}")
endforeach()

set(script "\"use strict\";\nconst modules = {};\n")
set(known "")
foreach(file IN LISTS scripts)
  file(READ ${file} content)
  file(RELATIVE_PATH name ${root} ${file})
  get_filename_component(folder ${file} DIRECTORY)

  string(REGEX MATCHALL "\nimport {[^}]*} from \"[^\"]+\"" imports "\n${content}")
  foreach(import IN LISTS imports)
    string(REGEX REPLACE ".* from \"([^\"]+)\"" "\\1" wanted "${import}")
    get_filename_component(path ${folder}/${wanted} ABSOLUTE)
    file(RELATIVE_PATH path ${root} ${path})
    if(NOT path IN_LIST known)
      message(FATAL_ERROR "${name} imports ${path}, which has to stand before it in the list of scripts")
    endif()
    string(STRIP "${import}" import)
    string(REGEX REPLACE "import {([^}]*)}.*" "\\1" names "${import}")
    string(REPLACE " as " ": " names "${names}")
    string(REPLACE "${import}" "const {${names}} = modules[\"${path}\"]" content "${content}")
  endforeach()

  string(REGEX MATCHALL "\nexport (async )?(function\\*?|class|const) [a-zA-Z_]+" exports "\n${content}")
  list(TRANSFORM exports REPLACE ".* " "")
  list(JOIN exports ", " exported)
  string(REGEX REPLACE "(^|\n)export " "\\1" content "${content}")

  string(APPEND script "\nmodules[\"${name}\"] = (() => {\n${content}return {${exported}};\n})();\n")
  list(APPEND known ${name})
endforeach()

# An element of a script ends where its text says so, in a comment too.
if(script MATCHES "</script|<!--")
  message(FATAL_ERROR "a module holds '</script' or '<!--', which would end the script of the page")
endif()
file(WRITE ${output} "constexpr std::string_view kStyle = R\"_page_(${style})_page_\";\n"
                     "constexpr std::string_view kScript = R\"_page_(${script})_page_\";\n")
