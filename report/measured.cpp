#include "report/measured.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <tuple>

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::report {
namespace {

const std::array kMetrics{
    Metric{"loss_per_note",
           "loss per note: how surprised a model is, on average, by each note of music that it has not learned from",
           "nats per note", "notes", false},
    Metric{"loss_per_second",
           "loss per second: how surprised a model is by each second of music that it has not learned from",
           "nats per second", "seconds", false},
    Metric{
        "loss",
        "loss per token: how surprised a model is, on average, by each token (a part of a note, such as its pitch or "
        "its duration) of music that it has not learned from",
        "nats per token", "tokens", true},
};

/// A piece as evaluation.json tells of it.
struct Piece {
  std::string id, file;
  double nll = 0, below = 0, tokens = 0;
};

/// Damage alone gives figures beyond this, with which sums over pieces would be no numbers.
bool is_sensible(double figure) {
  constexpr double kLeast = 1e-9, kMost = 1e15;
  return figure == 0 || (std::abs(figure) >= kLeast && std::abs(figure) <= kMost);
}

/// Nothing where the list is not what it should be.
std::optional<std::vector<Piece>> pieces_of(const Json& result, const Metric& metric) {
  const auto listed = result.find("pieces");
  if (listed == result.end() || !listed->is_array() || listed->empty()) return std::nullopt;
  std::vector<Piece> pieces;
  for (const Json& one : *listed) {
    const auto nll = Run::number(one, {"nll"}), below = Run::number(one, {metric.below});
    if (!nll || !below || !is_sensible(*nll) || !is_sensible(*below) || Run::text(one, "id").empty())
      return std::nullopt;
    pieces.push_back(
        {Run::text(one, "id"), Run::text(one, "file"), *nll, *below, Run::number(one, {"tokens"}).value_or(0)});
  }
  // Two pieces may be the same music; then the file tells which is which.
  std::ranges::stable_sort(
      pieces, [](const Piece& a, const Piece& b) { return std::tie(a.id, a.file) < std::tie(b.id, b.file); });
  return pieces;
}

void take_pieces(const std::vector<Piece>& pieces, Measured& measured) {
  for (const Piece& piece : pieces) {
    measured.ids.push_back(piece.id);
    measured.pieces.above.push_back(piece.nll);
    measured.pieces.below.push_back(piece.below);
  }
}

/// The key of another way in which the run was measured on the split: "test/memory=1600".
std::string other_way(const Json& evaluation, const std::string& split) {
  if (!evaluation.is_object()) return "";
  const std::string plain = split.substr(0, split.find('/'));
  for (const auto& [key, result] : evaluation.items()) {
    if (key != split && (key == plain || key.starts_with(plain + "/"))) return key;
  }
  return "";
}

std::string why_not_measured(const Run& run, const std::string& split) {
  const std::string way_out =
      fmt::format("'etude evaluate {} --split {}' measures it", run.folder.string(), split.substr(0, split.find('/')));
  const std::string other = other_way(run.evaluation, split);
  if (!other.empty()) {
    return fmt::format("was measured in another way ('{}' instead of '{}'); {}", other, split, way_out);
  }
  return fmt::format("was not measured on the {} split; {}", split, way_out);
}

/// How many pieces two ordered lists have in common.
std::size_t in_common(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::vector<std::string> both;
  std::ranges::set_intersection(a, b, std::back_inserter(both));
  return both.size();
}

}  // namespace

const Metric& metric_of(const std::string& name) {
  const auto found = std::ranges::find(kMetrics, name, &Metric::name);
  if (found != kMetrics.end()) return *found;
  throw UsageError(
      fmt::format("--metric {}: runs are compared by loss_per_note, loss_per_second or loss, of which it is known how "
                  "they differ from piece to piece; all other figures stand in the report's table",
                  name));
}

Measured measure(const Run& run, const std::string& split, const Metric& metric) {
  Measured measured;
  if (!run.evaluation.is_object() || !run.evaluation.contains(split) || !run.evaluation[split].is_object()) {
    measured.why_not = why_not_measured(run, split);
    return measured;
  }
  const Json& result = run.evaluation[split];
  measured.result = &result;
  measured.value = Run::number(result, {metric.name.c_str()});
  measured.tokens = Run::number(result, {"tokens"}).value_or(0);
  measured.notes = Run::number(result, {"notes"}).value_or(0);
  measured.music = Run::text(result, "split_hash");
  measured.learned_from = Run::text(result, "train_hash");
  measured.tokenization = run.tokenizer.is_object() ? run.tokenizer.dump() : Run::text(result, "tokenizer");
  if (const double left_out = Run::number(result, {"non_finite"}).value_or(0); left_out > 0) {
    measured.why_not = fmt::format(
        "{:.0f} of the tokens had a likelihood that is no number; its loss leaves them out, so it is better than the "
        "run. An earlier checkpoint may be sound: 'etude evaluate {} --split {} --checkpoint best'",
        left_out, run.folder.string(), split.substr(0, split.find('/')));
    return measured;
  }
  if (const double learned = Run::number(result, {"learned"}).value_or(0); learned > 0 && !split.starts_with("train")) {
    measured.why_not =
        fmt::format("learned from {:.0f} of the pieces that it was measured on, which were another pack's", learned);
    return measured;
  }
  const auto pieces = pieces_of(result, metric);
  if (!pieces) {
    measured.why_not = fmt::format(
        "was measured without a figure for each piece, from which the uncertainty is worked out; 'etude evaluate {} "
        "--split {}' measures it anew",
        run.folder.string(), split.substr(0, split.find('/')));
    return measured;
  }
  take_pieces(*pieces, measured);
  const double sum = analysis::ratio_of_sums(measured.pieces);
  if (!std::isfinite(sum) || std::ranges::any_of(measured.pieces.below, [](double one) { return one < 0; })) {
    measured.why_not = fmt::format("has no {} that is a number", metric.name);
    return measured;
  }
  measured.value = sum;
  return measured;
}

std::optional<std::string> refusal(const Measured& a, const Measured& b, const Metric& metric) {
  if (a.ids != b.ids) {
    return fmt::format("measured on other music: of {} and {} pieces {} are the same", a.ids.size(), b.ids.size(),
                       in_common(a.ids, b.ids));
  }
  const bool same_tokens = a.tokenization == b.tokenization;
  if (same_tokens && a.tokens != b.tokens) {
    return fmt::format("measured on different parts of the split: {:.0f} and {:.0f} tokens", a.tokens, b.tokens);
  }
  if (!same_tokens && metric.by_token) {
    return std::string(
        "their tokens are not the same, so a loss per token means something else for each; --metric loss_per_note "
        "compares them");
  }
  if (!a.music.empty() && !b.music.empty() && a.music != b.music) {
    return std::string("measured on other music: the hashes of their splits differ");
  }
  return std::nullopt;
}

std::string usual_split(const std::vector<Run>& runs) {
  for (const char* split : {"test", "validation", "train"}) {
    if (std::ranges::any_of(
            runs, [&](const Run& run) { return run.evaluation.is_object() && run.evaluation.contains(split); })) {
      return split;
    }
  }
  return "test";
}

}  // namespace etude::report
