#include "sweep/samplers/population.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "framework/config/error.h"
#include "sweep/samplers/observations.h"
#include "sweep/samplers/random.h"
#include "sweep/samplers/unit_cube.h"

namespace etude::sweep {
namespace {

struct Options {
  std::int64_t population = 10;
  std::int64_t interval = 1000;
  double truncation = 0.2;
  double shrink = 0.8;
  double grow = 1.2;
  double resample = 0.25;
  std::vector<std::string> perturb;
};

/// The trials of one member.
struct Member {
  std::vector<const Trial*> results;  ///< by generation; nullptr where there is none
  bool running = false;
  std::size_t failures = 0;  ///< attempts at the next generation that came to nothing

  std::size_t next() const { return results.size(); }
  bool is_done(std::size_t generations) const { return next() >= generations; }
  /// Its result of that generation, or its latest where it has not come so far.
  const Trial* result_at(std::size_t generation) const {
    return results.empty() ? nullptr : results[std::min(generation, results.size() - 1)];
  }
};

std::optional<std::size_t> number_of(const Trial& trial, const char* key) {
  const auto found = trial.system_attributes.find(key);
  if (found == trial.system_attributes.end() || !found->second.is_number_unsigned()) return std::nullopt;
  return found->second.get<std::size_t>();
}

/// The population as the history has it without the trial that is asked for, at least `count` members.
std::vector<Member> members_of(const History& history, std::int64_t asked_for, std::size_t count) {
  struct Entry {
    std::size_t generation, member;
    const Trial* trial;
  };
  std::vector<Entry> entries;
  for (const Trial& trial : history.trials) {
    const auto generation = number_of(trial, kGeneration), member = number_of(trial, kMember);
    const bool counts = generation && member && trial.number != asked_for;
    // Members are made one after the other, so that there are never more than trials.
    if (counts && *member < history.trials.size() + count) entries.push_back({*generation, *member, &trial});
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.generation < b.generation; });
  std::vector<Member> members(count);
  for (const Entry& entry : entries) {
    if (entry.member >= members.size()) members.resize(entry.member + 1);
    Member& member = members[entry.member];
    if (!is_over(entry.trial->state)) {
      member.running = true;
    } else if (entry.generation == member.next()) {
      if (entry.trial->state == TrialState::kComplete) {
        member.results.push_back(entry.trial);
        member.failures = 0;
      } else {
        ++member.failures;
      }
    }
  }
  return members;
}

/// Of those that have none running and are not at their end the member that is farthest behind.
std::optional<std::size_t> idle_member(const std::vector<Member>& members, std::size_t generations) {
  std::optional<std::size_t> chosen;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].running || members[i].is_done(generations)) continue;
    if (!chosen || members[i].next() < members[*chosen].next()) chosen = i;
  }
  return chosen;
}

