#pragma once

#include <string_view>

namespace etude::sweep {

/// A file of the page, embedded in the program.
struct PageFile {
  std::string_view content;
  std::string_view type;  ///< for the header Content-Type
};

/// By the path of its URL, "/", "/charts/curves.js" or, of what pages share, "/page/dom.js"; nullptr where there is no such file.
const PageFile* page_file(std::string_view path);

}  // namespace etude::sweep
