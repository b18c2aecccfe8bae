#include "report/blind/listening.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/config/error.h"
#include "framework/files/files.h"
#include "report/blind/design.h"
#include "report/blind/excerpt.h"
#include "report/blind/page/page.h"
#include "report/blind/random.h"

namespace etude::blind {
namespace {

using nlohmann::json;

constexpr std::size_t kPiecesInAll = 40;  ///< where nobody asks: as recordings of 30 s below 40 MB
constexpr double kShortest = 8;           ///< seconds; less is no music to judge
constexpr const char* kPreferred = "Which do you prefer?";

struct Extent {
  std::size_t pieces = 0;  ///< of each model
  double seconds = 0;
};

/// How many pieces every model can give that last so long.
std::size_t available(const std::vector<std::vector<double>>& lengths, double seconds) {
  std::size_t fewest = std::numeric_limits<std::size_t>::max();
  for (const auto& each : lengths) {
    const auto enough = std::count_if(each.begin(), each.end(), [&](double length) { return length >= seconds; });
    fewest = std::min(fewest, static_cast<std::size_t>(enough));
  }
  return fewest;
}

/// As many pieces as are asked for, as long as they all can be.
Extent extent_of(const std::vector<Source>& sources, const std::vector<std::vector<double>>& lengths,
                 const ListeningOptions& options) {
  const double least = std::min(kShortest, options.seconds);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::size_t enough = available({lengths[i]}, least), wanted = std::max<std::size_t>(1, options.pieces);
    if (enough >= wanted) continue;
    throw UsageError(
        fmt::format("{}: {} of its {} pieces last {:g} s or longer, and {} {} needed; make longer or more ones with "
                    "'etude evaluate --generate', or lower {}",
                    sources[i].model.folder, enough, sources[i].pieces.size(), least, wanted,
                    wanted == 1 ? "is" : "are", options.pieces > enough ? "--pieces" : "--seconds"));
  }
  Extent extent;
  extent.pieces = options.pieces > 0
                      ? options.pieces
                      : std::min(std::max<std::size_t>(1, kPiecesInAll / sources.size()), available(lengths, least));
  extent.seconds = options.seconds;
  for (const auto& each : lengths) {
    std::vector<double> longest = each;
    std::sort(longest.rbegin(), longest.rend());
    extent.seconds = std::min(extent.seconds, longest[extent.pieces - 1]);
  }
  extent.seconds = std::floor(extent.seconds * 10) / 10;
  return extent;
}

json notes_of(const data::Score& score) {
  std::vector<std::array<double, 4>> notes;
  const auto rounded = [](double seconds) { return std::round(seconds * 1000) / 1000; };
  for (const data::Track& track : score.tracks) {
    if (track.drums) continue;
    for (const data::Note& note : track.notes) {
      std::int64_t end = note.start + note.duration;
      for (const data::Pedal& pedal : track.pedals) {
        if (pedal.start <= end && end < pedal.start + pedal.duration) end = pedal.start + pedal.duration;
      }
      const double start = data::seconds_at(score, note.start);
      notes.push_back({rounded(start), rounded(data::seconds_at(score, end) - start), static_cast<double>(note.pitch),
                       static_cast<double>(note.velocity)});
    }
  }
  std::sort(notes.begin(), notes.end());
  json all = json::array();
  for (const auto& [start, length, pitch, velocity] : notes) {
    all.push_back({start, length, static_cast<int>(pitch), static_cast<int>(velocity)});
  }
  return all;
}

class Maker {
 public:
  Maker(std::vector<Source> sources, const ListeningOptions& options, const Record& record)
      : sources_(std::move(sources)), options_(options), record_(record), random_(options.seed) {}

