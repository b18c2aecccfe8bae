#include "framework/log/text.h"

#include <algorithm>
#include <array>

namespace etude::log {
namespace {

struct Range {
  char32_t first, last;
};

/// Unicode's East_Asian_Width W and F, in blocks.
constexpr std::array kWide{Range{0x1100, 0x115F},   Range{0x231A, 0x231B},   Range{0x23E9, 0x23EC},
                           Range{0x2E80, 0x303E},   Range{0x3041, 0xA4CF},   Range{0xA960, 0xA97F},
                           Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},   Range{0xFE30, 0xFE6F},
                           Range{0xFF01, 0xFF60},   Range{0xFFE0, 0xFFE6},   Range{0x1F300, 0x1F64F},
                           Range{0x1F680, 0x1F6FF}, Range{0x1F900, 0x1FAFF}, Range{0x20000, 0x3FFFD}};
/// Blocks of combining marks.
constexpr std::array kMarks{Range{0x0300, 0x036F}, Range{0x0483, 0x0489}, Range{0x0591, 0x05BD},
                            Range{0x064B, 0x065F}, Range{0x1AB0, 0x1AFF}, Range{0x1DC0, 0x1DFF},
                            Range{0x20D0, 0x20FF}, Range{0xFE00, 0xFE0F}, Range{0xFE20, 0xFE2F}};
/// What is not seen itself but changes what is: controls, directions, joiners, tags, surrogates.
constexpr std::array kHidden{
    Range{0x00, 0x1F},     Range{0x7F, 0x9F},       Range{0xAD, 0xAD},     Range{0x61C, 0x61C},   Range{0x180E, 0x180E},
    Range{0x200B, 0x200F}, Range{0x2028, 0x202E},   Range{0x2060, 0x206F}, Range{0xD800, 0xDFFF}, Range{0xFEFF, 0xFEFF},
    Range{0xFFF9, 0xFFFB}, Range{0xE0000, 0xE0FFF}, Range{0xFFFE, 0xFFFF}};

template <std::size_t N>
bool among(const std::array<Range, N>& ranges, char32_t character) {
  return std::ranges::any_of(ranges, [&](Range range) { return character >= range.first && character <= range.last; });
}

constexpr char32_t kBroken = 0xFFFE;

/// The character that begins at `at`, which is moved behind it; kBroken and one byte where there is none.
char32_t decode(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC2 ? 1 : -1;
  if (more < 0 || lead > 0xF4 || text.size() - at < static_cast<std::size_t>(more)) return kBroken;
  char32_t character = lead & (0x3FU >> more);
  for (int i = 0; i < more; ++i) {
    const auto byte = static_cast<unsigned char>(text[at + static_cast<std::size_t>(i)]);
    if ((byte & 0xC0U) != 0x80) return kBroken;
    character = character << 6 | (byte & 0x3FU);
  }
  constexpr std::array<char32_t, 4> kLeast{0, 0x80, 0x800, 0x10000};  // shorter ones may be hidden in longer ones
  if (character < kLeast[static_cast<std::size_t>(more)] || character > 0x10FFFF) return kBroken;
  at += static_cast<std::size_t>(more);
  return character;
}

}  // namespace

std::u32string printable(std::string_view text, bool unicode) {
  std::u32string shown;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t character = decode(text, at);
    if (character == U'\t' || character == U'\n' || character == U'\r') {
      shown += U' ';
    } else if (among(kHidden, character) || (!unicode && character > 0x7E)) {
      shown += U'?';
    } else {
      shown += character;
    }
  }
  return shown;
}

int columns_of(char32_t character) {
  if (character < 0x300) return 1;
  if (among(kMarks, character)) return 0;
  return among(kWide, character) ? 2 : 1;
}

int columns_of(std::u32string_view text) {
  int columns = 0;
  for (const char32_t character : text) columns += columns_of(character);
  return columns;
}

void append_utf8(std::string& text, char32_t character) {
  const auto byte = [&text](char32_t value) { text += static_cast<char>(value); };
  if (character < 0x80) return byte(character);
  if (character < 0x800) {
    byte(0xC0 | character >> 6);
  } else {
    if (character < 0x10000) {
      byte(0xE0 | character >> 12);
    } else {
      byte(0xF0 | character >> 18);
      byte(0x80 | (character >> 12 & 0x3F));
    }
    byte(0x80 | (character >> 6 & 0x3F));
  }
  byte(0x80 | (character & 0x3F));
}

std::string to_utf8(std::u32string_view text) {
  std::string bytes;
  for (const char32_t character : text) append_utf8(bytes, character);
  return bytes;
}

std::vector<std::u32string> wrapped(std::u32string_view text, int columns) {
  std::vector<std::u32string> lines;
  while (!text.empty() && columns > 0) {
    std::size_t end = 0, space = text.npos;
    for (int used = 0; end < text.size(); ++end) {
      used += columns_of(text[end]);
      if (text[end] == U' ' && used <= columns + 1) space = end;  // may itself stand behind the edge
      if (used > columns) break;
    }
    if (end < text.size() && space != text.npos && space > 0) end = space;
    if (end == 0) end = 1;  // a character that is wider than the window
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
    while (!text.empty() && text.front() == U' ') text.remove_prefix(1);
  }
  return lines;
}

}  // namespace etude::log
