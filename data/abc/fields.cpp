#include "data/abc/fields.h"

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "data/abc/text.h"

namespace etude::data::abc {
namespace {

/// Words parted by blanks; quotes keep a phrase together ('name="Right hand"').
std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  bool quoted = false, open = false;
  for (const char c : text) {
    if (c == '"') {
      quoted = !quoted;
    } else if (is_space(c) && !quoted) {
      open = false;
      continue;
    }
    if (!open) out.emplace_back();
    open = true;
    if (c != '"') out.back() += c;
  }
  return out;
}

/// "a/b" or "a".
std::optional<Fraction> take_fraction(std::string_view& text) {
  const std::optional<int> numerator = take_number(text);
  if (!numerator) return std::nullopt;
  if (text.empty() || text.front() != '/') return Fraction(*numerator);
  text.remove_prefix(1);
  const std::optional<int> denominator = take_number(text);
  if (!denominator || *denominator == 0) return std::nullopt;
  return Fraction(*numerator, *denominator);
}

constexpr std::string_view kSteps = "CDEFGAB";
constexpr std::string_view kOrderOfSharps = "FCGDAEB";

/// Sharps of the major key on a step: C 0, G 1, … and F -1.
int sharps_of_major(char step) { return static_cast<int>(kOrderOfSharps.find(step)) - 1; }

/// How many sharps a mode has less than the major of its tonic, by the first three letters of its name.
std::optional<int> mode_offset(std::string_view name) {
  static const std::pair<std::string_view, int> kModes[] = {
      {"maj", 0}, {"ion", 0}, {"mix", -1}, {"dor", -2}, {"min", -3}, {"aeo", -3}, {"phr", -4}, {"loc", -5}, {"lyd", 1}};
  for (const auto& [mode, offset] : kModes) {
    if (name.size() >= 3 && name.substr(0, 3) == mode) return offset;
  }
  return std::nullopt;
}

void apply_signature(Key& key) {
  for (int i = 0; i < std::min(std::abs(key.sharps), 7); ++i) {
    const char step = kOrderOfSharps[static_cast<std::size_t>(key.sharps > 0 ? i : 6 - i)];
    key.alteration[kSteps.find(step)] = key.sharps > 0 ? 1 : -1;
  }
}

/// "^f", "_b", "=c", "__e": an accidental that the key has besides its signature.
bool apply_accidental(Key& key, std::string_view word) {
  int alteration = 0;
  std::size_t i = 0;
  for (; i < word.size() && (word[i] == '^' || word[i] == '_' || word[i] == '='); ++i) {
    alteration += word[i] == '^' ? 1 : word[i] == '_' ? -1 : 0;
  }
  if (i == 0 || i + 1 != word.size() || std::abs(alteration) > 2) return false;
  const char step = static_cast<char>(lower(word[i]) - 'a' + 'A');
  if (kSteps.find(step) == std::string_view::npos) return false;
  key.alteration[kSteps.find(step)] = alteration;
  return true;
}

std::optional<int> clef_semitones(std::string_view clef) {
  if (clef.ends_with("-8")) return -12;
  if (clef.ends_with("+8")) return 12;
  return std::nullopt;
}

bool is_clef(std::string_view word) {
  for (const std::string_view clef :
       {"treble", "bass", "alto", "tenor", "perc", "none", "soprano", "mezzo", "baritone"}) {
    if (word.starts_with(clef)) return true;
  }
  return false;
}

int to_integer(const std::string& key, std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const std::optional<int> value = take_number(text);
  if (!value || !text.empty() || *value > 127)
    throw std::invalid_argument(fmt::format("'{}=' wants a small number", key));
  return negative ? -*value : *value;
}

VoiceProperties read_properties(const std::vector<std::string>& list, std::size_t first) {
  VoiceProperties properties;
  for (std::size_t i = first; i < list.size(); ++i) {
    const std::size_t equals = list[i].find('=');
    const std::string key = lower(std::string_view(list[i]).substr(0, equals));
    const std::string value = equals == std::string::npos ? "" : list[i].substr(equals + 1);
    const auto add = [&](int semitones) { properties.semitones = properties.semitones.value_or(0) + semitones; };
    if (key == "name" || key == "nm") {
      properties.name = value;
    } else if (key == "octave") {
      add(12 * to_integer(key, value));
    } else if (key == "transpose") {
      add(to_integer(key, value));
    } else if (key == "clef" || (equals == std::string::npos && is_clef(key))) {
      if (const auto semitones = clef_semitones(key == "clef" ? value : key)) add(*semitones);
    }
  }
  return properties;
}

}  // namespace

Metre parse_metre(std::string_view value) {
  value = trimmed(value);
  if (value == "C") return {4, 4};
  if (value == "C|") return {2, 2};
  if (value.empty() || lower(value) == "none") return {4, 4, true};
  const std::string original(value);
  const auto refuse = [&original] {
    return std::invalid_argument(fmt::format("'{}' is no metre; write 3/4, 6/8, C, C| or none", original));
  };
  // "2+3/8" and "(2+3)/8" are sums.
  int numerator = 0;
  if (value.starts_with('(')) value.remove_prefix(1);
  for (bool more = true; more;) {
    const auto beats = take_number(value);
    if (!beats) throw refuse();
    numerator += *beats;
    more = value.starts_with('+');
    if (more) value.remove_prefix(1);
  }
  if (value.starts_with(')')) value.remove_prefix(1);
  if (!value.starts_with('/')) throw refuse();
  value.remove_prefix(1);
  const auto denominator = take_number(value);
  const bool power_of_two = denominator && *denominator > 0 && (*denominator & (*denominator - 1)) == 0;
  if (!power_of_two || *denominator > 256 || numerator < 1 || numerator > 255) throw refuse();
  return {numerator, *denominator};
}