class PopulationSampler final : public Sampler {
 public:
  void describe(config::Section& section) override {
    section.integer("population", options_.population, {2, 100'000}, "How many members train side by side.");
    section.integer("interval", options_.interval, {1, 1'000'000'000'000},
                    "Steps of one generation, after which a member is compared with the others.");
    section.number("truncation", options_.truncation, {0.0, 0.5},
                   "The share of worst members that go on from one of the same share of best ones.");
    section.number("shrink", options_.shrink, {1e-3, 1.0},
                   "The factor that makes a number smaller when it is perturbed.");
    section.number("grow", options_.grow, {1.0, 1e3}, "The factor that makes it larger.");
    section.number("resample", options_.resample, {0.0, 1.0}, "How often a parameter is drawn anew instead.");
    section.list(
        "perturb", options_.perturb,
        "The parameters that may change from one generation to the next; empty for all but those of the model, "
        "which its checkpoint would not fit.");
  }

  void check(const SearchSpace& space, const std::vector<Direction>& directions) const override {
    if (directions.size() > 1) throw UsageError("sampler pbt trains for one objective; take nsga2 for several");
    for (const std::string& name : options_.perturb) {
      if (space.find(name) == nullptr) {
        throw UsageError(fmt::format("sampler pbt: perturb names '{}', which is none of the parameters", name));
      }
    }
  }

  void set_steps(std::int64_t steps) override {
    generations_ = static_cast<std::size_t>((steps + options_.interval - 1) / options_.interval);
  }

  /// No member can be trained further now. None is added any more once one is at its end.
  std::string exhausted(const SearchSpace&, const History& history) const override {
    const std::vector<Member> members = members_of(history, -1, population());
    const bool any_done =
        std::any_of(members.begin(), members.end(), [&](const Member& one) { return one.is_done(generations_); });
    return any_done && !idle_member(members, generations_) ? "every member has trained to its end" : "";
  }

  Suggestion suggest(const Question& question) override {
    std::vector<Member> members = members_of(question.history, question.number, population());
    const std::size_t chosen = idle_member(members, generations_).value_or(members.size());
    if (chosen == members.size()) members.emplace_back();
    const Member& member = members[chosen];
    Suggestion suggestion;
    suggestion.notes[kGeneration] = member.next();
    suggestion.notes[kMember] = chosen;
    suggestion.notes[kUntil] = static_cast<std::int64_t>(member.next() + 1) * options_.interval;
    if (member.results.empty()) {
      suggestion.values = random_values(question);
      return suggestion;
    }
    Random random = question.random();
    const Trial& own = *member.results.back();
    const Trial& source = exploited(members, member, question.history.directions.front(), random);
    suggestion.parent = source.number;
    suggestion.values = &source == &own ? continued(question, source) : explored(question, source, random);
    return suggestion;
  }

 private:
  /// Whose checkpoint the member goes on from: truncation selection (section 4.1.1 there).
  const Trial& exploited(const std::vector<Member>& members, const Member& member, Direction direction,
                         Random& random) const {
    const Trial& own = *member.results.back();
    std::vector<const Trial*> field;
    for (const Member& other : members) {
      if (const Trial* result = other.result_at(member.next() - 1)) field.push_back(result);
    }
    std::stable_sort(field.begin(), field.end(),
                     [&](const Trial* a, const Trial* b) { return loss_of(*a, direction) < loss_of(*b, direction); });
    const auto share = static_cast<std::size_t>(std::round(options_.truncation * static_cast<double>(field.size())));
    const auto place = static_cast<std::size_t>(std::find(field.begin(), field.end(), &own) - field.begin());
    const std::size_t draw = random.below(std::max<std::size_t>(share, 1));
    const bool worst = share > 0 && place >= field.size() - share;
    // A loss that is none is left behind whatever its share.
    const bool lost = member.failures > 0 || std::isinf(loss_of(own, direction));
    return worst || lost ? *field[draw] : own;
  }

  bool may_change(const std::string& name) const {
    if (options_.perturb.empty()) return !name.starts_with("model.");
    return std::find(options_.perturb.begin(), options_.perturb.end(), name) != options_.perturb.end();
  }

  static Assignment continued(const Question& question, const Trial& source) {
    Random random = question.random();
    return fill(question, [&](const SearchSpace::Entry& entry) {
      const auto value = value_of(source, entry);
      return value ? *value : from_unit(*entry.distribution, random.uniform());
    });
  }

  Assignment explored(const Question& question, const Trial& source, Random& random) const {
    return fill(question, [&](const SearchSpace::Entry& entry) {
      const Distribution& distribution = *entry.distribution;
      const auto value = value_of(source, entry);
      const double place = random.uniform();
      const bool grows = random.uniform() < 0.5, resampled = random.uniform() < options_.resample;
      if (!value) return from_unit(distribution, place);
      if (!may_change(entry.name)) return *value;
      if (resampled) return from_unit(distribution, place);
      return distribution.is_categorical() ? *value : perturbed(distribution, *value, grows);
    });
  }

  /// Times a factor, but at least one step where there are steps.
  double perturbed(const Distribution& distribution, double value, bool grows) const {
    const double scaled = distribution.snapped(value * (grows ? options_.grow : options_.shrink));
    const bool stepped = distribution.kind == Distribution::Kind::kInt || distribution.step;
    if (scaled != value || !stepped) return scaled;
    const double step = distribution.step.value_or(1);
    return distribution.snapped(value + (grows ? step : -step));
  }

  std::size_t population() const { return static_cast<std::size_t>(options_.population); }

  Options options_;
  std::size_t generations_ = std::numeric_limits<std::size_t>::max();
};

}  // namespace

std::unique_ptr<Sampler> make_population_sampler() { return std::make_unique<PopulationSampler>(); }

}  // namespace etude::sweep
