#include "framework/train/run_log.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "framework/evaluate/metrics.h"
#include "framework/evaluate/of_pieces.h"
#include "framework/files/files.h"
#include "framework/log/format.h"

namespace etude::train {

namespace {
constexpr std::size_t kConfusionsTold = 3;
/// A share of padding that a person should know of, since it is computed for nothing.
constexpr double kMuchPadding = 0.05;
}  // namespace

RunLog::RunLog(const std::optional<run::RunFolder>& folder) : folder_(folder) {
  if (!folder) return;
  log_ = std::make_unique<log::LogFile>(folder->log(), stderr);
  metrics_ = std::make_unique<log::JsonLines>(folder->metrics());
}

RunLog::~RunLog() {
  end();
  for (const auto& listener : listeners_) listener->end(state_);
}

void RunLog::tell(std::vector<std::unique_ptr<log::Listener>> listeners, log::RunFacts facts) {
  listeners_ = std::move(listeners);
  facts_ = std::move(facts);
}

void RunLog::info(const std::string& line) {
  if (log_) log_->info(line);
}

void RunLog::warning(const std::string& line) {
  if (log_) log_->warning(line);
}

void RunLog::error(const std::string& line) {
  if (log_) log_->error(line);
}

void RunLog::begin(std::int64_t steps, std::int64_t done) {
  if (!folder_) return;
  steps_ = steps;
  progress_ = std::make_unique<log::Progress>("train", steps, stderr, done);
  log_->show_above(progress_.get());
  if (done > 0) recall();
  facts_.steps = steps;
  facts_.done = done;
  for (const auto& listener : listeners_) listener->begin(facts_);
}

/// What earlier sessions of this run saw, so that nothing is told a second time.
void RunLog::recall() {
  std::ifstream file(folder_->metrics());
  for (std::string line; std::getline(file, line);) {
    const nlohmann::json row = nlohmann::json::parse(line, nullptr, false);
    if (!row.is_object()) continue;
    const auto number = [&row](const char* key) {
      const auto found = row.find(key);
      return found != row.end() && found->is_number() ? found->get<double>() : std::nan("");
    };
    const double step = number("step");
    if (row.contains("loss")) memorising_.trained(number("loss"));
    if (row.contains("eval_loss") && std::isfinite(step)) {
      memorising_.evaluated(static_cast<std::int64_t>(step), number("eval_loss"));
    }
  }
}

void RunLog::end() {
  if (!progress_) return;
  log_->show_above(nullptr);
  progress_->finish("");
  progress_.reset();
}

void RunLog::step(const StepFigures& figures) {
  if (!folder_) return;
  nlohmann::json row{{"step", figures.step},
                     {"steps", steps_},
                     {"epoch", figures.epoch},
                     {"loss", figures.loss},
                     {"padding", figures.padding},
                     {"norm", figures.norm},
                     {"lr", figures.lr},
                     {"tokens", figures.tokens},
                     {"seconds", figures.seconds},
                     {"tokens_per_second", figures.tokens_per_second},
                     {"data_wait", figures.data_wait},
                     {"communication_wait", figures.communication_wait}};
  if (figures.memory_loss) row["memory_loss"] = *figures.memory_loss;
  if (figures.mfu) row["mfu"] = *figures.mfu;
  if (const auto& ranks = figures.ranks) {
    row["rank_seconds"] = {
        {"min", ranks->min}, {"median", ranks->median}, {"max", ranks->max}, {"slowest", ranks->slowest}};
  }
  metrics_->write(row);
  const log::Figures told = log::figures_of(row);
  for (const auto& listener : listeners_) listener->step(told);
  memorising_.trained(figures.loss);
  const std::string memory = figures.memory_loss ? fmt::format("  memory loss {:.3g}", *figures.memory_loss) : "";
  const std::string mfu = figures.mfu ? fmt::format("  mfu {:.1f} %", 100 * *figures.mfu) : "";
  const std::string padding =
      figures.padding >= kMuchPadding ? fmt::format("  padding {:.0f} %", 100 * figures.padding) : "";
  progress_->update(figures.step,
                    fmt::format("epoch {:.2f}  loss {:.4f}{}  norm {:.3f}  lr {:.2e}  {} tok/s{}{}  data wait {:.1f} %",
                                figures.epoch, figures.loss, memory, figures.norm, figures.lr,
                                log::with_thousands(static_cast<std::int64_t>(figures.tokens_per_second)), mfu, padding,
                                100 * figures.data_wait));
}

void RunLog::evaluation(std::int64_t step, double epoch, const evaluate::Tally& tally, const data::Pack& pack,
                        bool best) {
  if (!folder_) return;
  const evaluate::Metrics found = evaluate::metrics(tally);
  nlohmann::json row = evaluate::by_name(found);
  row.update({{"step", step}, {"epoch", epoch}, {"eval_tokens", found.tokens}});
  metrics_->write(row);
  nlohmann::json whole = evaluate::to_json(tally, pack.vocabulary());
  evaluate::add_pieces(whole, tally, pack, data::Split::kValidation);
  whole["step"] = step;
  files::write_atomically(folder_->evaluations() / fmt::format("step-{:08}.json", step), whole.dump(1) + "\n");
  const log::Figures measured = log::figures_of(row);
  for (const auto& listener : listeners_) listener->evaluation(measured, whole);

  log_->info(
      fmt::format("step {}: validation loss {:.4f} per token, {:.4f} per note, perplexity {:.2f}, top-1 {:.1f} %, "
                  "top-5 {:.1f} %{}",
                  step, found.loss, found.loss_per_note, found.perplexity, 100 * found.top1, 100 * found.top5,
                  best ? " (best so far)" : ""));
  const auto confusions = evaluate::confusions_in_words(tally, pack.vocabulary(), kConfusionsTold);
  if (!confusions.empty()) log_->info(fmt::format("  most often confused: {}", fmt::join(confusions, "; ")));

  const bool told = memorising_.ever_found();
  memorising_.evaluated(step, found.loss);
  if (const auto held = memorising_.found(); held && !told) {
    log_->warning(
        fmt::format("step {}: {}. More music, data.transpose or model.dropout may help; so does stopping "
                    "at the best evaluation (stop.patience).",
                    step, in_words(*held)));
  }
}

bool RunLog::wants_pieces() const {
  return std::ranges::any_of(listeners_, [](const auto& listener) { return listener->wants_pieces(); });
}

void RunLog::piece(std::int64_t step, const log::PlayedPiece& piece) {
  for (const auto& listener : listeners_) listener->piece(step, log::seconds_since_1970(), piece);
}

bool RunLog::wants_weights() const {
  return std::ranges::any_of(listeners_, [](const auto& listener) { return listener->wants_weights(); });
}

void RunLog::weights(std::int64_t step, const std::map<std::string, log::Distribution>& groups) {
  for (const auto& listener : listeners_) listener->weights(step, log::seconds_since_1970(), groups);
}

}  // namespace etude::train
