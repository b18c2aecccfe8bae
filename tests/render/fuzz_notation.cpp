#include "tests/render/fuzz_notation.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "data/midi/midi.h"
#include "framework/config/error.h"
#include "render/excerpt.h"
#include "render/musicxml.h"
#include "render/performance.h"
#include "tests/support/damage.h"

namespace {

using namespace etude;
using testing::require;

/// Every voice fills its measure, and nothing lasts no time.
void check(const render::Notation& notation) {
  require(!notation.measures.empty(), "there is a measure");
  for (const render::Measure& measure : notation.measures) {
    require(measure.staves.size() == static_cast<std::size_t>(notation.staves), "each measure has its staves");
    for (const render::Staff& staff : measure.staves) {
      require(!staff.voices[0].empty(), "no staff is empty");
      for (const auto& voice : staff.voices) {
        int at = 0;
        for (const render::Element& element : voice) {
          require(element.offset == at && element.duration > 0, "a voice has no gaps");
          at += element.duration;
        }
        require(voice.empty() || at == measure.length, "a voice fills its measure");
      }
    }
  }
}

/// In time, and every key that is struck is let go.
void check(const render::Performance& performance) {
  using Action = render::Event::Action;
  std::int64_t held = 0, pedals = 0;
  double now = -INFINITY;
  for (const render::Event& event : performance.events) {
    require(std::isfinite(event.seconds) && event.seconds >= now, "events are in time");
    now = event.seconds;
    require(event.instrument >= 0 && event.instrument < std::ssize(performance.instruments), "an event has a player");
    held += event.action == Action::kStrike ? 1 : event.action == Action::kRelease ? -1 : 0;
    pedals += event.action == Action::kPedalDown ? 1 : event.action == Action::kPedalUp ? -1 : 0;
    require(event.pitch >= 0 && event.pitch <= 127 && event.velocity >= 0 && event.velocity <= 127, "MIDI has it");
  }
  require(held == 0 && pedals == 0, "what is struck is let go");
  require(std::isfinite(performance.seconds) && performance.seconds >= 0, "a piece has an end");
}

}  // namespace

std::string written_down(std::string_view bytes) {
  try {
    const data::Score score = data::midi::parse(std::as_bytes(std::span(bytes)), "fuzz.mid");
    check(render::perform(score));
    const data::Score beginning = render::take(score, {8, 0});
    require(data::count_notes(beginning) <= data::count_notes(score), "a beginning has no more notes than the piece");
    check(render::notate(beginning));
    check(render::perform(render::take(score, {0, 2.5})));
    const render::Notation notation = render::notate(score);
    check(notation);
    return render::to_musicxml(notation);
  } catch (const Error&) {
    return "";
  }
}

/// Whatever the bytes of a MIDI file: an Error, or a piece that is written down measure by measure, and played in time.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  written_down({reinterpret_cast<const char*>(data), size});
  return 0;
}
