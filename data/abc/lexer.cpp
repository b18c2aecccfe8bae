#include "data/abc/lexer.h"

#include <fmt/core.h>

#include "data/abc/text.h"
#include "data/abc/unreadable.h"

namespace etude::data::abc {
namespace {

class Lexer {
 public:
  Lexer(std::string_view line, int number) : line_(line), number_(number) {}

  std::vector<Token> run() {
    while (position_ < line_.size() && !comment_) {
      begin_ = position_;
      next();
    }
    return std::move(tokens_);
  }

 private:
  char peek(std::size_t ahead = 0) const { return position_ + ahead < line_.size() ? line_[position_ + ahead] : '\0'; }

  [[noreturn]] void fail(const std::string& what) const {
    throw Unreadable(number_, static_cast<int>(begin_) + 1, what);
  }

  template <typename What>
  void add(What what) {
    tokens_.push_back({std::move(what), static_cast<int>(begin_) + 1});
  }

  void next() {
    const char c = peek();
    switch (c) {
      case '%':
        comment_ = true;
        return;
      case '"':
        skip_to('"', "a chord symbol or text without its closing quote");
        return;
      case '{':
        skip_to('}', "grace notes without their closing brace");
        return;
      case '!':
      case '+':
        skip_decoration(c);
        return;
      case '|':
      case ':':
        read_bar();
        return;
      case '[':
        read_bracket();
        return;
      case ']':
        ++position_;
        add(ChordEndToken{read_length()});
        return;
      case '(':
        read_parenthesis();
        return;
      case '-':
        ++position_;
        add(TieToken{});
        return;
      case '&':
        ++position_;
        add(OverlayToken{});
        return;
      case '>':
      case '<':
        read_broken(c);
        return;
      case 'z':
      case 'x':
        ++position_;
        add(RestToken{read_length(), false});
        return;
      case 'Z':
      case 'X':
        ++position_;
        add(RestToken{read_length(), true});
        return;
      case 'y':
        ++position_;
        read_length();
        return;
      default:
        break;
    }
    if (is_note_begin(c)) return read_note();
    // Slurs end, beams are tied or cut, lines are joined, single letters and signs stand for decorations.
    const bool silent = is_space(c) || std::string_view(")\\`$*.~").find(c) != std::string_view::npos ||
                        (c >= 'H' && c <= 'W') || (c >= 'h' && c <= 'w');
    if (!silent) fail(describe(c));
    ++position_;
  }

  static std::string describe(char c) {
    if (c >= ' ' && c <= '~') return fmt::format("'{}' means nothing here", c);
    return fmt::format("byte {:#04x} means nothing here", static_cast<unsigned char>(c));
  }

  static bool is_note_begin(char c) {
    return (c >= 'A' && c <= 'G') || (c >= 'a' && c <= 'g') || c == '^' || c == '_' || c == '=';
  }

  void skip_to(char closing, const char* complaint) {
    const std::size_t end = line_.find(closing, position_ + 1);
    if (end == std::string_view::npos) fail(complaint);
    position_ = end + 1;
  }

  /// "!trill!" and the old "+trill+". A lone exclamation mark is the old sign for a line break.
  void skip_decoration(char mark) {
    const std::size_t end = line_.find(mark, position_ + 1);
    const std::string_view name =
        end == std::string_view::npos ? std::string_view{} : line_.substr(position_ + 1, end - position_ - 1);
    const bool is_name = !name.empty() && name.find_first_of(" |:[]\"{}") == std::string_view::npos;
    if (!is_name && mark == '+') fail("'+' means nothing here; write chords as [CEG] and decorations as !trill!");
    position_ = is_name ? end + 1 : position_ + 1;
  }

  /// "3", "/2", "3/2", "/", "//", nothing.
  Fraction read_length() {
    std::string_view rest = line_.substr(position_);
    int numerator = 1, denominator = 1;
    if (!rest.empty() && is_digit(rest.front())) {
      const auto number = take_number(rest);
      if (!number || *number == 0) fail("a length of 0 or with too many digits");
      numerator = *number;
    }
    while (!rest.empty() && rest.front() == '/') {
      rest.remove_prefix(1);
      int divisor = 2;
      if (!rest.empty() && is_digit(rest.front())) {
        const auto number = take_number(rest);
        if (!number || *number == 0) fail("a length divided by 0 or with too many digits");
        divisor = *number;
      }
      if (denominator * divisor > kLargestDenominator) fail("a length too short to be meant");
      denominator *= divisor;
    }
    position_ = line_.size() - rest.size();
    return {numerator, denominator};
  }

