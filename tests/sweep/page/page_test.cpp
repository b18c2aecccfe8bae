// The page as it is embedded in the program.
#include "sweep/page/page.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

namespace etude::sweep {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::NotNull;

const std::filesystem::path kSource = ETUDE_SOURCE_DIR;
const std::filesystem::path kFolder = kSource / "sweep" / "page";
const std::filesystem::path kShared = kSource / "page";

std::string slurped(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

std::vector<std::string> found(const std::string& text, const std::string& pattern) {
  std::vector<std::string> all;
  const std::regex expression(pattern);
  for (std::sregex_iterator match(text.begin(), text.end(), expression), end; match != end; ++match) {
    all.push_back((*match)[1]);
  }
  return all;
}

/// URL → file of all files of the page in the source tree: its own, and below /page/ those that it shares with others.
std::map<std::string, std::filesystem::path> files_with(const std::string& extension) {
  std::map<std::string, std::filesystem::path> all;
  for (const auto& [folder, root] : {std::pair(kFolder, kFolder), std::pair(kShared, kSource)}) {
    for (const auto& each : std::filesystem::recursive_directory_iterator(folder)) {
      if (each.path().extension() == extension)
        all.emplace("/" + each.path().lexically_relative(root).generic_string(), each.path());
    }
  }
  return all;
}

TEST(Page, HoldsWhatTheSourceTreeHolds) {
  for (const char* extension : {".js", ".css"}) {
    for (const auto& [path, source] : files_with(extension)) {
      const PageFile* file = page_file(path);
      ASSERT_THAT(file, NotNull()) << path << " is not in the list of page.cmake";
      EXPECT_EQ(file->content, slurped(source)) << path;
    }
  }
  ASSERT_THAT(page_file("/"), NotNull());
  EXPECT_EQ(page_file("/")->content, slurped(kFolder / "page.html"));
}

TEST(Page, SaysWhatEachFileIs) {
  // With X-Content-Type-Options: nosniff a browser takes a module as text/javascript only.
  EXPECT_EQ(page_file("/")->type, "text/html; charset=utf-8");
  EXPECT_EQ(page_file("/page.js")->type, "text/javascript; charset=utf-8");
  EXPECT_EQ(page_file("/charts/curves.js")->type, "text/javascript; charset=utf-8");
  EXPECT_EQ(page_file("/page/dom.js")->type, "text/javascript; charset=utf-8");
  EXPECT_EQ(page_file("/page.css")->type, "text/css; charset=utf-8");
}

TEST(Page, GivesNothingElse) {
  for (const char* path : {"", "page.js", "/page.cpp", "/../page.js", "/charts", "/charts/", "/page.js/", "/PAGE.JS"}) {
    EXPECT_EQ(page_file(path), nullptr) << path;
  }
}

TEST(Page, AsksForNothingThatItDoesNotHold) {
  std::set<std::string> wanted;
  for (const std::string& path : found(slurped(kFolder / "page.html"), "(?:src|href)=\"(/[^\"]*)\""))
    wanted.insert(path);
  for (const auto& [path, source] : files_with(".js")) {
    const auto folder = std::filesystem::path(path).parent_path();
    for (const std::string& import : found(slurped(source), "from \"([^\"]+)\"")) {
      wanted.insert((folder / import).lexically_normal().generic_string());
      EXPECT_TRUE(std::filesystem::exists(source.parent_path() / import)) << source << " imports " << import;
    }
  }
  EXPECT_GT(wanted.size(), 5u);
  for (const std::string& path : wanted) EXPECT_THAT(page_file(path), NotNull()) << path;
}

TEST(Page, HasNothingThatItsSecurityPolicyForbids) {
  const std::string html = slurped(kFolder / "page.html");
  EXPECT_THAT(html, Not(HasSubstr("style=")));
  EXPECT_THAT(html, Not(HasSubstr("<style")));
  EXPECT_THAT(found(html, "(<script(?![^>]*src=))"), IsEmpty());
  EXPECT_THAT(found(html, "\\s(on[a-z]+=)"), IsEmpty());
  for (const auto& [path, source] : files_with(".js")) {
    // Ways for text of a study to become markup or a program.
    const std::string text = slurped(source);
    EXPECT_THAT(
        found(text, "(innerHTML|outerHTML|insertAdjacentHTML|document\\.write|\\beval\\(|new Function|DOMParser)"),
        IsEmpty())
        << path;
    EXPECT_THAT(found(text, "(https?://(?!www\\.w3\\.org/2000/svg))"), IsEmpty()) << path;
  }
}

}  // namespace
}  // namespace etude::sweep
