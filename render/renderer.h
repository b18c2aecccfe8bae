#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/music/score.h"
#include "render/audio.h"
#include "render/engraver.h"
#include "render/notation/notation.h"

namespace etude::render {

enum class Format { kWav, kFlac, kMusicXml, kPdf };

/// "wav,pdf" and the like, each once, in the order given. Throws UsageError with the names there are.
std::vector<Format> parse_formats(const std::string& names);
/// What its files end in: ".wav", ".flac", ".musicxml", ".pdf".
std::string ending_of(Format format);

struct RendererOptions {
  std::vector<Format> formats;
  std::filesystem::path soundfont;  ///< empty: the usual one
  int rate = 44'100;
};

/// Writes pieces as sound and as scores.
class Renderer {
 public:
  /// Throws UsageError where there is no soundfont and sound is asked for.
  explicit Renderer(RendererOptions options);

  /// The files that write() makes.
  std::vector<std::filesystem::path> files_of(const std::filesystem::path& stem) const;
  /// Writes the score to STEM.wav, STEM.pdf, …; each file appears whole or not at all. Throws Error naming the file. A
  /// score that cannot be made a PDF is left as STEM.musicxml, and the message says so.
  void write(const data::Score& score, const std::filesystem::path& stem, const NotationOptions& notation = {}) const;

 private:
  RendererOptions options_;
  std::unique_ptr<Synthesizer> synthesizer_;
  std::optional<Engraver> engraver_;
  std::string no_engraver_;  ///< why there is none
};

}  // namespace etude::render
