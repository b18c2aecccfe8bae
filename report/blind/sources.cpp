#include "report/blind/sources.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "data/midi/midi.h"
#include "data/pack/reading.h"
#include "data/pack/sources.h"
#include "framework/config/error.h"
#include "framework/files/files.h"
#include "report/blind/random.h"

namespace etude::blind {
namespace {

namespace fs = std::filesystem;

/// The last part of a path that has one: "runs/demo/" is called demo.
std::string last_name(const fs::path& folder) {
  const fs::path whole = fs::absolute(folder).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

std::vector<std::size_t> drawn(std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random(seed).shuffle(std::span(order));
  return order;
}

/// A piece as a model would have written it; `seconds` is how long it lasts as played.
Candidate as_written(const std::string& file, std::span<const data::TokenId> tokens, const data::Tokenizer& tokenizer,
                     double seconds) {
  constexpr double kSlowest = 20, kFastest = 400, kUsual = 120;  // quarters a minute
  data::Score score = tokenizer.decode(tokens);
  const double quarters = static_cast<double>(data::end_of(score)) / score.ticks_per_quarter;
  score.tempos = {{0, seconds > 0 ? std::clamp(60 * quarters / seconds, kSlowest, kFastest) : kUsual}};
  return {file, std::move(score)};
}

}  // namespace

Source pieces_of_run(const fs::path& run) {
  Source source;
  source.model = {last_name(run), run.string(), false};
  const fs::path folder = run / "generated";
  std::vector<fs::path> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    if (entry.path().extension() == ".mid") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  for (const fs::path& file : found) {
    try {
      source.pieces.push_back({"generated/" + file.filename().string(), data::midi::read(file)});
    } catch (const Error& error) {
      source.remarks.push_back(fmt::format("passed over: {}", error.what()));
    }
  }
  if (source.pieces.empty()) {
    throw UsageError(fmt::format("{}: no piece that can be read; 'etude evaluate {} --generate 20' makes some",
                                 folder.string(), run.string()));
  }
  return source;
}

Source pieces_of_folder(const fs::path& folder, const data::Tokenizer& tokenizer, std::size_t most,
                        std::uint64_t seed) {
  Source source;
  source.model = {"music by people", folder.string(), true};
  const data::Sources found = data::find_sources({folder});
  for (const std::size_t i : drawn(found.files.size(), seed)) {
    if (source.pieces.size() >= most) break;
    const data::Reading reading = data::read_source(found.files[i], tokenizer, {});
    for (const data::Skipped& one : reading.skipped) {
      source.remarks.push_back(fmt::format("passed over: {}: {}", one.file, one.reason));
    }
    // Of a book of tunes one, so that no book outweighs other files.
    if (reading.drafts.empty()) continue;
    const data::Draft& draft = reading.drafts[drawn(reading.drafts.size(), seed + i).front()];
    source.pieces.push_back(as_written(draft.piece.file, draft.tokens, tokenizer, draft.piece.seconds));
  }
  if (source.pieces.empty()) throw UsageError(fmt::format("{}: no MIDI or ABC file that can be read", folder.string()));
  return source;
}

Source pieces_of_test_split(const data::Pack& pack, std::size_t most, std::uint64_t seed) {
  Source source;
  source.model = {"music by people", pack.folder().string(), true};
  const std::vector<data::Piece>& pieces = pack.pieces(data::Split::kTest);
  for (const std::size_t i : drawn(pieces.size(), seed)) {
    if (source.pieces.size() >= most) break;
    std::vector<data::TokenId> tokens(static_cast<std::size_t>(pieces[i].tokens));
    pack.read(data::Split::kTest, static_cast<std::int64_t>(i), 0, tokens);
    source.pieces.push_back(as_written(pieces[i].file, tokens, pack.tokenizer(), pieces[i].seconds));
  }
  if (source.pieces.empty()) {
    throw UsageError(
        fmt::format("{}: its test split is empty; give a folder of music with --human", pack.folder().string()));
  }
  return source;
}

std::unique_ptr<data::Tokenizer> tokenizer_of_run(const fs::path& run) {
  const fs::path file = run / "tokenizer.json";
  const auto description = nlohmann::json::parse(files::read(file), nullptr, /*allow_exceptions=*/false);
  if (description.is_discarded()) throw Error(fmt::format("{}: is no whole JSON (cut off?)", file.string()));
  return data::make_tokenizer(description, file.string());
}

}  // namespace etude::blind
