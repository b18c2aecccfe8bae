#include "report/summary.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/log/format.h"
#include "report/pieces.h"

namespace etude::report {
namespace {

std::string plural(std::size_t count, const std::string& one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

std::string interval_text(const analysis::Interval& interval) {
  return fmt::format("{:.3f} to {:.3f}", interval.low, interval.high);
}

std::string seeds_text(const Comparison& comparison) {
  if (comparison.seeds_a == comparison.seeds_b) {
    return comparison.seeds_a == 1 ? std::string("one seed each") : fmt::format("{} seeds each", comparison.seeds_a);
  }
  return fmt::format("{} and {} seeds", comparison.seeds_a, comparison.seeds_b);
}

std::string names_of(const std::vector<std::string>& names, std::size_t most) {
  if (names.size() <= most) return fmt::format("{}", fmt::join(names, ", "));
  return fmt::format("{} and {} more",
                     fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(most), ", "),
                     names.size() - most);
}

constexpr std::size_t kNamesShown = 5;

class Summary {
 public:
  explicit Summary(const Facts& facts) : facts_(facts) {}

  std::vector<std::string> write() {
    introduce();
    if (!facts_.compared.tables.empty()) {
      compare();
      tell_costs();
      tell_floor();
    }
    tell_refused();
    warn();
    return std::move(sentences_);
  }

 private:
  const Group& group(std::size_t i) const { return facts_.grouping.groups[i]; }
  void add(const std::string& sentence) { sentences_.push_back(sentence); }

  void introduce() {
    const std::size_t runs = facts_.runs.size(), groups = facts_.grouping.groups.size();
    const std::string what = fmt::format("{} of {}", plural(runs, "run"),
                                         groups == 1 ? "one configuration" : fmt::format("{} configurations", groups));
    if (facts_.compared.tables.empty()) {
      add(fmt::format("{}, none of which can be compared on the {} split; the reasons stand beside them.", what,
                      facts_.split));
      return;
    }
    const Measured& first = facts_.measured[group(facts_.compared.tables.front().front()).measured.front()];
    add(fmt::format("{}, by their {}. Lower is better. Measured on {} of the {} split ({} notes).", what,
                    facts_.metric.words, plural(first.ids.size(), "piece"), facts_.split,
                    log::with_thousands(static_cast<std::int64_t>(first.notes))));
    if (facts_.split.starts_with("validation")) {
      add("The validation split also decided which checkpoint each run kept, so these losses are a little too good; "
          "'etude evaluate RUN --split test' measures on pieces that decided nothing.");
    }
    if (facts_.split.starts_with("train")) {
      add("These are the pieces that the runs learned from: this says how well they remember, not what they can do.");
    }
  }

  void compare() {
    const std::vector<std::size_t>& order = facts_.compared.tables.front();
    tell_best(order.front());
    std::size_t told = 0, left = 0, unclear = 0, differ = 0, pairs = 0;
    constexpr std::size_t kTold = 5;
    const std::set<std::size_t> table(order.begin(), order.end());
    for (const Comparison& comparison : facts_.compared.comparisons) {
      if (!table.contains(comparison.a)) continue;
      ++pairs;
      differ += comparison.verdict == Verdict::kABetter || comparison.verdict == Verdict::kBBetter;
      if (comparison.a != order.front()) continue;
      if (told < kTold) {
        add(sentence_of(comparison, facts_));
        ++told;
      } else {
        ++left;
        unclear += comparison.verdict == Verdict::kWithinNoise;
      }
    }
    if (left > 0) {
      const std::string many = unclear == left ? "all lie" : unclear == 1 ? "1 lies" : fmt::format("{} lie", unclear);
      add(fmt::format("Of {} more, {} within noise of the best.", plural(left, "configuration"),
                      unclear == 0 ? "none lies" : many));
    }
    constexpr std::size_t kManyPairs = 10;
    if (pairs >= kManyPairs && differ > 0) {
      add(fmt::format(
          "{} pairs were compared; were all of them equally good, about {:.0f} would be called different by "
          "chance all the same.",
          pairs, std::max(1.0, 0.05 * static_cast<double>(pairs))));
    }
  }

