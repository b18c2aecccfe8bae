#include "render/renderer.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "framework/config/error.h"
#include "framework/files/files.h"
#include "render/musicxml.h"
#include "render/soundfont.h"

namespace etude::render {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<const char*, Format>, 4> kFormats{
    {{"wav", Format::kWav}, {"flac", Format::kFlac}, {"musicxml", Format::kMusicXml}, {"pdf", Format::kPdf}}};

bool is_sound(Format format) { return format == Format::kWav || format == Format::kFlac; }

/// A stem may hold dots: "op. 9" is not to become "op.wav".
fs::path with_ending(const fs::path& stem, Format format) { return stem.string() + ending_of(format); }

}  // namespace

std::vector<Format> parse_formats(const std::string& names) {
  std::vector<Format> formats;
  std::istringstream list(names);
  for (std::string name; std::getline(list, name, ',');) {
    const auto found =
        std::find_if(kFormats.begin(), kFormats.end(), [&](const auto& format) { return name == format.first; });
    if (found == kFormats.end()) {
      throw UsageError(fmt::format("'{}' is no format; there are wav, flac, musicxml and pdf, parted by commas", name));
    }
    if (std::find(formats.begin(), formats.end(), found->second) == formats.end()) formats.push_back(found->second);
  }
  if (formats.empty()) throw UsageError("no format is given; there are wav, flac, musicxml and pdf");
  return formats;
}

std::string ending_of(Format format) {
  for (const auto& [name, known] : kFormats) {
    if (known == format) return fmt::format(".{}", name);
  }
  return "";
}

Renderer::Renderer(RendererOptions options) : options_(std::move(options)) {
  const auto& formats = options_.formats;
  if (std::any_of(formats.begin(), formats.end(), is_sound)) {
    synthesizer_ = std::make_unique<Synthesizer>(find_soundfont(options_.soundfont), options_.rate);
  }
  if (std::find(formats.begin(), formats.end(), Format::kPdf) == formats.end()) return;
  try {
    engraver_ = Engraver::find();
  } catch (const UsageError& missing) {
    no_engraver_ = missing.what();
  }
}

std::vector<fs::path> Renderer::files_of(const fs::path& stem) const {
  std::vector<fs::path> files;
  for (const Format format : options_.formats) files.push_back(with_ending(stem, format));
  return files;
}

void Renderer::write(const data::Score& score, const fs::path& stem, const NotationOptions& notation) const {
  std::optional<Audio> audio;
  std::string musicxml;
  for (const Format format : options_.formats) {
    const fs::path file = with_ending(stem, format);
    if (is_sound(format)) {
      if (!audio) audio = synthesizer_->play(score);
      write_audio(file, *audio);
      continue;
    }
    if (musicxml.empty()) musicxml = to_musicxml(notate(score, notation));
    if (format == Format::kMusicXml) {
      files::write_atomically(file, musicxml);
      continue;
    }
    const fs::path kept = with_ending(stem, Format::kMusicXml);
    if (!engraver_) {
      files::write_atomically(kept, musicxml);
      throw UsageError(fmt::format("{}; the score itself is in {}", no_engraver_, kept.string()));
    }
    std::string pdf;
    try {
      pdf = engraver_->engrave(musicxml);
    } catch (const Error& error) {
      files::write_atomically(kept, musicxml);
      throw Error(fmt::format("{}\nthe score itself is in {}", error.what(), kept.string()));
    }
    files::write_atomically(file, pdf);
  }
}

}  // namespace etude::render
