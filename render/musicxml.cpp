#include "render/musicxml.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

#include "data/pack/text.h"
#include "render/notation/measures.h"

namespace etude::render {
namespace {

std::string escaped(const std::string& text) {
  std::string result;
  const std::string clean = data::clean_text(text);
  for (std::size_t i = 0; i < clean.size(); ++i) {
    // U+FFFE and U+FFFF are UTF-8, but may not stand in XML.
    if (std::string_view(clean).substr(i, 2) == "\xef\xbf" && static_cast<unsigned char>(clean[i + 2]) >= 0xbe) {
      i += 2;
      continue;
    }
    switch (clean[i]) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += clean[i];
    }
  }
  return result;
}

const char* type_name(int type) {
  switch (type) {
    case 0:
      return "breve";
    case 1:
      return "whole";
    case 2:
      return "half";
    case 4:
      return "quarter";
    case 8:
      return "eighth";
    case 16:
      return "16th";
    case 32:
      return "32nd";
    default:
      return "64th";
  }
}

const char* accidental_name(int alter) {
  switch (alter) {
    case -2:
      return "flat-flat";
    case -1:
      return "flat";
    case 0:
      return "natural";
    case 1:
      return "sharp";
    default:
      return "double-sharp";
  }
}

const char* beam_name(const Element& element, Mark mark) {
  switch (mark) {
    case Mark::kBegin:
      return "begin";
    case Mark::kInside:
      return "continue";
    case Mark::kEnd:
      return "end";
    default:
      return element.hook_back ? "backward hook" : "forward hook";
  }
}

/// The document line by line, indented by what is open.
class Writer {
 public:
  template <typename... Arguments>
  void line(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    text_.append(depth_, ' ');
    fmt::format_to(std::back_inserter(text_), format, std::forward<Arguments>(arguments)...);
    text_ += '\n';
  }
  void open(std::string_view tag, std::string_view attributes = "") {
    line("<{}{}>", tag, attributes);
    ++depth_;
  }
  void close(std::string_view tag) {
    --depth_;
    line("</{}>", tag);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  std::size_t depth_ = 0;
};

class Document {
 public:
  explicit Document(const Notation& notation) : notation_(notation) {}

  std::string write() {
    xml_.line(R"(<?xml version="1.0" encoding="UTF-8" standalone="no"?>)");
    xml_.line(R"(<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" )"
              R"("http://www.musicxml.org/dtds/partwise.dtd">)");
    xml_.open("score-partwise", R"( version="4.0")");
    write_head();
    xml_.open("part", R"( id="P1")");
    int number = notation_.measures.empty() || !notation_.measures.front().incomplete ? 1 : 0;
    for (std::size_t i = 0; i < notation_.measures.size(); ++i) write_measure(i, number++);
    xml_.close("part");
    xml_.close("score-partwise");
    return xml_.take();
  }

 private:
  void write_head() {
    if (const std::string title = escaped(notation_.title); !title.empty()) {
      xml_.open("work");
      xml_.line("<work-title>{}</work-title>", title);
      xml_.close("work");
    }
    xml_.open("identification");
    if (const std::string composer = escaped(notation_.composer); !composer.empty()) {
      xml_.line(R"(<creator type="composer">{}</creator>)", composer);
    }
    xml_.open("encoding");
    xml_.line("<software>etude</software>");
    xml_.line(R"(<supports element="accidental" type="yes"/>)");
    xml_.line(R"(<supports element="beam" type="yes"/>)");
    xml_.close("encoding");
    xml_.close("identification");
    xml_.open("part-list");
    xml_.open("score-part", R"( id="P1")");
    xml_.line(R"(<part-name print-object="no">{}</part-name>)", notation_.staves == 2 ? "Piano" : "");
    xml_.close("score-part");
    xml_.close("part-list");
  }

  void write_measure(std::size_t index, int number) {
    const Measure& measure = notation_.measures[index];
    xml_.open("measure", fmt::format(R"( number="{}"{})", number, number == 0 ? R"( implicit="yes")" : ""));
    write_attributes(index);
    if (measure.quarters_per_minute) write_tempo(measure);
    bool first = true;
    for (std::size_t staff = 0; staff < measure.staves.size(); ++staff) {
      const auto& voices = measure.staves[staff].voices;
      for (std::size_t voice = 0; voice < voices.size(); ++voice) {
        if (voices[voice].empty()) continue;
        if (!first) {
          xml_.open("backup");
          xml_.line("<duration>{}</duration>", measure.length);
          xml_.close("backup");
        }
        first = false;
        // Readers expect the voices of a second staff to be numbered from 5 on.
        const Place place{staff + 1, staff * 4 + voice + 1, voices[1].empty() ? "" : voice == 0 ? "up" : "down"};
        for (const Element& element : voices[voice]) write_element(element, place);
      }
    }
    if (index + 1 == notation_.measures.size()) {
      xml_.open("barline", R"( location="right")");
      xml_.line("<bar-style>light-heavy</bar-style>");
      xml_.close("barline");
    }
    xml_.close("measure");
  }

