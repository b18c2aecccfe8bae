#include "report/standing.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "framework/log/format.h"

namespace etude::report {
namespace {

constexpr std::size_t kPoints = 20;  ///< that a curve of training losses is condensed to

void append(Series& to, const Series& from, std::size_t at, double loss) {
  to.step.push_back(from.step[at]);
  to.tokens.push_back(from.tokens[at]);
  to.seconds.push_back(from.seconds[at]);
  to.loss.push_back(loss);
  if (at < from.loss_per_note.size()) to.loss_per_note.push_back(from.loss_per_note[at]);
}

/// Points whose loss is no number are none.
Series finite(const Series& whole) {
  Series result;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (std::isfinite(whole.loss[i])) append(result, whole, i, whole.loss[i]);
  }
  return result;
}

/// Means of even stretches of a curve, so that it can be judged as evaluations are.
Series condensed(const Series& whole) {
  const std::size_t size = whole.size(), stretches = std::min(size, kPoints);
  Series result;
  for (std::size_t stretch = 0; stretch < stretches; ++stretch) {
    const std::size_t begin = stretch * size / stretches, end = (stretch + 1) * size / stretches;
    double sum = 0;
    for (std::size_t i = begin; i < end; ++i) sum += whole.loss[i];
    append(result, whole, end - 1, sum / static_cast<double>(end - begin));
  }
  return result;
}

std::optional<train::Memorising> memorising(const Series& training, const Series& evaluation) {
  train::MemorisingWatch watch;
  std::size_t told = 0;
  for (std::size_t i = 0; i < evaluation.size(); ++i) {
    for (; told < training.size() && training.step[told] <= evaluation.step[i]; ++told) {
      watch.trained(training.loss[told]);
    }
    watch.evaluated(static_cast<std::int64_t>(evaluation.step[i]), evaluation.loss[i]);
  }
  return watch.found();
}

/// Whether the loss is no number any more: the run has gone on, but the curve of numbers has ended.
bool has_diverged(const History& history, const Series& training) {
  if (history.non_finite == 0) return false;
  if (training.size() == 0) return true;
  const double spacing = training.step.back() / static_cast<double>(training.size());
  return static_cast<double>(history.step) > training.step.back() + 2 * spacing;
}

std::string step_of(double step) { return "step " + log::with_thousands(static_cast<std::int64_t>(step)); }

std::string floor_in_words(const Surroundings& around) {
  const std::int64_t before = around.floor_order - 1;
  const std::string looks = before == 1 ? "the token before" : fmt::format("the {} tokens before", before);
  return fmt::format("an n-gram model, which only counts what follows {}, reaches {:.3f}", looks, *around.floor);
}

/// What the loss comes to beside guessing and counting.
std::string level_in_words(double loss, const Surroundings& around) {
  const auto uniform =
      around.vocabulary ? std::optional(std::log(static_cast<double>(*around.vocabulary))) : std::nullopt;
  const std::string floor = around.floor ? floor_in_words(around) : "";
  const auto from = around.unigram ? around.unigram : uniform;
  const std::string guessing = around.unigram ? "guessing by how often each token occurs"
                               : uniform      ? fmt::format("guessing among all {} tokens alike", *around.vocabulary)
                                              : "";
  if (around.floor && loss <= *around.floor) {
    return fmt::format("better than plain counting by {:.3f}: {}", *around.floor - loss, floor);
  }
  if (uniform && loss >= *uniform) {
    return fmt::format("no better than guessing among all {} tokens alike ({:.3f})", *around.vocabulary, *uniform);
  }
  if (!from) return floor.empty() ? "" : "not yet as good as plain counting: " + floor;
  if (loss >= *from) return fmt::format("no better than {} ({:.3f})", guessing, *from);
  if (floor.empty()) return fmt::format("{} costs {:.3f}", guessing, *from);
  const double share = (*from - loss) / (*from - *around.floor);
  return fmt::format("{:.0f} % of the way from {} ({:.3f}) to plain counting: {}", std::floor(100 * share), guessing,
                     *from, floor);
}

std::string level_sentence(const Standing& stands, const Series& evaluation) {
  std::string said =
      fmt::format("{} loss {:.3f} per token", stands.evaluated ? "Evaluation" : "Training", *stands.loss);
  if (!evaluation.loss_per_note.empty() && std::isfinite(evaluation.loss_per_note.back())) {
    said += fmt::format(" ({:.3f} per note)", evaluation.loss_per_note.back());
  }
  said += " at " + step_of(stands.step);
  if (!stands.evaluated) said += ", not evaluated yet";
  const std::string level = level_in_words(*stands.loss, stands.surroundings);
  if (!level.empty()) said += "; " + level;
  if (stands.evaluated && stands.surroundings.floor && stands.surroundings.floor_on_more) {
    said += " on the whole split, of which this is a part (evaluate.batches), so roughly";
  }
  return said + ".";
}

std::string trend_sentence(const Standing& stands) {
  const Trend& trend = stands.trend;
  switch (trend.direction) {
    case Direction::kFalling:
      return fmt::format(
          "It is still falling: by {:.3f} with each doubling of the tokens, now by {:.3f} in a thousand "
          "steps.",
          -trend.per_doubling, -trend.per_thousand_steps);
    case Direction::kFlat:
      return fmt::format(
          "It has been flat since {}: from there to the best ({:.3f}) is less than can be told from "
          "noise.",
          step_of(trend.since), stands.best);
    case Direction::kRising:
      return fmt::format("It has been rising since {}, where it was {:.3f}.", step_of(trend.since), stands.best);
    case Direction::kUnknown:
      break;
  }
  return "";
}

std::string sibling_sentence(const Standing& stands) {
  if (!stands.rank) return "";
  const Surroundings& around = stands.surroundings;
  const std::string others =
      fmt::format("{} runs on this pack in '{}'", around.siblings.size() + 1, around.siblings_folder);
  const Sibling& first = *std::ranges::min_element(around.siblings, {}, &Sibling::loss);
  if (*stands.rank == 1) {
    return fmt::format("Its best, {:.3f}, is the best of {}; next is '{}' with {:.3f}.", stands.best, others,
                       first.name, first.loss);
  }
  return fmt::format("By its best, {:.3f}, it is number {} of {}; the best is '{}' with {:.3f}.", stands.best,
                     *stands.rank, others, first.name, first.loss);
}

std::string divergence_in_words(const Series& training) {
  const std::string since = training.size() == 0
                                ? "the training loss has been no number from the start"
                                : fmt::format("the training loss is no number any more; the last that was one is of {}",
                                              step_of(training.step.back()));
  return since + ": a lower train.lr or train.clip, or a longer train.warmup, may help";
}

const char* name_of(Direction direction) {
  switch (direction) {
    case Direction::kFalling:
      return "falling";
    case Direction::kFlat:
      return "flat";
    case Direction::kRising:
      return "rising";
    case Direction::kUnknown:
      break;
  }
  return "unknown";
}

template <typename Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace

Standing standing(const History& history, const Surroundings& surroundings) {
  Standing stands;
  stands.surroundings = surroundings;
  const Series training = finite(history.train), evaluation = finite(history.evaluation);
  stands.evaluated = evaluation.size() > 0;
  stands.memorising = memorising(training, evaluation);
  if (stands.memorising) stands.warning = in_words(*stands.memorising);
  if (has_diverged(history, training)) stands.warning = divergence_in_words(training);

  const Series curve = stands.evaluated ? evaluation : condensed(training);
  if (curve.size() == 0) return stands;
  const auto best = static_cast<std::size_t>(std::ranges::min_element(curve.loss) - curve.loss.begin());
  stands.loss = curve.loss.back();
  stands.step = curve.step.back();
  stands.best = curve.loss[best];
  stands.best_step = curve.step[best];
  stands.trend = trend_of(curve);
  if (stands.evaluated && !surroundings.siblings.empty()) {
    const auto better = [&](const Sibling& other) { return other.loss < stands.best; };
    stands.rank = 1 + static_cast<std::size_t>(std::ranges::count_if(surroundings.siblings, better));
  }
  for (const std::string& sentence :
       {level_sentence(stands, evaluation), trend_sentence(stands), sibling_sentence(stands)}) {
    if (!sentence.empty()) stands.sentences.push_back(sentence);
  }
  return stands;
}

Json to_json(const Standing& stands) {
  const Surroundings& around = stands.surroundings;
  Json figures{{"loss", or_null(stands.loss)},
               {"of", stands.evaluated ? "evaluation" : "training"},
               {"step", stands.step},
               {"best", stands.best},
               {"best_step", stands.best_step},
               {"vocabulary", or_null(around.vocabulary)},
               {"unigram", or_null(around.unigram)},
               {"floor", or_null(around.floor)},
               {"floor_order", around.floor_order},
               {"trend", name_of(stands.trend.direction)},
               {"since", stands.trend.since},
               {"per_doubling", stands.trend.per_doubling},
               {"per_thousand_steps", stands.trend.per_thousand_steps},
               {"noise", stands.trend.noise},
               {"rank", or_null(stands.rank)},
               {"runs", around.siblings.size() + 1},
               {"memorising", nullptr}};
  if (const auto& found = stands.memorising) {
    figures["memorising"] = {{"since", found->since},
                             {"training_then", found->training_then},
                             {"training_now", found->training_now},
                             {"evaluation_then", found->evaluation_then},
                             {"evaluation_now", found->evaluation_now},
                             {"gap", found->gap()}};
  }
  return {{"sentence", stands.sentences.empty() ? "" : stands.sentences.front()},
          {"sentences", stands.sentences},
          {"warning", stands.warning},
          {"figures", figures}};
}

}  // namespace etude::report
