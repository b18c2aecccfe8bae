#include "analysis/floor.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/ngram.h"
#include "framework/config/error.h"
#include "framework/files/files.h"

namespace etude::analysis {
namespace {

using nlohmann::json;

/// Calls `visit` with the tokens of one piece after the other until their sum reaches `most`. False when stopped.
template <typename Visit>
bool walk(const data::Pack& pack, data::Split split, std::int64_t most, const std::function<bool()>& stop,
          Visit visit) {
  const std::vector<data::Piece>& pieces = pack.pieces(split);
  if (pieces.empty()) {
    throw UsageError(
        fmt::format("{}: its {} split holds no piece, so there is no floor to measure; pack more music, or "
                    "give 'etude pack' other --validation and --test shares",
                    pack.folder().string(), data::to_string(split)));
  }
  std::vector<std::int64_t> order(pieces.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    const auto key = [&](std::int64_t i) {
      const data::Piece& piece = pieces[static_cast<std::size_t>(i)];
      return std::tuple(piece.transposed != 0, std::cref(piece.id).get());
    };
    return key(a) < key(b);
  });
  std::vector<data::TokenId> tokens;
  for (const std::int64_t index : order) {
    if (stop && stop()) return false;
    if (most <= 0) return true;
    tokens.resize(static_cast<std::size_t>(std::min(most, pieces[static_cast<std::size_t>(index)].tokens)));
    pack.read(split, index, 0, tokens);
    most -= std::ssize(tokens);
    visit(tokens);
  }
  return true;
}

}  // namespace

std::optional<Floor> make_floor(const data::Pack& pack, data::Split split, const FloorLimits& limits,
                                const std::function<bool()>& stop) {
  const data::Vocabulary& vocabulary = pack.vocabulary();
  Floor floor;
  floor.pack = pack.hash();
  floor.split = split;
  NgramModel model(vocabulary.size());
  const auto learn = [&](const std::vector<data::TokenId>& piece) {
    model.learn(piece);
    floor.learned_tokens += std::ssize(piece);
  };
  if (!walk(pack, data::Split::kTrain, limits.learned_tokens, stop, learn)) return std::nullopt;
  model.weigh();

  NgramModel::ByOrder sums{};
  const auto measure = [&](const std::vector<data::TokenId>& piece) {
    if (piece.empty()) return;
    const NgramModel::ByOrder loss = model.loss(piece);
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += loss[i];
    floor.tokens += std::ssize(piece) - 1;
    floor.notes += std::count_if(piece.begin() + 1, piece.end(),
                                 [&](data::TokenId token) { return vocabulary.pitch(token) >= 0; });
  };
  if (!walk(pack, split, limits.tokens, stop, measure)) return std::nullopt;

  const auto mean = [](double sum, std::int64_t count) { return count == 0 ? 0.0 : sum / static_cast<double>(count); };
  for (std::size_t i = 0; i < sums.size(); ++i) {
    floor.orders.push_back({static_cast<int>(i) + 1, mean(sums[i], floor.tokens), mean(sums[i], floor.notes)});
  }
  const auto best = std::min_element(floor.orders.begin(), floor.orders.end(),
                                     [](const Floor::Order& a, const Floor::Order& b) { return a.loss < b.loss; });
  floor.order = best->order;
  floor.loss = best->loss;
  floor.loss_per_note = best->loss_per_note;
  return floor;
}

json to_json(const Floor& floor) {
  json orders = json::array();
  for (const Floor::Order& one : floor.orders) {
    orders.push_back({{"order", one.order}, {"loss", one.loss}, {"loss_per_note", one.loss_per_note}});
  }
  return {{"pack", floor.pack},
          {"split", data::to_string(floor.split)},
          {"orders", orders},
          {"order", floor.order},
          {"loss", floor.loss},
          {"loss_per_note", floor.loss_per_note},
          {"tokens", floor.tokens},
          {"notes", floor.notes},
          {"learned_tokens", floor.learned_tokens}};
}

Floor read_floor(const std::filesystem::path& file) {
  const std::string text = files::read(file);
  try {
    const json whole = json::parse(text);
    Floor floor;
    floor.pack = whole.at("pack").get<std::string>();
    floor.split = data::parse_split(whole.at("split").get<std::string>());
    for (const json& one : whole.at("orders")) {
      floor.orders.push_back(
          {one.at("order").get<int>(), one.at("loss").get<double>(), one.at("loss_per_note").get<double>()});
    }
    floor.order = whole.at("order").get<int>();
    floor.loss = whole.at("loss").get<double>();
    floor.loss_per_note = whole.at("loss_per_note").get<double>();
    floor.tokens = whole.at("tokens").get<std::int64_t>();
    floor.notes = whole.at("notes").get<std::int64_t>();
    floor.learned_tokens = whole.at("learned_tokens").get<std::int64_t>();
    return floor;
  } catch (const std::exception& problem) {
    throw Error(fmt::format("{}: is no n-gram floor ({}); remove it, and 'etude train … --resume' makes it anew",
                            file.string(), problem.what()));
  }
}

std::string in_words(const Floor& floor) {
  return fmt::format(
      "an n-gram model of order {} reaches {:.4f} nats per token on {}: a model that does not get below has learned "
      "only "
      "local habits",
      floor.order, floor.loss, data::to_string(floor.split));
}

}  // namespace etude::analysis
