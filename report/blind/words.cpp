#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "report/blind/preferences.h"

namespace etude::blind {
namespace {

using nlohmann::json;

std::string percent(double share) { return fmt::format("{:.0f} %", 100 * share); }
std::string range(const Interval& interval) {
  return fmt::format("{:.0f} to {:.0f} %", 100 * interval.low, 100 * interval.high);
}
std::string count(std::size_t number, const char* noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}
std::size_t all_of(const PairRate& pair) { return pair.wins_a + pair.wins_b + pair.ties; }

/// Told of the one that was preferred more often.
std::string sentence_of(const PairRate& pair, const std::vector<std::string>& models) {
  const bool turned = pair.rate < 0.5;
  const std::string &ahead = models[turned ? pair.b : pair.a], &behind = models[turned ? pair.a : pair.b];
  const double rate = turned ? 1 - pair.rate : pair.rate;
  const Interval interval = turned ? Interval{1 - pair.shown.high, 1 - pair.shown.low} : pair.shown;
  const std::string figures = fmt::format(
      "{} of {}{}, 95 % interval {}", percent(rate), count(all_of(pair), "comparison"),
      pair.ties > 0 ? fmt::format(", {} without a preference counted half", pair.ties) : "", range(interval));
  switch (pair.verdict) {
    case Verdict::kTooFew:
      return fmt::format(
          "Of {} and {} nothing can be said: {}, and fewer than {} could all be of one opinion by chance.",
          models[pair.a], models[pair.b], count(all_of(pair), "answer"), kFewestAnswers);
    case Verdict::kWithinNoise:
      return fmt::format("Between {} and {} no preference can be told from chance ({} for {}).", models[pair.a],
                         models[pair.b], figures, ahead);
    case Verdict::kA:
    case Verdict::kB:
      break;
  }
  return fmt::format("{} was preferred over {}: {}.", ahead, behind, figures);
}

const char* word(Verdict verdict) {
  switch (verdict) {
    case Verdict::kA:
      return "a better";
    case Verdict::kB:
      return "b better";
    case Verdict::kWithinNoise:
      return "within noise";
    case Verdict::kTooFew:
      return "too few answers";
  }
  return "";
}

json json_of(const Interval& interval) { return {{"low", interval.low}, {"high", interval.high}}; }
json json_of(const std::optional<Interval>& interval) { return interval ? json_of(*interval) : json(); }

json json_of(const Opinion& opinion, const std::vector<std::string>& models) {
  json pairs = json::array(), ranking = json::array();
  for (const PairRate& pair : opinion.pairs) {
    pairs.push_back({{"a", models[pair.a]},
                     {"b", models[pair.b]},
                     {"wins_a", pair.wins_a},
                     {"wins_b", pair.wins_b},
                     {"ties", pair.ties},
                     {"rate", pair.rate},
                     {"low", pair.shown.low},
                     {"high", pair.shown.high},
                     {"independent", json_of(pair.independent)},
                     {"clustered", json_of(pair.clustered)},
                     {"why", pair.why},
                     {"verdict", word(pair.verdict)},
                     {"sentence", sentence_of(pair, models)}});
  }
  for (const Rank& rank : opinion.ranking) {
    ranking.push_back({{"model", models[rank.model]}, {"strength", rank.strength}, {"rate", rank.rate}});
    ranking.back()["low"] = rank.interval ? json(rank.interval->low) : json();
    ranking.back()["high"] = rank.interval ? json(rank.interval->high) : json();
  }
  return {{"question", opinion.question},
          {"answers", opinion.answers},
          {"pairs", pairs},
          {"ranking", ranking},
          {"smoothed", opinion.smoothed}};
}

std::string who(const Preferences& all) {
  std::string text = fmt::format("{} gave {} without knowing which model a piece was by.",
                                 count(all.listeners, "listener"), count(all.answers, "answer"));
  if (all.left_out > 0) {
    text += fmt::format(" {} more do{} not count, since the listener knew one of the pieces.",
                        count(all.left_out, "answer"), all.left_out == 1 ? "es" : "");
  }
  return text;
}

}  // namespace

std::vector<std::string> in_words(const Preferences& all) {
  std::vector<std::string> sentences;
  if (all.answers == 0) {
    return {all.left_out == 0 ? "Nobody has answered: nothing can be said of what listeners prefer."
                              : "No answer counts, since the listeners knew the pieces: nothing can be said."};
  }
  sentences.push_back(who(all));
  const Opinion& preferred = all.opinions.front();
  const bool told = std::any_of(preferred.pairs.begin(), preferred.pairs.end(),
                                [](const PairRate& pair) { return pair.verdict != Verdict::kTooFew; });
  if (!told) {
    sentences.push_back(
        fmt::format("That is too little to say anything: no two models were compared {} times.", kFewestAnswers));
    return sentences;
  }
  for (const PairRate& pair : preferred.pairs) sentences.push_back(sentence_of(pair, all.models));
  if (all.models.size() > 2 && preferred.ranking.size() == all.models.size()) {
    std::vector<std::string> order;
    for (const Rank& rank : preferred.ranking)
      order.push_back(fmt::format("{} ({})", all.models[rank.model], percent(rank.rate)));
    sentences.push_back(
        fmt::format("From the most to the least liked, with how often each would be preferred over one of the "
                    "others: {}.",
                    fmt::join(order, ", ")));
  }
  if (all.listeners < kFewestListeners) {
    sentences.push_back(fmt::format("This is the taste of {}; with fewer than {} nothing follows for others.",
                                    count(all.listeners, "listener"), kFewestListeners));
  }
  if (all.answers >= kFewestAnswers && (all.position.interval.low > 0.5 || all.position.interval.high < 0.5)) {
    sentences.push_back(fmt::format(
        "The piece heard {} was preferred in {} of all comparisons, whatever it was; as each two "
        "models are heard in both orders, this favours neither.",
        all.position.rate > 0.5 ? "first" : "second", percent(std::max(all.position.rate, 1 - all.position.rate))));
  }
  if (all.agreement.pairs >= kFewestAnswers && all.agreement.kappa) {
    sentences.push_back(
        fmt::format("Two listeners who compared the same two pieces agreed {} of the time ({:.2f} on a scale on "
                    "which chance is 0 and full agreement 1).",
                    percent(static_cast<double>(all.agreement.agreed) / static_cast<double>(all.agreement.pairs)),
                    *all.agreement.kappa));
  }
  return sentences;
}

json to_json(const Preferences& all) {
  json object = all.opinions.empty() ? json::object() : json_of(all.opinions.front(), all.models);
  json questions = json::array(), refused = json::array(), known = json::array(), models = json::array();
  for (std::size_t i = 1; i < all.opinions.size(); ++i) questions.push_back(json_of(all.opinions[i], all.models));
  for (const Refused& one : all.refused) refused.push_back({{"file", one.file}, {"reason", one.reason}});
  for (const KnownPiece& one : all.known) {
    known.push_back(
        {{"piece", one.id}, {"model", all.models[one.model]}, {"file", one.file}, {"listeners", one.listeners}});
  }
  for (std::size_t i = 0; i < all.models.size(); ++i)
    models.push_back({{"name", all.models[i]}, {"folder", all.folders[i]}});
  object.update({{"listeners", all.listeners},
                 {"answers", all.answers},
                 {"left_out", all.left_out},
                 {"models", models},
                 {"questions", questions},
                 {"position",
                  {{"first", all.position.first},
                   {"second", all.position.second},
                   {"neither", all.position.neither},
                   {"rate", all.position.rate},
                   {"low", all.position.interval.low},
                   {"high", all.position.interval.high}}},
                 {"agreement",
                  {{"pairs", all.agreement.pairs},
                   {"agreed", all.agreement.agreed},
                   {"kappa", all.agreement.kappa ? json(*all.agreement.kappa) : json()}}},
                 {"known", known},
                 {"refused", refused},
                 {"remarks", all.remarks},
                 {"sentences", all.sentences},
                 {"sentence", fmt::format("{}", fmt::join(all.sentences, " "))}});
  return object;
}

}  // namespace etude::blind
