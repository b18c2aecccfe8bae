#include "analysis/copying.h"

#include <algorithm>
#include <span>
#include <tuple>

#include "data/tokenizer/vocabulary.h"

namespace etude::analysis {
namespace {

constexpr std::size_t kFigure = 4;  ///< notes that make a figure

/// A run before it is known where it comes from.
struct Run {
  std::int64_t first = 0;
  std::int64_t notes = 0;
  std::int64_t telling = 0;
};

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

/// The piece's line without doublings: of notes that are struck together and lie octaves apart the lowest.
std::vector<StreamNote> undoubled(const data::Score& score) {
  constexpr int kOctave = 12;
  std::vector<StreamNote> kept;
  std::uint32_t struck = 0;  // pitch classes of the chord, a bit each
  for (const StreamNote& note : note_stream(score)) {
    if (kept.empty() || kept.back().step != note.step) struck = 0;
    const std::uint32_t pitch_class = 1U << (note.pitch % kOctave);
    if ((struck & pitch_class) != 0) continue;
    struck |= pitch_class;
    kept.push_back(note);
  }
  return kept;
}

/// What SharedRun::telling is. A run's first step from onset to onset has none before it in the run, and counts as
/// even.
std::int64_t telling_notes(std::span<const StreamNote> run, std::span<const Follows> follows) {
  constexpr std::uint64_t kBits = 11, kKept = (std::uint64_t{1} << (kBits * (kFigure - 1))) - 1;
  std::vector<std::uint64_t> figures;
  std::uint64_t figure = 0;
  bool stepped = false;
  for (std::size_t i = 1; i < run.size(); ++i) {
    const bool first_step = !stepped && follows[i] != Follows::kTogether;
    stepped = stepped || first_step;
    const auto interval = static_cast<std::uint64_t>(run[i].pitch - run[i - 1].pitch + data::kPitches);
    const auto step = static_cast<std::uint64_t>(first_step ? Follows::kEvenly : follows[i]);
    figure = ((figure << kBits) | (interval << 3) | step) & kKept;
    if (i + 1 >= kFigure) figures.push_back(figure);
  }
  std::sort(figures.begin(), figures.end());
  const auto different = std::unique(figures.begin(), figures.end()) - figures.begin();
  return std::min<std::int64_t>(std::ssize(run), kFigure - 1 + different);
}

/// The runs that lie in no longer one, in order.
std::vector<Run> runs_of(const std::vector<StreamNote>& stream, const RunIndex& index) {
  const std::vector<std::int64_t> notes = index.longest_from(stream);
  const std::vector<Follows> follows = rhythm(stream);
  std::vector<Run> runs;
  std::int64_t end = 0;
  for (std::size_t first = 0; first < notes.size(); ++first) {
    const auto begin = static_cast<std::int64_t>(first);
    if (notes[first] == 0 || begin + notes[first] <= end) continue;
    end = begin + notes[first];
    const auto size = at(notes[first]);
    runs.push_back({begin, notes[first],
                    telling_notes(std::span(stream).subspan(first, size), std::span(follows).subspan(first, size))});
  }
  return runs;
}

std::map<std::int64_t, double> overlap(const std::vector<Run>& runs, std::int64_t notes) {
  std::map<std::int64_t, double> shares;
  for (const std::int64_t length : kOverlapLengths) {
    std::int64_t covered = 0, end = 0;
    for (const Run& run : runs) {
      if (run.telling < length) continue;
      covered += run.first + run.notes - std::max(end, run.first);
      end = run.first + run.notes;
    }
    shares[length] = notes == 0 ? 0 : static_cast<double>(covered) / static_cast<double>(notes);
  }
  return shares;
}

}  // namespace

struct CopyIndex::Place {
  std::int64_t note = 0;  ///< over all pieces
  int semitones = 0;
};

CopyIndex::CopyIndex(const NextScore& next, const std::function<void(std::int64_t pieces)>& added) {
  std::vector<Follows> follows;
  while (const auto piece = next()) {
    const std::vector<StreamNote> stream = undoubled(piece->score);
    names_.push_back(piece->name);
    begins_.push_back(notes());
    for (const StreamNote& note : stream) {
      pitches_.push_back(static_cast<std::uint8_t>(note.pitch));
      bars_.push_back(static_cast<std::int32_t>(note.bar));
    }
    const std::vector<Follows> more = rhythm(stream);
    follows.insert(follows.end(), more.begin(), more.end());
    if (added) added(pieces());
  }
  exact_ = std::make_unique<RunIndex>(Pitches::kExact, pitches_, follows, begins_);
  moved_ = std::make_unique<RunIndex>(Pitches::kMoved, pitches_, follows, begins_);
}

std::int64_t CopyIndex::piece_of(std::int64_t note) const {
  return std::upper_bound(begins_.begin(), begins_.end(), note) - begins_.begin() - 1;
}

CopyIndex::Place CopyIndex::place_of(const RunIndex& index, const std::vector<StreamNote>& stream,
                                     const SharedRun& run) const {
  std::optional<Place> best;
  index.find(stream, run.first, run.notes, [&](std::int64_t note) {
    const Place place{note, stream[at(run.first)].pitch - pitches_[at(note)]};
    const auto rank = [](const Place& one) { return std::pair(one.semitones != 0, one.note); };
    if (!best || rank(place) < rank(*best)) best = place;
  });
  return best.value();
}

Copying CopyIndex::compare(const data::Score& score) const {
  const std::vector<StreamNote> stream = undoubled(score);
  const auto longest = [&](const RunIndex& index, const std::vector<Run>& runs) -> std::optional<SharedRun> {
    const auto best = std::max_element(runs.begin(), runs.end(), [](const Run& a, const Run& b) {
      return std::tuple(a.telling, a.notes, b.first) < std::tuple(b.telling, b.notes, a.first);
    });
    if (best == runs.end()) return std::nullopt;
    SharedRun found;
    found.first = best->first;
    found.notes = best->notes;
    found.telling = best->telling;
    const auto begin = stream.begin() + found.first, end = begin + found.notes;
    const auto last = std::max_element(begin, end, [](const auto& a, const auto& b) { return a.end < b.end; });
    found.seconds = data::seconds_at(score, last->end) - data::seconds_at(score, begin->start);
    found.bar = begin->bar;
    found.last_bar = std::prev(end)->bar;
    const Place place = place_of(index, stream, found);
    found.semitones = place.semitones;
    found.source = names_[at(piece_of(place.note))];
    found.source_bar = bars_[at(place.note)];
    found.source_last_bar = bars_[at(place.note + found.notes - 1)];
    return found;
  };

  const std::vector<Run> moved = runs_of(stream, *moved_), exact = runs_of(stream, *exact_);
  Copying found;
  found.notes = std::ssize(stream);
  found.longest = longest(*moved_, moved);
  found.longest_exact = longest(*exact_, exact);
  found.overlap = overlap(moved, found.notes);
  found.overlap_exact = overlap(exact, found.notes);
  return found;
}

}  // namespace etude::analysis
