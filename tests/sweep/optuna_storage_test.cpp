// Studies go to and fro between us and Optuna itself, the current release and an earlier one, in every format: what one
// side wrote, the other reads as it was meant, goes on with, and shows.
#include <ctime>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "sweep/storage/storage.h"
#include "tests/support/oracle.h"
#include "tests/sweep/postgresql_server.h"

namespace etude::sweep {
namespace {

using testing::PostgresqlServer;
using ::testing::Values;

const char* const kStudy = "one objective – études";

/// PYTHONPATH of that Optuna, or nothing where script/setup --test has not made it.
std::optional<std::string> optuna(int version) {
  const std::string current = std::string(ETUDE_SOURCE_DIR) + "/.deps/oracle-optuna", earlier = current + "-4";
  if (!testing::oracle_python() || !std::filesystem::exists(current + "/optuna")) return std::nullopt;
  if (version == 5) return current;
  // The driver of PostgreSQL is that of the other.
  return std::filesystem::exists(earlier + "/optuna") ? std::optional(earlier + ":" + current) : std::nullopt;
}

struct Exchange {
  int version;  ///< Optuna's
  std::string format;
};

/// Without nan and infinite numbers, which comparison would never find equal.
Json plain(const Json& value) {
  if (value.is_number_float() && !std::isfinite(value.get<double>())) {
    const auto number = value.get<double>();
    return std::isnan(number) ? "nan" : number > 0 ? "inf" : "-inf";
  }
  if (!value.is_structured()) return value;
  Json result = value;
  for (auto& part : result) part = plain(part);
  return result;
}

Json microseconds(const std::optional<double>& time) { return time ? Json(std::llround(*time * 1e6)) : Json(nullptr); }

Json shown(const Trial& trial) {
  Json json{{"number", trial.number},
            {"state", name_of(trial.state)},
            {"values", trial.values.empty() ? Json(nullptr) : Json(trial.values)},
            {"parameters", Json::object()},
            {"distributions", Json::object()},
            {"reports", Json::object()},
            {"user_attributes", Json(trial.user_attributes)},
            {"system_attributes", Json(trial.system_attributes)},
            {"began", microseconds(trial.began)},
            {"ended", microseconds(trial.ended)}};
  for (const Parameter& parameter : trial.parameters) {
    json["parameters"][parameter.name] = parameter.external();
    json["distributions"][parameter.name] = Json::parse(parameter.distribution->to_json());
  }
  for (const Report& report : trial.reports) json["reports"][std::to_string(report.step)] = report.value;
  return plain(json);
}

/// All that a storage holds, in the form in which optuna_study.py prints it.
Json shown(Storage& storage) {
  Json all = Json::object();
  for (const StudyRecord& study : storage.studies()) {
    Json& json = all[study.name];
    json = {{"directions", Json::array()},
            {"user_attributes", Json(study.user_attributes)},
            {"system_attributes", Json(study.system_attributes)},
            {"trials", Json::array()}};
    for (const Direction direction : study.directions) {
      json["directions"].push_back(direction == Direction::kMinimize ? "MINIMIZE" : "MAXIMIZE");
    }
    for (const Trial& trial : storage.load(study.id)) json["trials"].push_back(shown(trial));
  }
  return all;
}

/// Where the first difference is; a whole study is too much to read.
std::string difference(const Json& ours, const Json& optunas) {
  const Json patch = Json::diff(ours, optunas);
  return patch.empty() ? "" : fmt::format("{} differences, the first: {}", patch.size(), patch[0].dump());
}

class Optuna : public ::testing::TestWithParam<Exchange> {
 protected:
  void SetUp() override {
    if (!optuna(GetParam().version)) GTEST_SKIP() << "no Optuna here (script/setup --test)";
    if (GetParam().format == "postgresql") {
      if (!testing::postgresql_programs()) GTEST_SKIP() << "no PostgreSQL here (script/setup --test)";
      server_ = std::make_unique<PostgresqlServer>();
    }
    // Times are UTC in databases since Optuna 5.0, and local before.
    setenv("TZ", GetParam().version == 4 && GetParam().format != "journal" ? "UTC" : "JST-9", 1);
    tzset();
  }
  void TearDown() override {
    unsetenv("TZ");
    tzset();
  }

