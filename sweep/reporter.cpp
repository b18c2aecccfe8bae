#include "sweep/reporter.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "framework/config/error.h"
#include "framework/config/values.h"
#include "launch/status.h"
#include "sweep/client.h"
#include "sweep/harvest.h"
#include "sweep/place.h"

namespace etude::sweep {
namespace {

using namespace std::chrono_literals;

constexpr auto kSignOfLife = 5s;    ///< also how soon a wish that comes by hand is heard
constexpr auto kBetweenTries = 2s;  ///< while nobody answers
constexpr auto kLastWords = 30s;    ///< how long a run that is done waits for somebody to tell it to

/// Training waits for answers.
ClientOptions quick(ClientOptions options) {
  options.connect_seconds = 2;
  options.answer_seconds = 5;
  return options;
}

train::Word word_for(Verdict verdict) {
  switch (verdict) {
    case Verdict::kContinue:
      return train::Word::kGoOn;
    case Verdict::kFinish:
      return train::Word::kFinish;
    case Verdict::kPrune:
    case Verdict::kPause:
      break;
  }
  return train::Word::kStop;
}

}  // namespace

std::optional<TrialOfSweep> trial_of_environment() {
  const char* controller = std::getenv("ETUDE_SWEEP_CONTROLLER");
  const char* trial = std::getenv("ETUDE_SWEEP_TRIAL");
  if (controller == nullptr && trial == nullptr) return std::nullopt;
  std::int64_t number = -1;
  const bool whole = trial != nullptr && config::parse_integer(trial, number) == config::Parse::kGood && number >= 0;
  if (controller == nullptr || !whole) {
    throw UsageError(
        "a trial of a sweep needs both ETUDE_SWEEP_CONTROLLER (a controller.json or a URL) and "
        "ETUDE_SWEEP_TRIAL (its number) in its environment");
  }
  TrialOfSweep found{controller, number, std::nullopt};
  if (const char* until = std::getenv("ETUDE_SWEEP_UNTIL")) {
    std::int64_t step = 0;
    if (config::parse_integer(until, step) != config::Parse::kGood) {
      throw UsageError(fmt::format("ETUDE_SWEEP_UNTIL is the step at which the trial ends, found '{}'", until));
    }
    found.until = step;
  }
  return found;
}

Reporter::Reporter(TrialOfSweep trial, const std::filesystem::path& metrics)
    : trial_(std::move(trial)),
      stored_(run::RunFolder(metrics.parent_path()).job()),
      began_(launch::now()),
      untold_(evaluations_in(metrics)),
      measured_(untold_) {
  thread_ = std::jthread([this](std::stop_token stop) { keep_in_touch(std::move(stop)); });
}

Reporter::~Reporter() = default;

train::Word Reporter::evaluated(std::int64_t step, const std::map<std::string, double>& metrics) {
  std::unique_lock lock(mutex_);
  untold_.push_back({step, metrics});
  measured_.push_back({step, metrics});
  if (!away_) talk(lock);  // or the thread tells it when somebody answers again
  const train::Word said = word();
  return said == train::Word::kGoOn && trial_.until && step >= *trial_.until ? train::Word::kFinish : said;
}

void Reporter::finished(std::int64_t step) {
  std::unique_lock lock(mutex_);
  const auto last =
      std::find_if(measured_.rbegin(), measured_.rend(), [&](const Measurement& one) { return one.step == step; });
  if (last == measured_.rend()) return;
  const auto until = Clock::now() + kLastWords;
  // After that, whoever launched it finds its measurements in the run folder.
  while (!tell_the_end(lock, *last) && Clock::now() < until) {
    wake_.wait_for(lock, std::chrono::milliseconds(kBetweenTries), [] { return false; });
  }
}

bool Reporter::tell_the_end(std::unique_lock<std::mutex>& lock, const Measurement& last) {
  if (!talk(lock) || client_ == nullptr) return false;
  try {
    client_->tell(trial_.number, {TrialState::kComplete, last.metrics, ""});
    return true;
  } catch (const Error&) {
    client_.reset();
    return false;
  }
}

train::Word Reporter::word() {
  const train::Word said = word_;
  const bool alone_for_too_long = Clock::now().time_since_epoch().count() > until_;
  return said == train::Word::kGoOn && alone_for_too_long ? train::Word::kStop : said;
}

bool Reporter::talk(std::unique_lock<std::mutex>& lock) {
  wake_.wait(lock, [&] { return !talking_; });
  talking_ = true;
  const std::vector<Measurement> news = untold_;
  std::unique_ptr<Client> client = std::move(client_);
  lock.unlock();
  std::string trouble;
  std::optional<Answer> answer;
  try {
    if (client == nullptr) client = std::make_unique<Client>(quick(connection_to(find_controller(trial_.controller))));
    answer = client->report(trial_.number, news);
  } catch (const Error& error) {
    trouble = error.what();
    client.reset();
  }
  lock.lock();
  talking_ = false;
  client_ = std::move(client);
  if (answer) {
    untold_.erase(untold_.begin(), untold_.begin() + std::ssize(news));
    hear(*answer);
    if (std::exchange(away_, false)) fmt::print(stderr, "sweep: the controller answers again\n");
  } else if (!std::exchange(away_, true)) {
    fmt::print(stderr, "sweep: {}; training goes on, and what is measured is told later\n", trouble);
    if (!has_heard_) fall_back();
  }
  wake_.notify_all();
  return answer.has_value();
}

void Reporter::hear(const Answer& answer) {
  if (answer.verdict != Verdict::kContinue) word_ = word_for(answer.verdict);
  constexpr double kForEver = 1e9;
  const bool bound = answer.allowance >= 0 && answer.allowance < kForEver;
  const std::optional<double> until = bound ? std::optional(launch::now() + answer.allowance) : std::nullopt;
  train_until(until);
  constexpr double kMuch = 1;  // second, or every answer would be a file
  const bool is_stored = has_heard_ && until.has_value() == stored_until_.has_value() &&
                         std::abs(until.value_or(0) - stored_until_.value_or(0)) < kMuch;
  has_heard_ = true;
  if (is_stored) return;
  stored_.hold_until(until);
  stored_until_ = until;
}

/// These ranks were started while there was no controller.
void Reporter::fall_back() {
  has_heard_ = true;
  stored_until_ = stored_.until(began_);
  train_until(stored_until_);
  stored_.hold_until(stored_until_);
}

void Reporter::train_until(std::optional<double> time) {
  const auto left = std::chrono::duration<double>(time.value_or(0) - launch::now());
  until_ = time ? (Clock::now() + std::chrono::duration_cast<Clock::duration>(left)).time_since_epoch().count()
                : std::numeric_limits<Clock::rep>::max();
}

void Reporter::keep_in_touch(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    talk(lock);
    const auto pause = away_ ? kBetweenTries : kSignOfLife;
    wake_.wait_for(lock, stop, pause, [] { return false; });
  }
}

}  // namespace etude::sweep
