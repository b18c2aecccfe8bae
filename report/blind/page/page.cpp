#include "report/blind/page/page.h"

#include <cstddef>

namespace etude::blind {
namespace {

// kStyle and kScript, written when Etude is built, by page/bundle.cmake.
#include "listening_page.inc"

// The policy lets the page reach nothing but its own sounds, whatever it holds.
constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; media-src blob:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Listening test</title>
<link rel="icon" href="data:,">
<style>
)";
constexpr std::string_view kBody = R"(</style>
</head>
<body>
<main id="main"></main>
<p id="aloud" class="aloud" role="status"></p>
<noscript><p>This page plays music and needs JavaScript for it.</p></noscript>
)";

void add_script(std::string& page, std::string_view attributes, std::string_view content) {
  page.append("<script").append(attributes).append(">").append(content).append("</script>\n");
}

}  // namespace

std::string base64(std::string_view bytes) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (unsigned j = 0; j < 4; ++j) text += i + j > bytes.size() ? '=' : kLetters[group >> (18 - 6 * j) & 63];
  }
  return text;
}

std::string listening_page(const std::string& session, const std::vector<Clip>& clips) {
  std::string harmless;  // "<" would begin a tag, also the one that ends the element
  for (const char letter : session) letter == '<' ? harmless += "\\u003c" : harmless += letter;

  std::string page;
  page.append(kHead).append(kStyle).append(kBody);
  add_script(page, R"( type="application/json" id="session")", harmless);
  for (const Clip& clip : clips)
    add_script(page, " type=\"" + clip.type + "\" id=\"clip-" + clip.id + "\"", clip.content);
  add_script(page, "", kScript);
  return page.append("</body>\n</html>\n");
}

}  // namespace etude::blind
