#include "data/abc/tune_parser.h"

#include <list>
#include <stdexcept>
#include <utility>

#include <fmt/core.h>

#include "data/abc/lexer.h"
#include "data/abc/text.h"
#include "data/abc/unreadable.h"

namespace etude::data::abc {
namespace {

struct Field {
  char letter = ' ';
  std::string_view value;
};

/// A line like "K:G". A note followed by a bar, as in "d:|", is music.
std::optional<Field> field_of(std::string_view line) {
  if (line.size() < 2 || line[1] != ':' || !(is_letter(line[0]) || line[0] == '+')) return std::nullopt;
  if (line.size() > 2 && (line[2] == '|' || line[2] == ':')) return std::nullopt;
  // Words may hold a percent sign; in them only the file's own comments end a line.
  return Field{line[0], trimmed(without_comment(line.substr(2)))};
}

class TuneParser {
 public:
  TuneParser(const Lines& lines, const Defaults& defaults) : lines_(lines), defaults_(defaults) {
    tune_.line = lines.first;
    tune_.composer = defaults.composer;
    tune_.source = defaults.source;
  }

  WrittenTune run() {
    for (std::size_t i = 0; i < lines_.lines.size(); ++i) {
      number_ = lines_.first + static_cast<int>(i);
      column_ = 1;
      located([&] { read_line(lines_.lines[i]); });
    }
    column_ = 1;
    if (!in_body_) throw Unreadable(lines_.first, 1, "the tune's head has no K: (the last field before the music)");
    located([&] {
      if (current_ != nullptr && current_->in_chord()) throw std::invalid_argument("a chord without its ']'");
      for (VoiceBuilder& voice : voices_) tune_.voices.push_back(voice.finish());
    });
    std::erase_if(tune_.voices, [](const Voice& voice) { return voice.bars.empty(); });
    if (tune_.voices.empty()) throw Unreadable(lines_.first, 1, "the tune has no music");
    return std::move(tune_);
  }

 private:
  /// Gives what goes wrong inside the place that was being read.
  template <typename Work>
  void located(Work work) {
    try {
      work();
    } catch (const std::invalid_argument& error) {
      throw Unreadable(number_, column_, error.what());
    } catch (const FractionOverflow& error) {
      throw Unreadable(number_, column_, error.what());
    }
  }

  void read_line(std::string_view line) {
    if (line.starts_with('%')) return;
    const std::optional<Field> field = field_of(line);
    if (field && in_body_) return body_field(*field);
    if (field) return head_field(*field);
    if (trimmed(without_comment(line)).empty()) return;
    if (!in_body_) throw std::invalid_argument("music before the K: that ends the tune's head");
    for (const Token& token : tokenize(line, number_)) {
      column_ = token.column;
      std::visit([this](const auto& what) { read(what); }, token.what);
    }
  }

  void head_field(const Field& field) {
    switch (field.letter) {
      case 'X': {
        std::string_view value = field.value;
        tune_.number = take_number(value).value_or(0);
        break;
      }
      case 'T':
        if (tune_.title.empty()) tune_.title = field.value;
        break;
      case 'C':
        add_line(own_composer_, field.value, tune_.composer);
        break;
      case 'S':
        add_line(own_source_, field.value, tune_.source);
        break;
      case 'B':
      case 'O':
        if (own_source_.empty() && second_source_.empty()) second_source_ = field.value;
        break;
      case 'M':
        metre_ = parse_metre(field.value);
        break;
      case 'L':
        unit_ = parse_unit_length(field.value);
        break;
      case 'Q':
        tempo_ = field.value;
        break;
      case 'V': {
        const VoiceProperties properties = parse_voice(field.value);
        declared_.push_back(properties);
        break;
      }
      case 'K':
        end_head(field.value);
        break;
      default:
        break;
    }
  }

  static void add_line(std::string& own, std::string_view value, std::string& result) {
    if (!own.empty() && !value.empty()) own += "; ";
    own += value;
    if (!own.empty()) result = own;
  }

