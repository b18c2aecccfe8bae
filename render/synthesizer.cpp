#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

#include <fluidsynth.h>
#include <fmt/format.h>

#include "framework/config/error.h"
#include "framework/log/format.h"
#include "render/audio.h"
#include "render/performance.h"

namespace etude::render {
namespace {

constexpr int kChannelsOfPort = 16;
constexpr int kDrumBank = 128;
constexpr int kSustain = 64;
constexpr double kPeak = 0.8912509381337456;  // -1 dB of full scale
constexpr double kLongestTail = 10;           // seconds
constexpr float kInaudible = 1e-4F;           // of the loudest sample

struct DeleteSettings {
  void operator()(fluid_settings_t* settings) const { delete_fluid_settings(settings); }
};
struct DeleteSynth {
  void operator()(fluid_synth_t* synth) const { delete_fluid_synth(synth); }
};

/// fluidsynth writes to stderr about instruments that a soundfont lacks, and takes others by itself.
void keep_fluidsynth_quiet() {
  for (int level = 0; level < LAST_LOG_LEVEL; ++level) fluid_set_log_function(level, nullptr, nullptr);
}

void scale_to_peak(std::vector<float>& samples) {
  float loudest = 0;
  for (const float sample : samples) loudest = std::max(loudest, std::abs(sample));
  if (!(loudest > 0)) return;
  const auto factor = static_cast<float>(kPeak / loudest);
  for (float& sample : samples) sample *= factor;
}

}  // namespace

/// One fluidsynth with its settings: made anew for each piece, so that no reverberation of another is left in it.
struct Synthesizer::Engine {
  std::unique_ptr<fluid_settings_t, DeleteSettings> settings;
  std::unique_ptr<fluid_synth_t, DeleteSynth> synth;
  int font = FLUID_FAILED;

  Engine(const std::filesystem::path& soundfont, int rate, std::size_t instruments) : settings(new_fluid_settings()) {
    const auto channels = (static_cast<int>(instruments) + kChannelsOfPort - 1) / kChannelsOfPort * kChannelsOfPort;
    fluid_settings_setnum(settings.get(), "synth.sample-rate", rate);
    fluid_settings_setint(settings.get(), "synth.midi-channels", std::max(channels, kChannelsOfPort));
    fluid_settings_setint(settings.get(), "synth.polyphony", 1024);  // a pedal holds many
    fluid_settings_setint(settings.get(), "synth.chorus.active", 0);
    fluid_settings_setint(settings.get(), "synth.cpu-cores", 1);
    fluid_settings_setint(settings.get(), "synth.lock-memory", 0);
    fluid_settings_setint(settings.get(), "synth.dynamic-sample-loading", 1);
    synth.reset(new_fluid_synth(settings.get()));
    if (synth == nullptr) throw Error("fluidsynth cannot be started (out of memory?)");
    font = fluid_synth_sfload(synth.get(), soundfont.c_str(), 0);
    if (font == FLUID_FAILED) {
      throw Error(
          fmt::format("{}: fluidsynth cannot read it as a soundfont; it takes .sf2, and .sf3 where it was "
                      "built for it (the package fluidr3mono-gm-soundfont has one that works)",
                      soundfont.string()));
    }
  }

  void choose(const std::vector<Instrument>& instruments) const {
    for (std::size_t i = 0; i < instruments.size(); ++i) {
      const int channel = static_cast<int>(i);
      const Instrument& instrument = instruments[i];
      fluid_synth_set_channel_type(synth.get(), channel, instrument.drums ? CHANNEL_TYPE_DRUM : CHANNEL_TYPE_MELODIC);
      const auto select = [&](int bank, int program) {
        return fluid_synth_program_select(synth.get(), channel, font, bank, program) == FLUID_OK;
      };
      // What a soundfont lacks is played by its piano, drums by its standard set.
      if (instrument.drums ? select(kDrumBank, instrument.program) || select(kDrumBank, 0)
                           : select(0, instrument.program) || select(0, 0)) {
        continue;
      }
      fluid_synth_unset_program(synth.get(), channel);
    }
  }

  void play(std::vector<float>& samples, std::int64_t until) const {
    const auto done = static_cast<std::int64_t>(samples.size() / 2);
    if (until <= done) return;
    samples.resize(static_cast<std::size_t>(until) * 2);
    float* begin = samples.data() + done * 2;
    if (fluid_synth_write_float(synth.get(), static_cast<int>(until - done), begin, 0, 2, begin, 1, 2) != FLUID_OK) {
      throw Error("fluidsynth failed while it was playing");
    }
  }
};

Synthesizer::Synthesizer(const std::filesystem::path& soundfont, int rate) : soundfont_(soundfont), rate_(rate) {
  keep_fluidsynth_quiet();
  if (rate < 8'000 || rate > 96'000) {
    throw UsageError(fmt::format("a sample rate of {} is not possible; 8000 to 96000 are", rate));
  }
  if (fluid_is_soundfont(soundfont.c_str()) == 0) {
    throw Error(fmt::format("{}: not a soundfont (.sf2 or .sf3)", soundfont.string()));
  }
  holder_ = std::make_unique<Engine>(soundfont, rate, 1);
  holder_->choose({{}});
}

Synthesizer::~Synthesizer() = default;

Audio Synthesizer::play(const data::Score& score) const {
  const Performance performance = perform(score);
  if (performance.seconds > kLongest) {
    throw Error(fmt::format("it would last {}; up to {} are played: --seconds N takes the beginning",
                            log::duration(performance.seconds), log::duration(kLongest)));
  }
  Engine engine(soundfont_, rate_, performance.instruments.size());
  engine.choose(performance.instruments);

  Audio audio{rate_, {}};
  audio.samples.reserve(static_cast<std::size_t>((performance.seconds + 2) * rate_) * 2);
  std::vector<std::array<int, 128>> pressed(performance.instruments.size());
  std::vector<int> pedals(performance.instruments.size());
  fluid_synth_t* synth = engine.synth.get();
  for (const Event& event : performance.events) {
    engine.play(audio.samples, std::llround(event.seconds * rate_));
    const auto instrument = static_cast<std::size_t>(event.instrument);
    int* keys = pressed[instrument].data();
    switch (event.action) {
      case Event::Action::kStrike:
        if (keys[event.pitch]++ > 0) fluid_synth_noteoff(synth, event.instrument, event.pitch);
        fluid_synth_noteon(synth, event.instrument, event.pitch, event.velocity);
        break;
      case Event::Action::kRelease:
        if (--keys[event.pitch] == 0) fluid_synth_noteoff(synth, event.instrument, event.pitch);
        break;
      case Event::Action::kPedalDown:
        if (pedals[instrument]++ == 0) fluid_synth_cc(synth, event.instrument, kSustain, 127);
        break;
      case Event::Action::kPedalUp:
        if (--pedals[instrument] == 0) fluid_synth_cc(synth, event.instrument, kSustain, 0);
        break;
    }
  }

  float loudest = 0;
  for (const float sample : audio.samples) loudest = std::max(loudest, std::abs(sample));
  const auto end = static_cast<std::int64_t>(audio.samples.size() / 2);
  for (std::int64_t step = 1; !performance.events.empty() && step <= std::llround(kLongestTail * 10); ++step) {
    const std::size_t before = audio.samples.size();
    engine.play(audio.samples, end + step * rate_ / 10);
    float left = 0;
    for (std::size_t i = before; i < audio.samples.size(); ++i) left = std::max(left, std::abs(audio.samples[i]));
    if (left <= loudest * kInaudible) break;
  }
  scale_to_peak(audio.samples);
  return audio;
}

}  // namespace etude::render
