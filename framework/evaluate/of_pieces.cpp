#include "framework/evaluate/of_pieces.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/files/files.h"

namespace etude::evaluate {
namespace {

constexpr std::size_t kComposersShown = 12;

/// What several pieces come to together.
struct Sum {
  std::int64_t pieces = 0;
  std::int64_t tokens = 0;
  std::int64_t notes = 0;
  double nll = 0;      // nats
  double seconds = 0;  // of music

  void add(const Tally::OfPiece& piece, double piece_seconds) {
    ++pieces;
    tokens += piece.tokens;
    notes += piece.notes;
    nll += piece.nll;
    seconds += piece_seconds;
  }
};

nlohmann::json to_json(const Sum& sum) {
  nlohmann::json found{{"pieces", sum.pieces}, {"tokens", sum.tokens}, {"notes", sum.notes}, {"seconds", sum.seconds}};
  if (sum.tokens > 0) found["loss"] = sum.nll / static_cast<double>(sum.tokens);
  if (sum.notes > 0) found["loss_per_note"] = sum.nll / static_cast<double>(sum.notes);
  if (sum.seconds > 0) found["loss_per_second"] = sum.nll / sum.seconds;
  return found;
}

nlohmann::json to_json(const std::map<std::string, Sum>& sums) {
  nlohmann::json found = nlohmann::json::object();
  for (const auto& [name, sum] : sums) found[name] = to_json(sum);
  return found;
}

}  // namespace

std::string music_hash(const data::Pack& pack, data::Split split) {
  std::set<std::string> ids;
  for (const data::Piece& piece : pack.pieces(split)) ids.insert(piece.id);
  std::string all;
  for (const std::string& id : ids) all += id + "\n";
  return files::hash(all);
}

void add_pieces(nlohmann::json& result, const Tally& tally, const data::Pack& pack, data::Split split) {
  nlohmann::json pieces = nlohmann::json::array();
  Sum all;
  std::map<std::string, Sum> by_composer;
  std::map<std::string, std::map<std::string, Sum>> by_label;
  for (std::int64_t i = 0; i < tally.pieces(); ++i) {
    const Tally::OfPiece measured = tally.piece(i);
    if (measured.tokens == 0) continue;
    const data::Piece& piece = pack.pieces(split)[static_cast<std::size_t>(i)];
    // All tokens but the first are targets.
    const double part = static_cast<double>(measured.tokens) / static_cast<double>(piece.tokens - 1);
    const double seconds = piece.seconds * part;
    all.add(measured, seconds);
    by_composer[piece.composer].add(measured, seconds);
    for (const auto& [label, value] : piece.labels) by_label[label][value].add(measured, seconds);
    pieces.push_back({{"id", piece.id},
                      {"file", piece.file},
                      {"title", piece.title},
                      {"composer", piece.composer},
                      {"tokens", measured.tokens},
                      {"notes", measured.notes},
                      {"seconds", seconds},
                      {"whole", measured.tokens == piece.tokens - 1},
                      {"nll", measured.nll}});
  }
  result["seconds"] = all.seconds;
  if (all.seconds > 0) result["loss_per_second"] = all.nll / all.seconds;
  result["pack"] = pack.hash();
  result["tokenizer"] = pack.tokenizer().to_json();
  result["split_hash"] = music_hash(pack, split);
  result["train_hash"] = music_hash(pack, data::Split::kTrain);
  result["pieces"] = pieces;
  result["by_composer"] = to_json(by_composer);
  nlohmann::json labels = nlohmann::json::object();
  for (const auto& [label, values] : by_label) labels[label] = to_json(values);
  result["by_label"] = labels;
}

void set_learned_from(nlohmann::json& result, const data::Pack* own) {
  if (own == nullptr) {
    result.erase("train_hash");
    return;
  }
  result["train_hash"] = music_hash(*own, data::Split::kTrain);
  std::set<std::string> ids;
  for (const data::Piece& piece : own->pieces(data::Split::kTrain)) ids.insert(piece.id);
  result["learned"] = std::ranges::count_if(result.at("pieces"),
                                            [&](const nlohmann::json& piece) { return ids.contains(piece.at("id")); });
}

std::string table_by_composer(const nlohmann::json& result) {
  struct Row {
    std::string name;
    std::int64_t tokens = 0;
    std::string text;
  };
  std::vector<Row> rows;
  for (const auto& [name, group] : result.at("by_composer").items()) {
    const auto tokens = group.at("tokens").get<std::int64_t>();
    const std::string shown = name.empty() ? "(unknown)" : name;
    rows.push_back(
        {shown, tokens,
         fmt::format("  {:<14} {:>10} {:>8.4f} {:>8} {:>8.4f}\n", shown, tokens, group.at("loss").get<double>(),
                     group.at("pieces").get<std::int64_t>(), group.value("loss_per_note", 0.0))});
  }
  if (rows.size() < 2) return "";
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.tokens > b.tokens; });
  std::string text =
      fmt::format("  {:<14} {:>10} {:>8} {:>8} {:>8}\n", "composer", "tokens", "loss", "pieces", "per note");
  for (std::size_t i = 0; i < std::min(rows.size(), kComposersShown); ++i) text += rows[i].text;
  if (rows.size() > kComposersShown) text += fmt::format("  and {} more\n", rows.size() - kComposersShown);
  return text;
}

}  // namespace etude::evaluate