  void tell_best(std::size_t best) {
    const GroupFigures& figures = facts_.compared.groups[best];
    const std::size_t seeds = group(best).measured.size();
    const std::string between = figures.deviation ? fmt::format("; {} differ by {:.3f} (standard deviation)",
                                                                plural(seeds, "seed"), *figures.deviation)
                                                  : std::string();
    const std::string interval =
        figures.interval ? fmt::format(" (95 % interval {}{})", interval_text(*figures.interval), between) : "";
    if (facts_.compared.tables.front().size() == 1) {
      add(fmt::format("{}: {:.3f} {}{}.", group(best).name, *figures.mean, facts_.metric.unit, interval));
      if (seeds > 1) {
        add(
            fmt::format("Its {} differ by the seed alone, so none of them is the better one: what lies between them is "
                        "chance.",
                        plural(seeds, "run")));
      }
      return;
    }
    add(fmt::format("Lowest: {} with {:.3f} {}{}.", group(best).name, *figures.mean, facts_.metric.unit, interval));
  }

  void tell_costs() {
    std::vector<std::string> parts;
    for (const std::size_t one : facts_.compared.tables.front()) {
      if (parts.size() == kNamesShown) break;
      const Effort effort = effort_of(group(one), facts_.runs, facts_.costs);
      if (effort.seconds <= 0) continue;
      const std::string cost = in_words(effort.cost);
      parts.push_back(fmt::format("{} {}{}", group(one).name, log::duration(effort.seconds),
                                  cost.empty() ? "" : fmt::format(" and {}", cost)));
    }
    if (!parts.empty()) add(fmt::format("Training one run took, on average: {}.", fmt::join(parts, "; ")));
  }

  void tell_floor() {
    const std::size_t best = facts_.compared.tables.front().front();
    const std::size_t first = group(best).measured.front();
    const Standing& stands = facts_.standings[first];
    if (!stands.sentences.empty()) add(fmt::format("{}: {}", facts_.runs[first].name, stands.sentences.front()));
    std::vector<std::string> worse;
    for (std::size_t run = 0; run < facts_.runs.size(); ++run) {
      const auto& [loss, floor] = std::pair(facts_.standings[run].loss, facts_.standings[run].surroundings.floor);
      if (loss && floor && *loss >= *floor) worse.push_back(facts_.runs[run].name);
    }
    if (!worse.empty()) {
      add(fmt::format("No better than counting which tokens follow each other (the n-gram floor): {}.",
                      names_of(worse, kNamesShown)));
    }
  }

  void tell_refused() {
    std::vector<std::string> reasons;
    for (const Refused& refused : facts_.compared.refused) {
      const std::string reason =
          fmt::format("{} is not compared with {}: {}.", group(refused.b).name, group(refused.a).name, refused.reason);
      if (reasons.size() < kNamesShown) reasons.push_back(reason);
    }
    for (const std::string& reason : reasons) add(reason);
    if (facts_.compared.refused.size() > kNamesShown) {
      add(fmt::format("The same goes for {} more.",
                      plural(facts_.compared.refused.size() - kNamesShown, "configuration")));
    }
    std::vector<std::string> elsewhere;
    for (std::size_t run = 0; run < facts_.runs.size() && !facts_.compared.tables.empty(); ++run) {
      const std::string& music = facts_.measured[run].learned_from;
      const std::string& of_best =
          facts_.measured[group(facts_.compared.tables.front().front()).measured.front()].learned_from;
      if (!music.empty() && !of_best.empty() && music != of_best) elsewhere.push_back(facts_.runs[run].name);
    }
    if (!elsewhere.empty()) {
      add(fmt::format("Warning: learned from other music than {}: {}. What they differ by may come from that.",
                      group(facts_.compared.tables.front().front()).name, names_of(elsewhere, kNamesShown)));
    }
    std::vector<std::string> unmeasured;
    for (std::size_t run = 0; run < facts_.runs.size(); ++run) {
      if (!facts_.measured[run].why_not.empty()) unmeasured.push_back(facts_.runs[run].name);
    }
    if (!unmeasured.empty()) {
      add(fmt::format("Left out of the comparison, with reasons beside {}: {}.", unmeasured.size() == 1 ? "it" : "them",
                      names_of(unmeasured, kNamesShown)));
    }
  }

