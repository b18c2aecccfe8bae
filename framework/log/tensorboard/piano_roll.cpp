#include "framework/log/tensorboard/piano_roll.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace etude::tensorboard {
namespace {

constexpr int kOctave = 12;
constexpr int kKeyHeight = 5;     // pixels
constexpr int kSecondWidth = 24;  // pixels
constexpr int kMargin = 4 * Canvas::kLetterWidth;
constexpr double kLongestShown = 150;  // seconds; wider pictures are shrunk beyond reading

/// From a light blue for the softest notes to a dark one, so that a printout in grey tells them apart too.
Colour shade(int velocity) {
  const double loud = std::clamp(velocity, 1, 127) / 127.0;
  const auto mix = [&](int soft, int dark) {
    return static_cast<std::uint8_t>(std::lround(soft + loud * (dark - soft)));
  };
  return {mix(170, 5), mix(205, 40), mix(235, 110)};
}

int column(double seconds) { return kMargin + static_cast<int>(std::lround(seconds * kSecondWidth)); }

}  // namespace

Canvas piano_roll(const log::PlayedPiece& piece) {
  int lowest = 60, highest = 71;
  double end = 1;
  for (const log::PlayedNote& note : piece.notes) {
    lowest = std::min(lowest, note.pitch);
    highest = std::max(highest, note.pitch);
    end = std::max(end, std::min(note.start + note.seconds, kLongestShown));
  }
  const int keys = highest - lowest + 1;
  Canvas canvas(column(end) + 1, keys * kKeyHeight);
  const auto row = [&](int pitch) { return (highest - pitch) * kKeyHeight; };
  for (int pitch = lowest; pitch <= highest; ++pitch) {
    if (pitch % kOctave != 0) continue;
    canvas.fill(kMargin, row(pitch) + kKeyHeight - 1, canvas.width() - kMargin, 1, kGrey);
    canvas.write(0, row(pitch) + kKeyHeight - Canvas::kLetterHeight, fmt::format("C{}", pitch / kOctave - 1), kBlack);
  }
  for (int second = 0; second <= static_cast<int>(end); ++second) {
    canvas.fill(column(second), 0, 1, canvas.height(), kGrey);
  }
  for (const log::PlayedNote& note : piece.notes) {
    if (note.start >= end) continue;
    const int left = column(note.start), right = column(std::min(note.start + note.seconds, end));
    canvas.fill(left, row(note.pitch), std::max(2, right - left), kKeyHeight - 1, shade(note.velocity));
  }
  return canvas;
}

}  // namespace etude::tensorboard