Fraction parse_unit_length(std::string_view value) {
  std::string_view rest = trimmed(value);
  const auto length = take_fraction(rest);
  if (!length || !trimmed(rest).empty() || length->numerator() == 0 || length->denominator() > 512) {
    throw std::invalid_argument(fmt::format("'{}' is no unit length; write 1/8 or the like", value));
  }
  return *length;
}

Fraction default_unit_length(const Metre& metre) {
  return !metre.free && metre.length() < Fraction(3, 4) ? Fraction(1, 16) : Fraction(1, 8);
}

std::optional<double> parse_tempo(std::string_view value, const Fraction& unit) {
  const auto refuse = [value] {
    return std::invalid_argument(fmt::format("'{}' is no tempo; write 1/4=90 or the like", trimmed(value)));
  };
  std::string text;
  bool quoted = false;
  for (const char c : value) {
    if (c == '"') quoted = !quoted;
    if (c != '"' && !quoted) text += c;
  }
  std::string_view rest = trimmed(text);
  if (rest.empty()) return std::nullopt;
  Fraction beat;
  const std::size_t equals = rest.find('=');
  if (equals == std::string_view::npos) {
    beat = unit;
  } else if (rest.front() == 'C') {  // the old "Q:C3=40": three unit lengths
    rest.remove_prefix(1);
    beat = unit * take_number(rest).value_or(1);
  } else {
    while (!rest.empty() && rest.front() != '=') {  // "3/8 1/4=40": the sum
      const auto part = take_fraction(rest);
      if (!part) throw refuse();
      beat = beat + *part;
      rest = trimmed(rest);
    }
  }
  if (rest.starts_with('=')) rest = trimmed(rest.substr(1));
  const auto beats_per_minute = take_fraction(rest);
  if (!beats_per_minute || !trimmed(rest).empty()) throw refuse();
  const Fraction quarters = *beats_per_minute * beat * 4;
  const double tempo = static_cast<double>(quarters.numerator()) / static_cast<double>(quarters.denominator());
  if (tempo < 4 || tempo > 4000) throw refuse();
  return tempo;
}

Key parse_key(std::string_view value) {
  std::vector<std::string> list = words(value);
  Key key;
  if (list.empty() || lower(list[0]) == "none") {
    key.named = false;
    return key;
  }
  if (list[0] == "HP" || list[0] == "Hp") {  // Highland pipes: D major's sharps, written out or not
    key.sharps = 2;
    apply_signature(key);
    return key;
  }
  const std::string& first = list[0];
  std::size_t next = 1;
  if (kSteps.find(first[0]) == std::string_view::npos) {
    const bool only_properties =
        is_clef(first) || first.find('=') != std::string::npos || first[0] == '^' || first[0] == '_';
    if (!only_properties) {
      throw std::invalid_argument(fmt::format("'{}' is no key; write G, Bb, F#m, Ador or the like", trimmed(value)));
    }
    key.named = false;
    next = 0;
  } else {
    int sharps = sharps_of_major(first[0]);
    std::size_t at = 1;
    if (at < first.size() && (first[at] == '#' || first[at] == 'b')) sharps += first[at++] == '#' ? 7 : -7;
    std::string mode = lower(std::string_view(first).substr(at));
    const bool apart = mode.empty() && list.size() > 1;
    if (apart) mode = lower(list[1]);
    if (mode == "m") mode = "min";
    if (apart && mode == "exp") {  // only the accidentals that follow
      key.named = false;
      next = 2;
    } else if (const auto offset = mode_offset(mode)) {
      sharps += *offset;
      key.minor = *offset == -3;
      next = apart ? 2 : 1;
    } else if (!mode.empty() && !apart) {
      throw std::invalid_argument(
          fmt::format("'{}' is no mode; known: major, minor (m), dorian, phrygian, lydian, "
                      "mixolydian, aeolian, ionian, locrian",
                      mode));
    }
    if (std::abs(sharps) > 7)
      throw std::invalid_argument(fmt::format("the key '{}' needs double accidentals", trimmed(value)));
    if (key.named) {
      key.sharps = sharps;
      apply_signature(key);
    }
  }
  for (; next < list.size(); ++next) apply_accidental(key, list[next]);
  return key;
}

VoiceProperties parse_voice(std::string_view value) {
  const std::vector<std::string> list = words(value);
  if (list.empty()) throw std::invalid_argument("a voice without a name; write V:1 or the like");
  VoiceProperties properties = read_properties(list, 1);
  properties.id = list[0];
  return properties;
}

VoiceProperties parse_properties(std::string_view value) { return read_properties(words(value), 0); }

}  // namespace etude::data::abc