  void warn() {
    std::vector<std::string> unfinished, copying;
    constexpr std::size_t kWarned = 3;
    std::size_t warned = 0;
    for (std::size_t run = 0; run < facts_.runs.size(); ++run) {
      const Run& one = facts_.runs[run];
      if (!one.finished) unfinished.push_back(one.name);
      if (Run::number(one.music, {"copying", "generated", "copied"}).value_or(0) > 0) {
        const std::string elsewhere = music_from_elsewhere(one);
        copying.push_back(elsewhere.empty() ? one.name : fmt::format("{} (pieces in {})", one.name, elsewhere));
      }
      if (facts_.standings[run].warning.empty()) continue;
      if (++warned <= kWarned) add(fmt::format("Warning: {}: {}", one.name, facts_.standings[run].warning));
    }
    if (warned > kWarned) add(fmt::format("{} more have a warning of that kind beside them.", warned - kWarned));
    if (!unfinished.empty()) {
      add(fmt::format("Warning: not finished: {}. What is measured of {} says nothing about how good {} can get.",
                      names_of(unfinished, kNamesShown), unfinished.size() == 1 ? "it" : "them",
                      unfinished.size() == 1 ? "it" : "they"));
    }
    if (!copying.empty()) {
      add(
          fmt::format("Warning: pieces of {} copy longer stretches of the music learned from than pieces that were "
                      "kept apart do.",
                      names_of(copying, kNamesShown)));
    }
  }

  const Facts& facts_;
  std::vector<std::string> sentences_;
};

std::string seeds_remark(const Comparison& comparison) {
  switch (comparison.seeds_known) {
    case SeedsKnown::kFromBoth:
      return "";
    case SeedsKnown::kFromOthers:
      return " How far the seed alone moves the loss was taken from the configurations here that have several seeds.";
    case SeedsKnown::kNot:
      break;
  }
  return comparison.verdict == Verdict::kWithinNoise
             ? ""
             : " This holds for these runs: each was trained once, so how far another seed would move them is unknown; "
               "three seeds of each would tell.";
}

}  // namespace

std::string sentence_of(const Comparison& comparison, const Facts& facts) {
  const bool turn = comparison.difference > 0;
  const std::size_t better = turn ? comparison.b : comparison.a, worse = turn ? comparison.a : comparison.b;
  const std::string& first = facts.grouping.groups[better].name;
  const std::string& second = facts.grouping.groups[worse].name;
  const std::string figures = fmt::format("{:.3f} against {:.3f} {}", *facts.compared.groups[better].mean,
                                          *facts.compared.groups[worse].mean, facts.metric.unit);
  if (!comparison.interval) {
    return fmt::format("{} and {}: {}; {} {} too few to say how sure that is.", first, second, figures,
                       plural(comparison.pieces, "piece"), comparison.pieces == 1 ? "is" : "are");
  }
  const double size = std::abs(comparison.difference);
  const analysis::Interval lead =
      turn ? *comparison.interval : analysis::Interval{-comparison.interval->high, -comparison.interval->low};
  const std::string base = fmt::format("{} pieces, {}", comparison.pieces, seeds_text(comparison));
  if (comparison.verdict == Verdict::kWithinNoise) {
    return fmt::format(
        "Between {} and {} the difference is within noise: {}, {:.3f} apart, and the 95 % interval of that, {}, holds "
        "0 "
        "({}).{}",
        first, second, figures, size, interval_text(lead), base, seeds_remark(comparison));
  }
  const std::string likelier = facts.metric.name == "loss_per_note"
                                   ? fmt::format(", so each note is {:.2f} times as likely to it", std::exp(size))
                                   : std::string();
  return fmt::format("{} is better than {}: {}, {:.3f} lower (95 % interval {}; {}){}.{}", first, second, figures, size,
                     interval_text(lead), base, likelier, seeds_remark(comparison));
}

std::vector<std::string> summary_of(const Facts& facts) { return Summary(facts).write(); }

}  // namespace etude::report