  void end_head(std::string_view key) {
    const Metre metre = metre_.value_or(defaults_.metre);
    if (tune_.source.empty()) tune_.source = second_source_;
    initial_.metre = metre;
    initial_.unit = unit_ ? *unit_ : defaults_.unit.value_or(default_unit_length(metre));
    initial_.key = parse_key(key);
    initial_.tempo = parse_tempo(tempo_.empty() ? defaults_.tempo : tempo_, initial_.unit);
    common_ = parse_properties(key);
    in_body_ = true;
    for (const VoiceProperties& properties : declared_) enter_voice(properties);
    current_ = voices_.empty() ? nullptr : &voices_.front();
  }

  void enter_voice(const VoiceProperties& properties) {
    current_ = nullptr;
    for (VoiceBuilder& voice : voices_) {
      if (voice.id() == properties.id) current_ = &voice;
    }
    if (current_ == nullptr) {
      current_ = &voices_.emplace_back(properties.id, initial_);
      current_->set_properties(common_);
    }
    current_->set_properties(properties);
  }

  /// The voice that is being written; a tune without V: has one.
  VoiceBuilder& voice() {
    if (current_ == nullptr) enter_voice({"1", "", {}});
    return *current_;
  }

  void body_field(const Field& field) {
    switch (field.letter) {
      case 'V':
        if (current_ != nullptr && current_->in_chord()) throw std::invalid_argument("a chord without its ']'");
        enter_voice(parse_voice(field.value));
        break;
      case 'K': {
        const Key key = parse_key(field.value);
        // "K:clef=bass" leaves the key as it is.
        const bool changes = key.named || lower(field.value).starts_with("none") || key.alteration != Key{}.alteration;
        if (changes) voice().set_key(key);
        voice().set_properties(parse_properties(field.value));
        break;
      }
      case 'M':
        voice().set_metre(parse_metre(field.value));
        break;
      case 'L':
        voice().set_unit(parse_unit_length(field.value));
        break;
      case 'Q':
        if (const auto tempo = parse_tempo(field.value, voice().state().unit)) voice().set_tempo(*tempo);
        break;
      default:
        break;
    }
  }

  VoiceBuilder& placed() {
    voice().at(number_, column_);
    return voice();
  }

  void read(const NoteToken& token) { placed().note(token); }
  void read(const RestToken& token) { placed().rest(token); }
  void read(const ChordBeginToken&) { placed().begin_chord(); }
  void read(const ChordEndToken& token) { placed().end_chord(token); }
  void read(const BarToken& token) { placed().bar(token); }
  void read(const EndingToken& token) { placed().ending(token); }
  void read(const TupletToken& token) { placed().tuplet(token); }
  void read(const BrokenToken& token) { placed().broken(token); }
  void read(const TieToken&) { placed().tie(); }
  void read(const OverlayToken&) { placed().overlay(); }
  void read(const FieldToken& token) { body_field({token.letter, token.value}); }

  const Lines& lines_;
  const Defaults& defaults_;
  WrittenTune tune_;
  int number_ = 1;
  int column_ = 1;
  bool in_body_ = false;

  std::optional<Metre> metre_;
  std::optional<Fraction> unit_;
  std::string tempo_;
  std::string own_composer_, own_source_, second_source_;
  std::vector<VoiceProperties> declared_;
  VoiceProperties common_;  ///< what K: says of clefs and octaves holds for all voices

  VoiceBuilder::State initial_;
  std::list<VoiceBuilder> voices_;  ///< a list, so that current_ stays valid
  VoiceBuilder* current_ = nullptr;
};

}  // namespace

Defaults parse_file_head(const Lines& lines) {
  Defaults defaults;
  for (std::size_t i = 0; i < lines.lines.size(); ++i) {
    const std::optional<Field> field = field_of(lines.lines[i]);
    if (!field) continue;
    try {
      switch (field->letter) {
        case 'M':
          defaults.metre = parse_metre(field->value);
          break;
        case 'L':
          defaults.unit = parse_unit_length(field->value);
          break;
        case 'Q':
          defaults.tempo = field->value;
          break;
        case 'C':
          defaults.composer = field->value;
          break;
        case 'S':
          defaults.source = field->value;
          break;
        default:
          break;
      }
    } catch (const std::invalid_argument& error) {
      throw Unreadable(lines.first + static_cast<int>(i), 1, error.what());
    }
  }
  return defaults;
}

WrittenTune parse_tune(const Lines& lines, const Defaults& defaults) { return TuneParser(lines, defaults).run(); }

}  // namespace etude::data::abc