  std::string url(bool python = false) const {
    if (server_) return server_->url(python ? "+psycopg2" : "");
    return GetParam().format + ":///" + (folder_.path() / "study with blanks").string();
  }
  /// What Optuna says of the storage after it did that.
  Json python(const std::vector<std::string>& words = {}) const {
    std::string command =
        fmt::format("PYTHONWARNINGS=ignore PYTHONPATH='{}' '{}' {}/tests/sweep/optuna_study.py '{}'",
                    *optuna(GetParam().version), *testing::oracle_python(), ETUDE_SOURCE_DIR, url(true));
    for (const std::string& word : words) command += " '" + word + "'";
    const testing::ShellResult result = testing::run_shell(command);
    if (result.exit_code != 0) throw std::runtime_error(command + "\n" + result.errors);
    return Json::parse(result.output);
  }

  testing::TemporaryFolder folder_;
  std::unique_ptr<PostgresqlServer> server_;
};

/// Trials with all that one may hold.
std::vector<Trial> some_trials() {
  const auto shared = [](Distribution one) { return std::make_shared<const Distribution>(std::move(one)); };
  const auto kind = shared(Distribution::categorical({nullptr, true, 7, 2.5, "größer", "\"quoted\"\\\n"}));
  const auto x = shared(Distribution::real(-5, 5));
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<Trial> trials;
  for (int i = 0; i < 12; ++i) {
    Trial trial;
    trial.state = i % 4 == 1 ? TrialState::kPruned : i % 4 == 3 ? TrialState::kFail : TrialState::kComplete;
    trial.set_parameter({"kind", static_cast<double>(i % 6), kind});
    trial.set_parameter({"x", i * 0.3 - 2, x});
    if (i % 6 == 0 || i % 6 > 3) {
      trial.set_parameter({"lr", 1e-5 * (i + 1), shared(Distribution::real(1e-5, 1e-1, true))});
      trial.set_parameter({"layers", 1.0 + i, shared(Distribution::integer(1, 64, true))});
    } else {
      trial.set_parameter({"dropout", 0.1 * i, shared(Distribution::real(0, 0.9, false, 0.1))});
      trial.set_parameter({"width", 64.0 + 64 * i, shared(Distribution::integer(64, 1024, false, 64))});
    }
    for (int step = 0; step < 4; ++step) trial.set_report({step * 10, i / 7.0 + step});
    if (trial.state != TrialState::kFail) trial.values = {i / 7.0 + 3};
    trial.user_attributes = {{"Größe", {1, 2.5, nullptr, "é\"\n"}}, {"deep", {{"a", {{"b", false}}}}}};
    trial.began = 1790000000.123456 + i * 100;
    trial.ended = 1790000060.654321 + i * 100;
    trials.push_back(std::move(trial));
  }
  trials[0].reports = {{0, std::nan("")}, {1, kInfinity}, {2, -kInfinity}, {2147483647, 0.1}};
  trials[2].values = {kInfinity};
  trials[4].values = {-kInfinity};
  Trial waiting;
  waiting.state = TrialState::kWaiting;
  waiting.system_attributes = {{kFixed, {{"x", 1.25}, {"kind", "größer"}}}};
  trials.push_back(waiting);
  return trials;
}

TEST_P(Optuna, ReadsWhatWeWroteAsItWasMeantAndGoesOnWithItAsWeDoWithItsOwn) {
  const Json made = python({"make"});
  const auto storage = open_storage(url(), false);
  ASSERT_EQ(difference(shown(*storage), made), "") << "what Optuna made reads otherwise here";
  ASSERT_EQ(made[kStudy]["trials"].size(), 17U);

  // Its study goes on here, and ours there.
  Json expected = shown(*storage);
  const StudyRecord theirs = storage->find(kStudy).value();
  const StudyRecord ours = storage->create("ours – Übung", {Direction::kMinimize});
  expected[ours.name] = {{"directions", {"MINIMIZE"}},
                         {"user_attributes", {{"wer", "wir ♪"}}},
                         {"system_attributes", {{"etude:seed", 7}}},
                         {"trials", Json::array()}};
  std::vector<Change> attributes{StudyAttribute{false, "wer", "wir ♪"}, StudyAttribute{true, "etude:seed", 7}};
  storage->apply(ours.id, attributes);
  for (const StudyRecord& study : {theirs, ours}) {
    std::vector<Change> changes;
    for (const Trial& trial : some_trials()) changes.emplace_back(NewTrial{trial});
    storage->apply(study.id, changes);
    auto number = static_cast<std::int64_t>(expected[study.name]["trials"].size());
    for (const Change& change : changes) {
      Trial trial = std::get<NewTrial>(change).trial;
      EXPECT_EQ(trial.number, number);
      trial.number = number++;
      expected[study.name]["trials"].push_back(shown(trial));
    }
  }
  // A trial that runs is told of step by step.
  Trial running = some_trials()[1];
  running.state = TrialState::kRunning;
  running.values.clear();
  running.reports.clear();
  running.ended.reset();
  std::vector<Change> begun{NewTrial{running}};
  storage->apply(ours.id, begun);
  const std::int64_t id = std::get<NewTrial>(begun[0]).trial.id;
  std::vector<Change> reports{NewReport{id, {5, 1.5}}, NewReport{id, {5, 1.25}}, NewReport{id, {6, std::nan("")}},
                              TrialAttribute{id, false, "host", "node3"}, TrialAttribute{id, false, "host", "node4"}};
  storage->apply(ours.id, reports);
  std::vector<Change> end{StateChange{id, TrialState::kPruned, {1.25}, {}, 1790009999.5}};
  storage->apply(ours.id, end);
  running.number = 13;
  running.state = TrialState::kPruned;
  running.values = {1.25};
  running.reports = {{5, 1.25}, {6, std::nan("")}};
  running.user_attributes["host"] = "node4";
  running.ended = 1790009999.5;
  expected[ours.name]["trials"].push_back(shown(running));

  std::vector<std::string> words{"go-on", ours.name, "4", "go-on", kStudy, "3"};
  if (GetParam().version == 5) words.insert(words.end(), {"plot", ours.name, "plot", kStudy});
  const Json after = python(words);
  // Optuna's own trials are taken out of the comparison with what we meant, and compared with what we read instead.
  Json known = after;
  for (const std::string& name : {std::string(kStudy), ours.name}) {
    Json& trials = known[name]["trials"];
    const std::size_t had = expected[name]["trials"].size();
    ASSERT_GT(trials.size(), had);
    trials.erase(trials.begin() + static_cast<std::ptrdiff_t>(had), trials.end());
    for (std::size_t i = 0; i < had; ++i) {  // those that waited were taken by it
      if (expected[name]["trials"][i]["state"] == "WAITING") expected[name]["trials"][i] = trials[i];
    }
  }
  EXPECT_EQ(difference(expected, known), "") << "what we wrote reads otherwise in Optuna";
  EXPECT_EQ(after[ours.name]["trials"][12]["parameters"]["x"], 1.25) << "what was to be tried was not";
  EXPECT_EQ(after[ours.name]["trials"][12]["parameters"]["kind"], "größer");
  EXPECT_TRUE(storage->written_by_others());
  EXPECT_EQ(difference(shown(*storage), after), "") << "what Optuna went on with reads otherwise here";
  EXPECT_FALSE(storage->written_by_others());
}

TEST_P(Optuna, WorkersJoinWhileWeWrite) {
  const auto storage = open_storage(url(), true);
  const StudyRecord study = storage->create(kStudy, {Direction::kMinimize});
  std::vector<std::thread> workers;
  std::vector<std::string> failures(2);
  for (std::string& failure : failures) {
    workers.emplace_back([&] {
      try {
        python({"go-on", kStudy, "8"});
      } catch (const std::exception& error) {
        failure = error.what();
      }
    });
  }
  int written = 0;
  std::set<std::int64_t> by_others;
  while (by_others.size() < 16 && written < 5000) {
    std::vector<Change> changes{NewTrial{some_trials()[static_cast<std::size_t>(written++ % 12)]}};
    storage->apply(study.id, changes);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (!storage->written_by_others()) continue;
    for (const Trial& trial : storage->load(study.id)) {
      if (is_over(trial.state) && trial.user_attributes.contains("note")) by_others.insert(trial.number);
    }
    if (!failures[0].empty() || !failures[1].empty()) break;
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(failures[0] + failures[1], "");
  EXPECT_EQ(by_others.size(), 16U);
  const std::vector<Trial> trials = storage->load(study.id);
  ASSERT_EQ(trials.size(), static_cast<std::size_t>(16 + written));
  for (std::size_t i = 0; i < trials.size(); ++i) EXPECT_EQ(trials[i].number, static_cast<std::int64_t>(i));
}

INSTANTIATE_TEST_SUITE_P(All, Optuna,
                         Values(Exchange{5, "sqlite"}, Exchange{5, "postgresql"}, Exchange{5, "journal"},
                                Exchange{4, "sqlite"}, Exchange{4, "postgresql"}, Exchange{4, "journal"}),
                         [](const auto& one) { return fmt::format("{}With{}", one.param.format, one.param.version); });

}  // namespace
}  // namespace etude::sweep
