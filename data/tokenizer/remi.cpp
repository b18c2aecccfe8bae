#include "data/tokenizer/remi.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "data/tokenizer/remi_grammar.h"
#include "data/tokenizer/tokenizer_json.h"

namespace etude::data {
namespace {

constexpr int kVersion = 1;
constexpr Meter kCommonTime{4, 4};

/// Writes bars as time goes on.
class Encoder {
 public:
  Encoder(const RemiTokens& tokens, std::vector<TokenId>& out) : tokens_(tokens), out_(out) {}

  void begin_section(const MeterSection& section) {
    meter_ = tokens_.meter[section.meter];
    ticks_per_position_ = section.ticks_per_position;
    ticks_per_bar_ = std::int64_t{tokens_.grid.positions_per_bar(section.meter)} * ticks_per_position_;
    begin_bar(section.start);
  }

  /// Begins the bars whose bar line is at `time` or before.
  void bars_until(std::int64_t time) {
    while (time >= bar_start_ + ticks_per_bar_) begin_bar(bar_start_ + ticks_per_bar_);
  }

  void note(const QuantizedNote& note) {
    bars_until(note.start);
    if (note.start != last_start_) {
      const std::int64_t position = (note.start - bar_start_) / ticks_per_position_;
      out_.push_back(tokens_.position[static_cast<int>(position)]);
      last_start_ = note.start;
    }
    out_.push_back(tokens_.pitch[note.pitch - tokens_.settings.lowest_pitch]);
    out_.push_back(tokens_.velocity[note.velocity]);
    out_.push_back(tokens_.duration[note.duration]);
  }

 private:
  void begin_bar(std::int64_t start) {
    bar_start_ = start;
    out_.push_back(tokens_.bar);
    out_.push_back(meter_);
  }

  const RemiTokens& tokens_;
  std::vector<TokenId>& out_;
  TokenId meter_ = 0;
  std::int64_t ticks_per_position_ = 1;
  std::int64_t ticks_per_bar_ = 1;
  std::int64_t bar_start_ = 0;
  std::int64_t last_start_ = -1;
};

/// Follows tokens through time. Ticks are positions of the vocabulary's finest meter.
class Decoder {
 public:
  Decoder(const RemiTokens& tokens, std::span<const TokenId> sequence) : tokens_(tokens), sequence_(sequence) {
    score_.ticks_per_quarter = tokens.grid.positions_per_beat() * tokens.grid.finest_denominator() / 4;
    const Meter first = first_meter();
    set_meter(first);
    score_.time_signatures.push_back({0, first.numerator, first.denominator});
  }

  Score run() {
    for (std::size_t i = 0; i < sequence_.size(); ++i) {
      const TokenId token = sequence_[i];
      if (token == tokens_.bar) {
        bar_start_ = time_ = bar_begun_ ? bar_start_ + ticks_per_bar_ : time_;
        bar_begun_ = true;
      } else if (tokens_.position.holds(token)) {
        bar_begun_ = true;
        time_ = bar_start_ + std::int64_t{token - tokens_.position.first} * ticks_per_position_;
      } else if (tokens_.meter.holds(token)) {
        change_meter(tokens_.grid.meters()[static_cast<std::size_t>(token - tokens_.meter.first)]);
      } else if (i + 2 < sequence_.size()) {
        note(key_of(token), sequence_[i + 1], sequence_[i + 2]);
      }
    }
    // Only ill-formed sequences go back in time.
    const auto by_start = [](const Note& a, const Note& b) { return a.start < b.start; };
    const auto by_time = [](const TimeSignature& a, const TimeSignature& b) { return a.time < b.time; };
    std::stable_sort(notes_.begin(), notes_.end(), by_start);
    std::stable_sort(score_.time_signatures.begin(), score_.time_signatures.end(), by_time);
    if (!notes_.empty()) {
      Track track;
      track.name = "Acoustic Grand Piano";
      track.notes = std::move(notes_);
      score_.tracks.push_back(std::move(track));
    }
    return std::move(score_);
  }

 private:
  /// The meter before anything is heard.
  Meter first_meter() const {
    for (const TokenId token : sequence_) {
      if (tokens_.meter.holds(token))
        return tokens_.grid.meters()[static_cast<std::size_t>(token - tokens_.meter.first)];
      if (tokens_.pitch.holds(token) || tokens_.drum.holds(token) || tokens_.velocity.holds(token) ||
          tokens_.duration.holds(token))
        break;
    }
    return kCommonTime;
  }

  void set_meter(Meter meter) {
    meter_ = meter;
    ticks_per_position_ = tokens_.grid.finest_denominator() / meter.denominator;
    ticks_per_bar_ = std::int64_t{meter.numerator} * tokens_.grid.positions_per_beat() * ticks_per_position_;
  }