  void read_note() {
    NoteToken note;
    while (peek() == '^' || peek() == '_' || peek() == '=') {
      note.accidental = note.accidental.value_or(0) + (peek() == '^' ? 1 : peek() == '_' ? -1 : 0);
      ++position_;
    }
    if (note.accidental && (peek() == '/' || is_digit(peek()))) fail("microtones are not read");
    if (note.accidental && std::abs(*note.accidental) > 2) fail("more than a double accidental");
    const char c = peek();
    const bool upper = c >= 'A' && c <= 'G';
    if (!upper && !(c >= 'a' && c <= 'g')) fail("an accidental without its note");
    constexpr std::string_view kSteps = "cdefgab";
    note.step = static_cast<int>(kSteps.find(lower(c)));
    note.octave = upper ? 0 : 1;
    ++position_;
    for (; peek() == ',' || peek() == '\''; ++position_) note.octave += peek() == ',' ? -1 : 1;
    note.length = read_length();
    add(note);
  }

  void read_broken(char mark) {
    int count = 0;
    for (; peek() == mark; ++position_) ++count;
    if (count > 3) fail("a broken rhythm of more than three marks");
    add(BrokenToken{mark == '>' ? count : -count});
  }

  /// "(3", "(3:2:4", "(3::2" are tuplets; every other parenthesis opens a slur.
  void read_parenthesis() {
    ++position_;
    if (peek() == '&') fail("overlays over several bars, '(&', are not read; write '&' in each bar");
    if (!is_digit(peek())) return;
    std::optional<int> numbers[3];
    std::string_view rest = line_.substr(position_);
    for (int i = 0; i < 3; ++i) {
      if (i > 0 && !rest.starts_with(':')) break;
      if (i > 0) rest.remove_prefix(1);
      if (!rest.empty() && is_digit(rest.front())) {
        numbers[i] = take_number(rest);
        if (numbers[i].value_or(0) < 1 || numbers[i].value_or(100) > 64) fail("a tuplet of numbers outside 1 to 64");
      }
    }
    position_ = line_.size() - rest.size();
    add(TupletToken{*numbers[0], numbers[1], numbers[2]});
  }

  /// A chord, an inline field, a numbered ending or a bar that begins with a bracket.
  void read_bracket() {
    if (peek(1) == '|') return read_bar();
    std::size_t at = position_ + 1;
    while (at < line_.size() && is_space(line_[at])) ++at;
    if (at < line_.size() && is_digit(line_[at])) {
      position_ = at;
      return read_ending();
    }
    if (is_letter(peek(1)) && peek(2) == ':') {
      const std::size_t end = line_.find(']', position_);
      if (end == std::string_view::npos) fail("a field in the line without its closing bracket");
      add(FieldToken{peek(1), std::string(trimmed(line_.substr(position_ + 3, end - position_ - 3)))});
      position_ = end + 1;
      return;
    }
    ++position_;
    add(ChordBeginToken{});
  }

  /// "1", "1,3", "1-3" behind a bar or a bracket.
  void read_ending() {
    std::string_view rest = line_.substr(position_);
    std::uint64_t passes = 0;
    const auto take_pass = [&] {
      const auto number = take_number(rest);
      if (number.value_or(0) < 1 || number.value_or(0) > kMostPasses) {
        fail(fmt::format("an ending's number outside 1 to {}", kMostPasses));
      }
      return *number;
    };
    for (bool more = true; more;) {
      const int first = take_pass();
      int last = first;
      if (rest.size() > 1 && rest[0] == '-' && is_digit(rest[1])) {
        rest.remove_prefix(1);
        last = take_pass();
      }
      for (int pass = first; pass <= last; ++pass) passes |= std::uint64_t{1} << pass;
      more = rest.size() > 1 && rest[0] == ',' && is_digit(rest[1]);
      if (more) rest.remove_prefix(1);
    }
    position_ = line_.size() - rest.size();
    add(EndingToken{passes});
  }

  void read_bar() {
    BarToken bar;
    int lines = 0, colons_behind = 0;
    bool bracket = false;
    for (;; ++position_) {
      const char c = peek();
      if (c == '|') {
        ++lines;
        colons_behind = 0;
      } else if (c == ':') {
        ++(lines == 0 ? bar.repeats : colons_behind);
      } else if ((c == '[' && peek(1) == '|') || (c == ']' && lines > 0 && colons_behind == 0)) {
        bracket = true;
      } else {
        break;
      }
    }
    if (lines == 0) {
      if (bar.repeats < 2) fail("':' without a bar; a repeat is written |: or :|");
      bar.repeats /= 2;  // "::" ends one repeat and begins another
      colons_behind = bar.repeats;
    }
    if (bar.repeats >= kMostPasses) fail("a repeat played too many times");
    bar.begins = colons_behind > 0;
    bar.thick = lines > 1 || bracket;
    add(bar);
    if (is_digit(peek())) read_ending();
  }

  static constexpr int kLargestDenominator = 1024;
  static constexpr int kMostPasses = 32;

  std::string_view line_;
  int number_;
  std::size_t position_ = 0;
  std::size_t begin_ = 0;
  bool comment_ = false;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view line, int line_number) { return Lexer(line, line_number).run(); }

}  // namespace etude::data::abc