  Listening make() {
    Listening result;
    for (const Source& source : sources_) {
      result.remarks.insert(result.remarks.end(), source.remarks.begin(), source.remarks.end());
      result.key.models.push_back(source.model);
    }
    name_apart(result.key.models);
    const Extent extent = choose();
    if (extent.seconds < options_.seconds) {
      result.remarks.push_back(
          fmt::format("pieces are heard for {:g} s, as long as the shortest of those that are needed", extent.seconds));
    }
    const std::vector<std::size_t> counts(sources_.size(), extent.pieces);
    const auto rounds =
        balanced_design(counts, options_.rounds > 0 ? options_.rounds : default_rounds(counts), random_.bits());

    Key& key = result.key;
    key.made = options_.made;
    key.seed = options_.seed;
    key.seconds = extent.seconds;
    key.questions = {kPreferred};
    key.questions.insert(key.questions.end(), options_.questions.begin(), options_.questions.end());
    const json rounds_of_ids = name_pieces(rounds, key);
    const std::vector<Clip> clips = clips_of(key);
    json session{{"version", 1},
                 {"questions", key.questions},
                 {"seconds", extent.seconds},
                 {"hear", std::min(options_.hear, extent.seconds)},
                 {"rounds", rounds_of_ids}};
    std::string content = session.dump();
    for (const Clip& clip : clips) content += clip.id + clip.content;
    session["session"] = key.session = files::hash(content);
    result.page = listening_page(session.dump(), clips);
    return result;
  }

 private:
  /// Runs of one name are told apart by their folders.
  static void name_apart(std::vector<Model>& models) {
    for (Model& model : models) {
      const auto same = [&](const Model& other) { return other.name == model.name; };
      if (std::count_if(models.begin(), models.end(), same) < 2) continue;
      for (const std::string name = model.name; Model & other : models) {
        if (other.name == name) other.name = other.folder;
      }
    }
    std::set<std::string> names;
    for (const Model& model : models) {
      if (!names.insert(model.name).second) throw UsageError(fmt::format("{}: given twice", model.folder));
    }
  }

  Extent choose() {
    std::vector<std::vector<double>> lengths;
    for (const Source& source : sources_) {
      lengths.emplace_back();
      for (const Candidate& piece : source.pieces) lengths.back().push_back(sounding_seconds(piece.score));
    }
    const Extent extent = extent_of(sources_, lengths, options_);
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      std::vector<std::size_t> enough;
      for (std::size_t j = 0; j < lengths[i].size(); ++j) {
        if (lengths[i][j] >= extent.seconds) enough.push_back(j);
      }
      random_.shuffle(std::span(enough));
      enough.resize(extent.pieces);
      chosen_.push_back(std::move(enough));
    }
    return extent;
  }

  /// Draws an id for each piece that is heard.
  json name_pieces(const std::vector<Round>& rounds, Key& key) {
    std::vector<std::vector<std::string>> ids;
    for (const auto& each : chosen_) ids.emplace_back(each.size());
    const auto name = [&](const Entry& entry) {
      std::string& id = ids[entry.model][entry.piece];
      if (!id.empty()) return id;
      do {
        id = fmt::format("{:010x}", random_.bits() >> 24);
      } while (key.pieces.contains(id));
      const std::size_t piece = chosen_[entry.model][entry.piece];
      key.pieces[id] = {entry.model, sources_[entry.model].pieces[piece].file};
      scores_[id] = &sources_[entry.model].pieces[piece].score;
      return id;
    };
    json all = json::array();
    for (const Round& round : rounds) {
      json pairs = json::array();
      for (const Comparison& comparison : round) {
        key.comparisons.push_back({name(comparison.first), name(comparison.second)});
        pairs.push_back(key.comparisons.back());
      }
      all.push_back(std::move(pairs));
    }
    return all;
  }

  /// In the order of their ids, which is drawn.
  std::vector<Clip> clips_of(const Key& key) const {
    std::vector<Clip> clips;
    for (const auto& [id, piece] : key.pieces) {
      const data::Score cut = excerpt(*scores_.at(id), key.seconds);
      if (record_) {
        clips.push_back({id, "audio/flac", base64(record_(cut, key.seconds))});
      } else {
        clips.push_back({id, "application/json", notes_of(cut).dump()});
      }
    }
    return clips;
  }

  std::vector<Source> sources_;
  const ListeningOptions& options_;
  const Record& record_;
  Random random_;
  std::vector<std::vector<std::size_t>> chosen_;  ///< [model]: which of its candidates
  std::map<std::string, const data::Score*> scores_;
};

}  // namespace

Listening make_listening(std::vector<Source> sources, const ListeningOptions& options, const Record& record) {
  if (sources.size() < 2) {
    throw UsageError("a listening test compares two models or more; give several runs, or --with-human");
  }
  if (!(options.seconds >= 1)) throw UsageError("--seconds: pieces of less than a second cannot be judged");
  return Maker(std::move(sources), options, record).make();
}

}  // namespace etude::blind
