#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "data/tokenizer/vocabulary.h"
#include "framework/evaluate/tally.h"

namespace etude::evaluate {

/// What an evaluation found. All losses are natural logarithms.
struct Metrics {
  std::int64_t tokens = 0;
  std::int64_t notes = 0;
  std::int64_t non_finite = 0;
  double loss = 0;           ///< per token
  double loss_per_note = 0;  ///< all of a piece's tokens, per note in it: comparable between tokenizers
  double perplexity = 0;     ///< exp(loss)
  double top1 = 0;           ///< share of tokens that were held likeliest
  double top5 = 0;           ///< share of tokens among the five likeliest
};
Metrics metrics(const Tally& tally);

/// The metric of this name (one of kMetricNames), for early stopping.
double value_of(const Metrics& metrics, const std::string& name);
/// All of kMetricNames with their values.
std::map<std::string, double> by_name(const Metrics& metrics);
/// Whether more of it is better.
bool more_is_better(const std::string& name);
inline const std::vector<std::string> kMetricNames{"eval_loss", "eval_loss_per_note", "eval_perplexity", "eval_top1",
                                                   "eval_top5"};

/// The object in evaluation.json: metrics, the same by family, loss by position, both confusion matrices.
/// docs/formats.md describes it.
nlohmann::json to_json(const Tally& tally, const data::Vocabulary& vocabulary);

/// Puts a split's result into an evaluation.json, keeping those of the other splits.
void write_result(const std::filesystem::path& file, const std::string& split, const nlohmann::json& result);

/// A table for a person: all tokens, then one row per family.
std::string table(const Tally& tally, const data::Vocabulary& vocabulary);

/// Another: the loss of each stretch of positions within the piece.
std::string table_by_position(const Tally& tally);

/// The most frequent confusions in words, most frequent first: "Pitch: C5 taken for C4, 12 times (3.1 % of C5)".
std::vector<std::string> confusions_in_words(const Tally& tally, const data::Vocabulary& vocabulary, std::size_t most);

}  // namespace etude::evaluate
