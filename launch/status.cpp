#include "launch/status.h"

#include <array>
#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>
#include <sstream>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/config/error.h"
#include "framework/files/files.h"
#include "framework/log/pace.h"

namespace etude::launch {
namespace {

using Json = nlohmann::json;

/// A value of an enum, as JSON has it, and as people say it.
template <typename Enum>
struct Word {
  Enum value;
  const char* key;
  const char* said;
};

constexpr std::array kCauses{
    Word<Cause>{Cause::kOpen, "open", "runs"},
    Word<Cause>{Cause::kLost, "lost", "its node died, or everything there was killed"},
    Word<Cause>{Cause::kDone, "done", "trained to the end"},
    Word<Cause>{Cause::kAsked, "asked", "as asked"},
    Word<Cause>{Cause::kBudget, "budget", "its budget is spent"},
    Word<Cause>{Cause::kTimeLimit, "time_limit", "the time limit was near"},
    Word<Cause>{Cause::kTerminated, "terminated", "ended by the cluster"},
    Word<Cause>{Cause::kInterrupted, "interrupted", "interrupted"},
    Word<Cause>{Cause::kKilled, "killed", "a rank was killed or died"},
    Word<Cause>{Cause::kFailed, "failed", "failed"},
    Word<Cause>{Cause::kMisuse, "misuse", "refused what it was given"},
};

constexpr std::array kStates{
    Word<State>{State::kQueued, "queued", "queued"},    Word<State>{State::kWaiting, "waiting", "waiting"},
    Word<State>{State::kRunning, "running", "running"}, Word<State>{State::kStopping, "stopping", "stopping"},
    Word<State>{State::kDone, "done", "done"},          Word<State>{State::kStopped, "stopped", "stopped"},
    Word<State>{State::kFailed, "failed", "failed"},    Word<State>{State::kRequeued, "requeued", "queued again"},
    Word<State>{State::kEnded, "ended", "ended"},
};

template <typename Table, typename Enum>
const auto& word_of(const Table& table, Enum value) {
  for (const auto& word : table) {
    if (word.value == value) return word;
  }
  throw std::logic_error("a value without a name");
}

template <typename Table>
auto value_of(const Table& table, const std::string& key) {
  for (const auto& word : table) {
    if (key == word.key) return word.value;
  }
  throw Error(fmt::format("'{}' is no state or cause", key));
}

/// How much of the end of metrics.jsonl is looked at: some hundred steps.
constexpr std::streamoff kTail = 64 * 1024;

std::vector<Json> last_rows(const std::filesystem::path& file) {
  std::vector<Json> rows;
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  if (!stream) return rows;
  const std::streamoff size = stream.tellg();
  stream.seekg(std::max<std::streamoff>(0, size - kTail));
  std::string line;
  if (size > kTail) std::getline(stream, line);  // most likely half a line
  while (std::getline(stream, line)) {
    Json row = Json::parse(line, nullptr, false);
    if (row.is_object() && row.contains("step") && row["step"].is_number_integer()) rows.push_back(std::move(row));
  }
  return rows;
}

std::optional<double> number(const Json& row, const char* key) {
  const auto found = row.find(key);
  if (found == row.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

Json to_json(const Attempt& attempt) {
  return {{"began", attempt.began},
          {"ended", attempt.ended},
          {"nodes", attempt.nodes},
          {"ranks", attempt.ranks},
          {"token", attempt.token},
          {"first_step", attempt.first_step},
          {"last_step", attempt.last_step},
          {"trained", attempt.trained},
          {"cause", word_of(kCauses, attempt.cause).key},
          {"code", attempt.code}};
}

Attempt attempt_from(const Json& json) {
  Attempt attempt;
  json.at("began").get_to(attempt.began);
  json.at("ended").get_to(attempt.ended);
  json.at("nodes").get_to(attempt.nodes);
  json.at("ranks").get_to(attempt.ranks);
  json.at("token").get_to(attempt.token);
  json.at("first_step").get_to(attempt.first_step);
  json.at("last_step").get_to(attempt.last_step);
  json.at("trained").get_to(attempt.trained);
  attempt.cause = value_of(kCauses, json.at("cause").get<std::string>());
  json.at("code").get_to(attempt.code);
  return attempt;
}

Json optional(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

std::filesystem::path file_of(const std::filesystem::path& folder) { return folder / "status.json"; }

}  // namespace

std::string in_words(Cause cause) { return word_of(kCauses, cause).said; }
std::string in_words(State state) { return word_of(kStates, state).said; }
bool is_over(State state) { return state == State::kDone || state == State::kStopped || state == State::kFailed; }

Progress read_progress(const std::filesystem::path& metrics) {
  Progress progress;
  log::Pace pace;
  for (const Json& row : last_rows(metrics)) {
    if (const auto measured = number(row, "eval_loss")) progress.eval_loss = measured;
    if (!row.contains("tokens_per_second")) continue;
    progress.step = row["step"].get<std::int64_t>();
    progress.loss = number(row, "loss");
    progress.steps = static_cast<std::int64_t>(number(row, "steps").value_or(0));
    progress.tokens_per_second = number(row, "tokens_per_second").value_or(0);
    pace.add(progress.step, number(row, "seconds").value_or(0));
  }
  const double left = pace.left(progress.steps);
  if (progress.steps > 0 && std::isfinite(left)) progress.seconds_left = left;
  return progress;
}

Usage usage_of(const std::vector<Attempt>& attempts, const Cluster& cluster, std::int64_t cores_per_node) {
  Usage usage;
  for (const Attempt& attempt : attempts) {
    usage.hours += attempt.hours();
    usage.node_hours += attempt.hours() * static_cast<double>(attempt.nodes);
  }
  usage.core_hours = usage.node_hours * static_cast<double>(cores_per_node);
  usage.gpu_hours = usage.node_hours * static_cast<double>(cluster.gpus_per_node);
  usage.cost = usage.node_hours * cluster.price.per_node_hour;
  return usage;
}

std::string cost_in_words(const Status& status) {
  if (status.usage.cost > 0) return fmt::format("{:.2f} {}", status.usage.cost, status.currency);
  if (status.usage.gpu_hours > 0) return fmt::format("{:.2g} GPU-hours", status.usage.gpu_hours);
  return fmt::format("{:.2g} core-hours", status.usage.core_hours);
}

std::string to_json(const Status& status) {
  Json attempts = Json::array();
  for (const Attempt& attempt : status.attempts) attempts.push_back(to_json(attempt));
  return Json{{"state", word_of(kStates, status.state).key},
              {"words", status.words},
              {"updated", status.updated},
              {"host", status.host},
              {"attempts", attempts},
              {"progress",
               {{"step", status.progress.step},
                {"steps", status.progress.steps},
                {"loss", optional(status.progress.loss)},
                {"eval_loss", optional(status.progress.eval_loss)},
                {"tokens_per_second", status.progress.tokens_per_second},
                {"seconds_left", status.progress.seconds_left}}},
              {"usage",
               {{"hours", status.usage.hours},
                {"node_hours", status.usage.node_hours},
                {"core_hours", status.usage.core_hours},
                {"gpu_hours", status.usage.gpu_hours},
                {"cost", status.usage.cost},
                {"currency", status.currency}}}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

Status status_from_json(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    Status status;
    status.state = value_of(kStates, json.at("state").get<std::string>());
    json.at("words").get_to(status.words);
    json.at("updated").get_to(status.updated);
    json.at("host").get_to(status.host);
    for (const Json& attempt : json.at("attempts")) status.attempts.push_back(attempt_from(attempt));
    const Json& progress = json.at("progress");
    progress.at("step").get_to(status.progress.step);
    progress.at("steps").get_to(status.progress.steps);
    status.progress.loss = number(progress, "loss");
    status.progress.eval_loss = number(progress, "eval_loss");
    progress.at("tokens_per_second").get_to(status.progress.tokens_per_second);
    progress.at("seconds_left").get_to(status.progress.seconds_left);
    const Json& usage = json.at("usage");
    usage.at("hours").get_to(status.usage.hours);
    usage.at("node_hours").get_to(status.usage.node_hours);
    usage.at("core_hours").get_to(status.usage.core_hours);
    usage.at("gpu_hours").get_to(status.usage.gpu_hours);
    usage.at("cost").get_to(status.usage.cost);
    usage.at("currency").get_to(status.currency);
    return status;
  } catch (const Json::exception& error) {
    throw Error(error.what());
  }
}

void save(const Status& status, const std::filesystem::path& folder) {
  files::write_atomically(file_of(folder), to_json(status) + "\n");
}

std::optional<Status> load_status(const std::filesystem::path& folder) {
  const std::filesystem::path file = file_of(folder);
  if (!std::filesystem::exists(file)) return std::nullopt;
  try {
    return status_from_json(files::read(file));
  } catch (const Error& error) {
    throw Error(
        fmt::format("{}: is damaged ({}); without it the job's attempts and cost are forgotten: move it away to "
                    "go on so",
                    file.string(), error.what()));
  }
}

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

std::string utc(double seconds) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

}  // namespace etude::launch