  void change_meter(Meter meter) {
    if (meter == meter_) return;
    set_meter(meter);
    score_.time_signatures.push_back({time_, meter.numerator, meter.denominator});
  }

  /// The MIDI key that a token strikes, -1 when it strikes none. A drum's key sounds as a pitch, as in MidiTok.
  int key_of(TokenId token) const {
    const bool drum = tokens_.drum.holds(token);
    const int key = drum                         ? kLowestDrum + (token - tokens_.drum.first)
                    : tokens_.pitch.holds(token) ? tokens_.pitch_of(token)
                                                 : -1;
    return key >= tokens_.settings.lowest_pitch && key <= tokens_.settings.highest_pitch ? key : -1;
  }

  void note(int key, TokenId velocity, TokenId duration) {
    if (key < 0 || !tokens_.velocity.holds(velocity) || !tokens_.duration.holds(duration)) return;
    const int loudness = tokens_.velocities.values()[static_cast<std::size_t>(velocity - tokens_.velocity.first)];
    const std::int64_t ticks =
        tokens_.grid.duration_ticks(duration - tokens_.duration.first, static_cast<int>(ticks_per_position_));
    notes_.push_back({time_, ticks, key, loudness});
  }

  const RemiTokens& tokens_;
  std::span<const TokenId> sequence_;
  Score score_;
  std::vector<Note> notes_;
  Meter meter_;
  std::int64_t ticks_per_position_ = 1;
  std::int64_t ticks_per_bar_ = 1;
  std::int64_t bar_start_ = 0;
  std::int64_t time_ = 0;
  bool bar_begun_ = false;
};

}  // namespace

Remi::Remi(const RemiSettings& settings) : tokens_(std::make_shared<const RemiTokens>(settings)) {}

std::vector<TokenId> Remi::encode(const Score& score) const {
  const QuantizedScore piece = quantize(score, tokens_->grid, tokens_->velocities, tokens_->settings.lowest_pitch,
                                        tokens_->settings.highest_pitch);
  std::vector<TokenId> out;
  out.reserve(piece.notes.size() * 4 + 64);
  out.push_back(tokens_->bos);
  Encoder encoder(*tokens_, out);
  auto note = piece.notes.begin();
  for (auto section = piece.sections.begin(); section != piece.sections.end(); ++section) {
    encoder.begin_section(*section);
    const bool last = std::next(section) == piece.sections.end();
    for (; note != piece.notes.end() && (last || note->start < std::next(section)->start); ++note) encoder.note(*note);
    // The section's last bar ends where the next section begins its first.
    if (!last) encoder.bars_until(std::next(section)->start - 1);
  }
  out.push_back(tokens_->eos);
  return out;
}

Score Remi::decode(std::span<const TokenId> tokens) const { return Decoder(*tokens_, tokens).run(); }

std::unique_ptr<Grammar> Remi::grammar() const { return std::make_unique<RemiGrammar>(tokens_); }

std::vector<TokenId> Remi::first_bars(std::span<const TokenId> tokens, int bars) const {
  int begun = 0;
  const auto end = std::find_if(tokens.begin(), tokens.end(), [&](TokenId token) {
    return token == tokens_->eos || (token == tokens_->bar && ++begun > bars);
  });
  return {tokens.begin(), end};
}

nlohmann::json Remi::to_json() const {
  const RemiSettings& settings = tokens_->settings;
  nlohmann::json beat_res = nlohmann::json::array(), time_signatures = nlohmann::json::array();
  for (const BeatResolution& part : settings.beat_resolutions) beat_res.push_back({part.from, part.to, part.steps});
  for (const Meter& meter : settings.time_signatures) time_signatures.push_back({meter.numerator, meter.denominator});
  return {{"kind", name()},
          {"version", kVersion},
          {"pitch_range", {settings.lowest_pitch, settings.highest_pitch}},
          {"beat_res", beat_res},
          {"num_velocities", settings.velocities},
          {"time_signatures", time_signatures}};
}

std::unique_ptr<Remi> Remi::from_json(const nlohmann::json& description) {
  JsonFields fields(description);
  fields.expect_version(kVersion);
  RemiSettings settings;
  const auto [lowest, highest] = fields.integers<2>("pitch_range");
  settings.lowest_pitch = lowest;
  settings.highest_pitch = highest;
  settings.velocities = fields.integer("num_velocities");
  settings.beat_resolutions.clear();
  for (const auto& [from, to, steps] : fields.lists_of_integers<3>("beat_res"))
    settings.beat_resolutions.push_back({from, to, steps});
  settings.time_signatures.clear();
  for (const auto& [numerator, denominator] : fields.lists_of_integers<2>("time_signatures"))
    settings.time_signatures.push_back({numerator, denominator});
  fields.expect_no_more();
  return std::make_unique<Remi>(settings);
}

}  // namespace etude::data
