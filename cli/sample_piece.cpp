#include "cli/sample_piece.h"

#include "data/music/score.h"
#include "framework/config/error.h"
#include "generation/generator.h"
#include "render/audio.h"
#include "render/soundfont.h"

namespace etude::cli {
namespace {

constexpr int kRate = 22'050;  // frames a second: event files grow by every piece

std::optional<log::Sound> play(const data::Score& score) {
  try {
    const render::Audio audio = render::Synthesizer(render::find_soundfont({}), kRate).play(score);
    return log::Sound{.wav = render::encode(audio, render::AudioFormat::kWav),
                      .rate = kRate,
                      .channels = 2,
                      .frames = std::ssize(audio.samples) / 2};
  } catch (const Error&) {
    return std::nullopt;  // no soundfont: the picture has to do
  }
}

}  // namespace

log::PlayedPiece sample_piece(models::Model& model, const data::Tokenizer& tokenizer, std::int64_t most_tokens) {
  generation::GenerationOptions options;
  options.most_tokens = most_tokens;
  const auto made = generation::generate(model, tokenizer, {tokenizer.vocabulary().id("BOS_None")}, options);
  const data::Score score = tokenizer.decode(made.front().tokens);
  log::PlayedPiece piece;
  for (const data::Track& track : score.tracks) {
    for (const data::Note& note : track.notes) {
      const double start = data::seconds_at(score, note.start);
      piece.notes.push_back({.start = start,
                             .seconds = data::seconds_at(score, note.start + note.duration) - start,
                             .pitch = note.pitch,
                             .velocity = note.velocity});
    }
  }
  piece.sound = play(score);
  return piece;
}

}  // namespace etude::cli
