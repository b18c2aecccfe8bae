#include "report/pieces.h"

#include <algorithm>
#include <cmath>
#include <system_error>

#include <fmt/format.h>

#include "data/midi/midi.h"
#include "framework/config/error.h"

namespace etude::report {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostNotes = 4000, kMostBars = 2000;

double milliseconds(double seconds) { return std::round(seconds * 1000) / 1000; }

/// Files with what music.json says of the copying in each, or null.
std::vector<std::pair<fs::path, Json>> listed(const Run& run) {
  std::vector<std::pair<fs::path, Json>> files;
  if (!music_from_elsewhere(run).empty()) return files;
  if (run.music.is_object() && run.music.contains("pieces") && run.music["pieces"].is_array()) {
    for (const Json& piece : run.music["pieces"]) {
      // The name alone: a report reads nothing outside of the run folder.
      const fs::path name = fs::path(Run::text(piece, "file")).filename();
      if (name.empty()) continue;
      files.emplace_back(run.folder / "generated" / name, piece.contains("copying") ? piece["copying"] : Json(nullptr));
    }
    if (!files.empty()) return files;
  }
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(run.folder / "generated", absent)) {
    if (entry.path().extension() == ".mid") files.emplace_back(entry.path(), nullptr);
  }
  std::ranges::sort(files, {}, &std::pair<fs::path, Json>::first);
  return files;
}

Json notes_of(const data::Score& score) {
  struct Heard {
    double start, duration;
    int pitch, velocity;
  };
  std::vector<Heard> notes;
  for (const data::Track& track : score.tracks) {
    if (track.drums) continue;
    for (const data::Note& note : track.notes) {
      const double start = data::seconds_at(score, note.start);
      notes.push_back({start, data::seconds_at(score, note.start + note.duration) - start, note.pitch, note.velocity});
    }
  }
  std::ranges::stable_sort(notes, {}, &Heard::start);
  if (notes.size() > kMostNotes) notes.resize(kMostNotes);
  Json list = Json::array();
  for (const Heard& note : notes) {
    list.push_back({milliseconds(note.start), milliseconds(note.duration), note.pitch, note.velocity});
  }
  return list;
}

}  // namespace

std::vector<double> bars_of(const data::Score& score) {
  std::vector<double> bars;
  const std::int64_t end = data::end_of(score);
  std::size_t next = 0;
  data::TimeSignature now;
  for (std::int64_t tick = 0; tick < end && bars.size() < kMostBars;) {
    while (next < score.time_signatures.size() && score.time_signatures[next].time <= tick) {
      now = score.time_signatures[next++];
    }
    bars.push_back(milliseconds(data::seconds_at(score, tick)));
    const std::int64_t quarters4 = std::max(1, now.numerator) * 4;
    std::int64_t after =
        tick + std::max<std::int64_t>(1, quarters4 * score.ticks_per_quarter / std::max(1, now.denominator));
    // A change of time signature begins a bar, also where the one before is not full.
    if (next < score.time_signatures.size()) after = std::min(after, score.time_signatures[next].time);
    tick = after;
  }
  return bars;
}

std::string music_from_elsewhere(const Run& run) {
  const bool made = run.music.is_object() && run.music.contains("seed");
  return made ? "" : Run::text(run.music, "folder");
}

Json generated_pieces(Run& run, std::size_t most) {
  Json pieces = Json::array();
  for (const auto& [file, copying] : listed(run)) {
    if (pieces.size() >= most) break;
    try {
      const data::Score score = data::midi::read(file);
      const std::string name = score.title.empty() ? file.stem().string() : score.title;
      pieces.push_back({{"name", name},
                        {"file", (fs::path("generated") / file.filename()).string()},
                        {"seconds", milliseconds(data::seconds_at(score, data::end_of(score)))},
                        {"notes", notes_of(score)},
                        {"bars", bars_of(score)},
                        {"copy", copying}});
    } catch (const Error& error) {
      run.marks.push_back(fmt::format("a piece was left out: {}", error.what()));
    }
  }
  return pieces;
}

}  // namespace etude::report
