#pragma once

#include <filesystem>
#include <string>

namespace etude::render {

/// Turns MusicXML into pages: by LilyPond (musicxml2ly and lilypond) or MuseScore, whichever is found on PATH.
class Engraver {
 public:
  /// Throws UsageError saying what to install.
  static Engraver find();

  /// The PDF's bytes. Throws Error with the last lines of what the program said when it fails or takes longer than
  /// `seconds`.
  std::string engrave(const std::string& musicxml, double seconds = 300) const;
  /// "LilyPond" or "MuseScore".
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::filesystem::path converter_;  ///< musicxml2ly; empty for MuseScore
  std::filesystem::path program_;
};

}  // namespace etude::render
