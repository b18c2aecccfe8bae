#include "sweep/page/page.h"

#include <algorithm>
#include <array>

namespace etude::sweep {

namespace {

struct NamedFile {
  std::string_view path;
  PageFile file;
};

constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kStyle = "text/css; charset=utf-8";
constexpr std::string_view kScript = "text/javascript; charset=utf-8";
constexpr std::string_view kPicture = "image/svg+xml";

// Written when Etude is built, by embed.cmake.
constexpr auto kFiles = std::to_array<NamedFile>({
#include "page_files.inc"
});

}  // namespace

const PageFile* page_file(std::string_view path) {
  const auto found =
      std::find_if(kFiles.begin(), kFiles.end(), [&](const NamedFile& each) { return each.path == path; });
  return found == kFiles.end() ? nullptr : &found->file;
}

}  // namespace etude::sweep
