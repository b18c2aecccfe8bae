#include "report/page/page.h"

#include <string_view>

#include <nlohmann/json.hpp>

namespace etude::report {
namespace {

// kStyle and kScript, written when Etude is built, by page/bundle.cmake.
#include "report_page.inc"

/// As JSON that nothing in it ends early: "<" begins no tag, and U+2028 and U+2029 are no ends of lines.
std::string harmless(std::string_view json) {
  std::string text;
  text.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::string_view here = json.substr(i, 3);
    if (json[i] == '<') {
      text += "\\u003c";
    } else if (here == "\u2028" || here == "\u2029") {
      text += here == "\u2028" ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      text += json[i];
    }
  }
  return text;
}

/// As JSON; bytes that are no UTF-8 become U+FFFD.
std::string dumped(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string as_html(std::string_view text) {
  std::string escaped;
  for (const char letter : text) {
    if (letter == '&') {
      escaped += "&amp;";
    } else if (letter == '<') {
      escaped += "&lt;";
    } else {
      escaped += letter;
    }
  }
  return escaped;
}

std::string title_of(const nlohmann::json& model) {
  const auto title = model.find("title");
  if (title == model.end() || !title->is_string()) return "Report";
  return nlohmann::json::parse(dumped(*title)).get<std::string>();
}

}  // namespace

std::string html_page(const nlohmann::json& model) {
  // The policy lets the page reach nothing, whatever it holds.
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'unsafe-inline'; "
         "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n<title>" +
         as_html(title_of(model)) + "</title>\n<style>\n" + std::string(kStyle) +
         "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the figures</a>\n<header "
         "id=\"top\"></header>\n"
         "<nav id=\"sections\" aria-label=\"Sections\"></nav>\n<main id=\"main\"></main>\n<footer "
         "id=\"footer\"></footer>\n"
         "<noscript><p>This page draws its figures with JavaScript. <code>etude report --format md</code> writes the "
         "same as "
         "text.</p></noscript>\n<script type=\"application/json\" id=\"model\">" +
         harmless(dumped(model)) + "</script>\n<script>\n" + std::string(kScript) + "</script>\n</body>\n</html>\n";
}

}  // namespace etude::report
