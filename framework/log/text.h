#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace etude::log {

/// UTF-8 as characters that may be shown in a terminal. Names of runs and lines of logs come from anybody, and an
/// escape code in them would command the terminal: control characters, marks that turn the direction of writing, and
/// bytes that are no UTF-8 become '?', tabs and newlines a space. Without `unicode` everything beyond ASCII becomes
/// '?'.
std::u32string printable(std::string_view text, bool unicode);

/// Columns that a printable character takes: 2 for those of East Asia and pictures, 0 for accents that stand above the
/// one before.
int columns_of(char32_t character);
int columns_of(std::u32string_view text);

void append_utf8(std::string& text, char32_t character);
std::string to_utf8(std::u32string_view text);

/// In lines of so many columns, broken at spaces where there are any.
std::vector<std::u32string> wrapped(std::u32string_view text, int columns);

}  // namespace etude::log
