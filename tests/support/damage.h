#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace etude::testing {

/// What a fuzz target says before it ends the program: libFuzzer and a bounded run then both show it.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

/// Damages files as disks, broken copies and clumsy hands do. The same seed gives the same damage.
class Damage {
 public:
  /// `pieces`: what means something in such files, and is put in here and there.
  explicit Damage(std::uint32_t seed, std::vector<std::string> pieces = {})
      : random_(seed), pieces_(std::move(pieces)) {}

  std::size_t below(std::size_t limit) { return random_() % limit; }

  /// One to five changes.
  std::string operator()(std::string file) {
    for (std::size_t change = 0; change <= below(5); ++change) {
      if (file.empty()) file = " ";
      change_at(file, below(file.size()));
    }
    return file;
  }

 private:
  void change_at(std::string& file, std::size_t at) {
    switch (below(8)) {
      case 0:
        file[at] = static_cast<char>(below(256));
        break;
      case 1:
        file[at] = static_cast<char>(file[at] ^ (1 << below(8)));
        break;
      case 2:
        file.insert(at, 1, static_cast<char>(below(256)));
        break;
      case 3:
        file.erase(at, 1 + below(6));
        break;
      case 4:
        file.insert(at, file.substr(below(file.size()), below(40)));
        break;
      case 5:
        if (below(4) == 0) file.resize(at);
        break;
      default:
        if (!pieces_.empty()) put_in(file, at);
        break;
    }
  }

  /// Beside what stands there or in place of a whole word of it: a number in the place of another.
  void put_in(std::string& file, std::size_t at) {
    const std::string& piece = pieces_[below(pieces_.size())];
    const auto is_word = [](char c) { return c == '.' || c == '-' || c == '+' || (c >= '0' && c <= '9'); };
    if (below(3) == 0) {
      file.insert(at, piece);
      return;
    }
    while (at < file.size() && !is_word(file[at])) ++at;
    std::size_t end = at;
    while (end < file.size() && is_word(file[end])) ++end;
    file.replace(at, end - at, piece);
  }

  std::mt19937 random_;
  std::vector<std::string> pieces_;
};

/// What programs trip over in JSON.
inline std::vector<std::string> json_pieces() {
  return {"{",
          "}",
          "[",
          "]",
          "\"",
          ",",
          ":",
          "\n",
          "\\u0000",
          "\\ud800",
          "1e308",
          "-1e308",
          "1e999",
          "1e-320",
          "-0",
          "0",
          "-1",
          "null",
          "true",
          "\"\"",
          "[]",
          "{}",
          "[[]]",
          "9223372036854775808",
          "-9223372036854775809",
          "1.5",
          "NaN",
          "\xff",
          "\xe2\x80\xa8"};
}

}  // namespace etude::testing
