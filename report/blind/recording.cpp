#include "report/blind/recording.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace etude::blind {
namespace {

/// The two lowest of sixteen bits stay zero, 84 dB below the loudest: nobody hears it, and FLAC leaves such bits out.
constexpr float kStep = 4.0F / 32767.0F;

}  // namespace

std::string recording(const render::Synthesizer& synthesizer, const data::Score& score, double seconds) {
  render::Audio audio = synthesizer.play(score);
  const auto frames = static_cast<std::size_t>(std::llround(seconds * audio.rate));
  audio.samples.resize(2 * frames, 0.0F);
  const std::size_t fade = std::min(frames, static_cast<std::size_t>(audio.rate));
  for (std::size_t i = 0; i < frames; ++i) {
    const std::size_t left = frames - i;
    const float gain = left < fade ? static_cast<float>(left) / static_cast<float>(fade) : 1.0F;
    // Two equal channels: FLAC stores the second for next to nothing.
    const float middle = gain * (audio.samples[2 * i] + audio.samples[2 * i + 1]) / 2;
    audio.samples[2 * i] = audio.samples[2 * i + 1] = std::round(middle / kStep) * kStep;
  }
  return render::encode(audio, render::AudioFormat::kFlac);
}

}  // namespace etude::blind
