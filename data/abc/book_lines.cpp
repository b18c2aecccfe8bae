#include "data/abc/book_lines.h"

#include "data/abc/text.h"

namespace etude::data::abc {

BookLines split_book(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  BookLines book;
  Lines* into = &book.head;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("X:")) {
      book.tunes.push_back({number, {}});
      into = &book.tunes.back();
    } else if (trimmed(line).empty()) {
      into = nullptr;  // what stands between an empty line and the next X: is free text
    }
    if (into != nullptr) into->lines.push_back(line);
  }
  return book;
}

}  // namespace etude::data::abc
