// The report's page as a file: what may stand in it, and that it asks for nothing.
#include "report/page/page.h"

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace etude::report {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// What stands between the model's tags, as a browser sees it: up to the first "</script".
std::string model_in(const std::string& page) {
  const std::string begin = "<script type=\"application/json\" id=\"model\">";
  const std::size_t from = page.find(begin) + begin.size();
  return page.substr(from, page.find("</script", from) - from);
}

std::vector<std::string> found(const std::string& text, const std::string& pattern) {
  std::vector<std::string> all;
  const std::regex expression(pattern);
  for (std::sregex_iterator match(text.begin(), text.end(), expression), end; match != end; ++match) {
    all.push_back((*match)[0]);
  }
  return all;
}

TEST(ReportPage, HoldsTheModelWhateverItsTextsAre) {
  const json model{{"title", "</script><script>alert(1)</script>"},
                   {"summary", {"<!-- <script>", "\u2028\u2029", "]]>", "\\u003c", "\"'&", "𝄞"}},
                   {"runs", {{{"id", "r1"}, {"name", "__proto__"}, {"metrics", {{"loss", 0.1}}}}}}};
  const std::string page = html_page(model);
  EXPECT_EQ(json::parse(model_in(page)), model);
  EXPECT_THAT(model_in(page), Not(HasSubstr("<")));
  EXPECT_THAT(model_in(page), Not(HasSubstr("\u2028")));
  EXPECT_THAT(page, HasSubstr("<title>&lt;/script>&lt;script>alert(1)&lt;/script></title>"));
  EXPECT_EQ(found(page, "<script").size(), 2u) << "the model's and the page's own";
}

TEST(ReportPage, TakesBytesThatAreNoText) {
  const std::string page = html_page({{"title", "caf\xe9"}});
  EXPECT_EQ(json::parse(model_in(page))["title"], "caf\uFFFD");
  EXPECT_THAT(page, HasSubstr("<title>caf\uFFFD</title>"));
}

TEST(ReportPage, NeedsNoTitle) { EXPECT_THAT(html_page(json::object()), HasSubstr("<title>Report</title>")); }

TEST(ReportPage, AsksForNothing) {
  const std::string page = html_page({{"title", "x"}});
  // The names of SVG's elements are an address that nobody asks for.
  const std::string rest = std::regex_replace(page, std::regex("http://www\\.w3\\.org/2000/svg"), "");
  EXPECT_THAT(found(rest, "https?:|//[a-z]+\\.|@import|url\\((?!#)[^)]*\\)"), IsEmpty());
  EXPECT_THAT(found(rest, "<(link|img|script|iframe|audio)[^>]* (src|href)=\"(?!data:,\")[^\"]*\""), IsEmpty());
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
}

TEST(ReportPage, HasNoWayForTextToBecomeMarkup) {
  const std::filesystem::path folder = std::filesystem::path(ETUDE_SOURCE_DIR) / "report" / "page";
  std::size_t modules = 0;
  for (const auto& each : std::filesystem::recursive_directory_iterator(folder)) {
    if (each.path().extension() != ".js") continue;
    ++modules;
    std::ostringstream text;
    text << std::ifstream(each.path(), std::ios::binary).rdbuf();
    EXPECT_THAT(found(text.str(), "innerHTML|outerHTML|insertAdjacentHTML|document\\.write|\\beval\\(|new Function"),
                IsEmpty())
        << each.path();
  }
  EXPECT_GT(modules, 20u);
}

}  // namespace
}  // namespace etude::report