  void write_attributes(std::size_t index) {
    const Measure& measure = notation_.measures[index];
    const Measure* before = index > 0 ? &notation_.measures[index - 1] : nullptr;
    const auto changes_clef = [&](std::size_t staff) {
      return before == nullptr || before->staves[staff].clef != measure.staves[staff].clef;
    };
    bool clefs = false;
    for (std::size_t staff = 0; staff < measure.staves.size(); ++staff) clefs = clefs || changes_clef(staff);
    if (!clefs && !measure.shows_key && !measure.shows_meter) return;
    xml_.open("attributes");
    if (before == nullptr) xml_.line("<divisions>{}</divisions>", kUnitsPerQuarter);
    if (measure.shows_key) {
      xml_.open("key");
      xml_.line("<fifths>{}</fifths>", measure.key.sharps);
      xml_.line("<mode>{}</mode>", measure.key.minor ? "minor" : "major");
      xml_.close("key");
    }
    if (measure.shows_meter) {
      xml_.open("time");
      xml_.line("<beats>{}</beats>", measure.meter.numerator);
      xml_.line("<beat-type>{}</beat-type>", measure.meter.denominator);
      xml_.close("time");
    }
    if (before == nullptr) xml_.line("<staves>{}</staves>", notation_.staves);
    for (std::size_t staff = 0; staff < measure.staves.size(); ++staff) {
      if (!changes_clef(staff)) continue;
      const bool treble = measure.staves[staff].clef == Clef::kTreble;
      xml_.open("clef", fmt::format(R"( number="{}")", staff + 1));
      xml_.line("<sign>{}</sign>", treble ? 'G' : 'F');
      xml_.line("<line>{}</line>", treble ? 2 : 4);
      xml_.close("clef");
    }
    xml_.close("attributes");
  }

  void write_tempo(const Measure& measure) {
    const bool dotted = pulse_of(measure.meter).beat == kUnitsPerQuarter * 3 / 2;
    const double quarters = *measure.quarters_per_minute;
    xml_.open("direction", R"( placement="above")");
    xml_.open("direction-type");
    xml_.open("metronome", R"( parentheses="no")");
    xml_.line("<beat-unit>quarter</beat-unit>");
    if (dotted) xml_.line("<beat-unit-dot/>");
    xml_.line("<per-minute>{:.0f}</per-minute>", dotted ? quarters / 1.5 : quarters);
    xml_.close("metronome");
    xml_.close("direction-type");
    xml_.line("<staff>1</staff>");
    xml_.line(R"(<sound tempo="{:.0f}"/>)", quarters);
    xml_.close("direction");
  }

  struct Place {
    std::size_t staff;
    std::size_t voice;
    std::string_view stem;  ///< empty: as the reader likes
  };

  void write_element(const Element& element, const Place& place) {
    if (element.notes.empty()) {
      write_note(element, nullptr, place);
      return;
    }
    for (const WrittenNote& note : element.notes) write_note(element, &note, place);
  }

  /// A note of a chord, or with null the rest.
  void write_note(const Element& element, const WrittenNote* note, const Place& place) {
    const bool first = note == nullptr || note == element.notes.data();
    xml_.open("note");
    if (!first) xml_.line("<chord/>");
    if (note == nullptr) {
      xml_.line("<rest{}/>", element.whole_measure ? R"( measure="yes")" : "");
    } else {
      xml_.open("pitch");
      xml_.line("<step>{}</step>", note->spelling.step);
      if (note->spelling.alter != 0) xml_.line("<alter>{}</alter>", note->spelling.alter);
      xml_.line("<octave>{}</octave>", note->spelling.octave);
      xml_.close("pitch");
    }
    xml_.line("<duration>{}</duration>", element.duration);
    if (note != nullptr && note->tied_back) xml_.line(R"(<tie type="stop"/>)");
    if (note != nullptr && note->tied_on) xml_.line(R"(<tie type="start"/>)");
    xml_.line("<voice>{}</voice>", place.voice);
    if (!element.whole_measure) xml_.line("<type>{}</type>", type_name(element.type));
    for (int dot = 0; dot < element.dots; ++dot) xml_.line("<dot/>");
    if (note != nullptr && note->accidental) {
      xml_.line("<accidental>{}</accidental>", accidental_name(note->spelling.alter));
    }
    if (element.tuplet != Mark::kNone) {
      xml_.open("time-modification");
      xml_.line("<actual-notes>{}</actual-notes>", element.tuplet_notes);
      xml_.line("<normal-notes>{}</normal-notes>", element.tuplet_notes * 2 / 3);
      xml_.close("time-modification");
    }
    if (note != nullptr && !place.stem.empty() && element.type > 1) xml_.line("<stem>{}</stem>", place.stem);
    xml_.line("<staff>{}</staff>", place.staff);
    for (std::size_t level = 0; first && level < element.beams.size(); ++level) {
      xml_.line(R"(<beam number="{}">{}</beam>)", level + 1, beam_name(element, element.beams[level]));
    }
    write_notations(element, note, first);
    xml_.close("note");
  }

  void write_notations(const Element& element, const WrittenNote* note, bool first) {
    const bool tied = note != nullptr && (note->tied_back || note->tied_on);
    const bool tuplet = first && (element.tuplet == Mark::kBegin || element.tuplet == Mark::kEnd);
    const bool staccato = first && note != nullptr && element.staccato;
    if (!tied && !tuplet && !staccato) return;
    xml_.open("notations");
    if (tied && note->tied_back) xml_.line(R"(<tied type="stop"/>)");
    if (tied && note->tied_on) xml_.line(R"(<tied type="start"/>)");
    if (tuplet) xml_.line(R"(<tuplet type="{}" number="1"/>)", element.tuplet == Mark::kBegin ? "start" : "stop");
    if (staccato) xml_.line("<articulations><staccato/></articulations>");
    xml_.close("notations");
  }

  const Notation& notation_;
  Writer xml_;
};

}  // namespace

std::string to_musicxml(const Notation& notation) { return Document(notation).write(); }

}  // namespace etude::render
