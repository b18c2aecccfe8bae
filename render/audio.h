#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/music/score.h"

namespace etude::render {

/// Sound in stereo.
struct Audio {
  int rate = 44'100;           ///< frames a second
  std::vector<float> samples;  ///< left, right, left, right, …; within ±1
  double seconds() const { return static_cast<double>(samples.size()) / 2 / rate; }
};

/// Plays scores with a soundfont, without a sound card and as fast as it can. The same score gives the same samples,
/// whatever was played before it.
class Synthesizer {
 public:
  /// Longer pieces are refused: an hour is 1.3 GB of samples.
  static constexpr double kLongest = 3600;  // seconds

  /// Throws Error naming the file when it is no soundfont. `rate` is 8,000 to 96,000.
  explicit Synthesizer(const std::filesystem::path& soundfont, int rate = 44'100);
  ~Synthesizer();
  Synthesizer(const Synthesizer&) = delete;
  Synthesizer& operator=(const Synthesizer&) = delete;

  /// Tempo changes, velocities and sustain pedal are obeyed; tracks of one program share one pedal. The last notes die
  /// away. The loudest sample is brought to -1 dB of full scale. Throws Error when the piece is longer than kLongest.
  Audio play(const data::Score& score) const;

  const std::filesystem::path& soundfont() const { return soundfont_; }

 private:
  struct Engine;
  std::filesystem::path soundfont_;
  int rate_;
  std::unique_ptr<Engine> holder_;  ///< keeps the soundfont's samples in memory between two pieces
};

/// Samples of 16 bits; FLAC holds the same samples in less room.
enum class AudioFormat { kWav, kFlac };

/// The content of a sound file. Throws Error when libsndfile cannot write this format.
std::string encode(const Audio& audio, AudioFormat format);

/// Writes NAME.wav or NAME.flac, whole or not at all. Throws UsageError for another ending, Error naming the file.
void write_audio(const std::filesystem::path& file, const Audio& audio);

}  // namespace etude::render
