// What a run tells while it trains, as TensorBoard, an MLflow server and other people's servers come to know it.
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include <gmock/gmock.h>

#include "tests/system/program.h"

namespace etude::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// The folder with TensorBoard's reader and MLflow, or nothing where script/setup --test has not made it.
std::optional<std::string> track_oracle() {
  const std::string folder = ETUDE_SOURCE_DIR "/.deps/oracle-track";
  if (oracle_python() && std::filesystem::exists(folder + "/made-from")) return folder;
  return std::nullopt;
}

#define ETUDE_NEEDS_TRACK_ORACLE() \
  if (!track_oracle()) GTEST_SKIP() << "no TensorBoard and MLflow to compare with (script/setup --test)"

/// What metrics.jsonl has of each figure, under the names that trackers use: "train/loss", "eval/loss", by step.
std::map<std::string, std::vector<std::pair<std::int64_t, double>>> figures_of(const std::filesystem::path& run) {
  std::map<std::string, std::vector<std::pair<std::int64_t, double>>> figures;
  for (const json& row : metrics_with(run, "step")) {
    const bool training = row.contains("loss");
    for (const auto& [key, value] : row.items()) {
      if (key == "step") continue;
      const std::string name = training ? "train/" + key : "eval/" + (key.starts_with("eval_") ? key.substr(5) : key);
      figures[name].emplace_back(row["step"].get<std::int64_t>(), value.get<double>());
    }
  }
  return figures;
}

/// Trains so many steps with an interruption by kill -9, after step 90 and when `told` holds, and resumes.
void train_through_a_kill(
    const Workshop& shop, int steps, const std::string& more, const std::function<bool()>& told = [] { return true; }) {
  const std::string command = shop.train("run", steps, "--set evaluate.every=40 --set checkpoint.every=40 " + more);
  {
    Background first(etude_program() + " " + command);
    ASSERT_TRUE(eventually([&] { return !first.running() || (last_step(shop.run("run")) > 90 && told()); }));
    ASSERT_TRUE(first.running()) << "it ended by itself";
    first.signal_all(SIGKILL);
  }
  ASSERT_LT(last_step(shop.run("run")), steps) << "it was done before it was killed";
  const ShellResult resumed = etude(command + " --resume --set track.batch=7");  // that changes nothing about the run
  ASSERT_EQ(resumed.exit_code, 0) << resumed.errors;
  ASSERT_THAT(resumed.errors, HasSubstr("resumed at step"));
}

constexpr const char* kReadEvents = R"(
import io, json, sys
import numpy
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

run = sys.argv[1]
events = EventAccumulator(run + "/tensorboard", size_guidance=dict.fromkeys(("scalars", "histograms", "images", "tensors"), 0))
events.Reload()
tags = events.Tags()
answer = {"scalars": {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in tags["scalars"]}}

weights = {}
for tag in tags["histograms"]:
    for e in events.Histograms(tag):
        h = e.histogram_value
        assert sum(h.bucket) == h.num and len(h.bucket) == len(h.bucket_limit), tag
        weights.setdefault(e.step, []).append(h)
answer["weights"] = {step: [sum(h.num for h in all), min(h.min for h in all), max(h.max for h in all),
                            sum(h.sum for h in all), sum(h.sum_squares for h in all)] for step, all in weights.items()}
from safetensors.numpy import load_file
saved = numpy.concatenate([t.ravel() for t in load_file(run + "/checkpoints/last/model.safetensors").values()]).astype("float64")
answer["saved"] = [len(saved), saved.min(), saved.max(), saved.sum(), (saved ** 2).sum()]

# Each picture against the counts that it was drawn from: within a row, a larger count is never lighter.
answer["pictures"] = {}
for tag in tags["images"]:
    for e in events.Images(tag):
        counts = json.load(open(f"{run}/evaluations/step-{e.step:08}.json"))["confusion"][tag.split("/")[1]]["counts"]
        picture = Image.open(io.BytesIO(e.encoded_image_string))
        assert picture.size == (e.width, e.height) and picture.mode == "RGB", tag
        rows, columns = len(counts), len(counts[0])
        cell = min(max(640 // max(rows, columns), 7), 32)
        left, top = e.width - 6 - columns * cell, e.height - 6 - rows * cell
        assert left > 0 and top > 0, tag
        for i, row in enumerate(counts):
            if not sum(row): continue
            light = [sum(picture.getpixel((left + j * cell, top + i * cell))) for j in range(columns)]
            ordered = sorted(zip(row, light))
            assert all(a[1] >= b[1] for a, b in zip(ordered, ordered[1:])), (tag, i)
            assert light[row.index(max(row))] < 765, (tag, i, "nothing is seen")
        answer["pictures"].setdefault(tag, []).append(e.step)

answer["config"] = events.Tensors("config")[-1].tensor_proto.string_val[0].decode()
start = HParamsPluginData.FromString(events.PluginTagToContent("hparams")["_hparams_/session_start_info"]).session_start_info
answer["lr"] = start.hparams["train.lr"].number_value
answer["kind"] = start.hparams["model.kind"].string_value
print(json.dumps(answer))
)";

TEST(TensorBoard, ReadsTheVeryFiguresOfARunThatWasKilledAndResumed) {
  ETUDE_NEEDS_TRACK_ORACLE();
  const Workshop shop;
  ASSERT_NO_FATAL_FAILURE(train_through_a_kill(shop, 200, ""));
  const std::filesystem::path run = shop.run("run");
  const json read = json::parse(run_python(kReadEvents, {run.string()}, *track_oracle()));

  for (const auto& [name, expected] : figures_of(run)) {
    ASSERT_TRUE(read["scalars"].contains(name)) << name;
    std::vector<std::pair<std::int64_t, double>> rounded;
    for (const auto& [step, value] : expected)
      rounded.emplace_back(step, static_cast<double>(static_cast<float>(value)));
    EXPECT_EQ(read["scalars"][name].get<decltype(rounded)>(), rounded) << name;
  }
  const auto evaluations = std::vector<int>{40, 80, 120, 160, 200};
  for (const char* name : {"families", "pitches", "pitch_classes"}) {
    EXPECT_EQ(read["pictures"]["confusion/" + std::string(name)].get<std::vector<int>>(), evaluations) << name;
  }
  const json whole = json::parse(slurp(run / "evaluations" / "step-00000200.json"));
  EXPECT_FLOAT_EQ(read["scalars"]["eval_by_family/Pitch"].back()[1].get<float>(),
                  whole["by_family"]["Pitch"]["loss"].get<float>());
  // The last evaluation is of the weights that were kept.
  EXPECT_EQ(read["weights"].size(), evaluations.size());
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(read["weights"]["200"][i].get<double>(), read["saved"][i].get<double>(), 1e-6) << i;
  }
  EXPECT_EQ(read["config"], "```\n" + slurp(run / "config.yaml") + "```\n") << "the last session's";
  EXPECT_EQ(read["lr"], 2e-3);
  EXPECT_EQ(read["kind"], "gpt2");
}

TEST(TensorBoard, ShowsAndPlaysAPieceOfEachEvaluationAndTheWeightsDoNotNotice) {
  ETUDE_NEEDS_TRACK_ORACLE();
  const Workshop shop;
  ASSERT_EQ(etude(shop.train("run", 20, "--set evaluate.every=10 --set track.piece_tokens=120")).exit_code, 0);
  ASSERT_EQ(etude(shop.train("plain", 20, "--set evaluate.every=10")).exit_code, 0);
  EXPECT_TRUE(shop.weights("run") == shop.weights("plain"));
  const json read = json::parse(run_python(R"(
import io, json, sys, wave
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1] + "/tensorboard", size_guidance={"images": 0, "audio": 0})
events.Reload()
answer = {"rolls": [], "sounds": []}
for e in events.Images("piece/roll"):
    picture = Image.open(io.BytesIO(e.encoded_image_string)).convert("RGB")
    colours = {c for _, c in picture.getcolors(1 << 20)}
    answer["rolls"].append([e.step, any(blue > red + 50 for red, _, blue in colours)])
for e in events.Audio("piece/sound") if "piece/sound" in events.Tags()["audio"] else []:
    sound = wave.open(io.BytesIO(e.encoded_audio_string))
    samples = sound.readframes(sound.getnframes())
    answer["sounds"].append([e.step, sound.getframerate() == e.sample_rate, e.length_frames == sound.getnframes(), any(samples)])
print(json.dumps(answer))
)",
                                           {shop.run("run").string()}, *track_oracle()));
  EXPECT_EQ(read["rolls"], json::parse("[[10, true], [20, true]]"));
  if (!read["sounds"].empty()) {
    EXPECT_EQ(read["sounds"], json::parse("[[10, true, true, true], [20, true, true, true]]"));
  }
  EXPECT_EQ(etude(shop.train("mute", 20, "--set track.piece_tokens=120 --set track.tensorboard=false")).exit_code, 2);
}

TEST(TensorBoard, IsLeftOutWhereNobodyWantsIt) {
  const Workshop shop;
  ASSERT_EQ(etude(shop.train("run", 3, "--set track.tensorboard=false")).exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(shop.run("run") / "tensorboard"));
  EXPECT_FALSE(std::filesystem::exists(shop.run("run") / "track.json"));
}

/// A Python program that serves on a port of its own, and says so: "port 8080".
class PythonServer {
 public:
  explicit PythonServer(const std::string& script, const std::string& path = "") {
    std::ofstream(folder_.path() / "server.py") << script;
    const std::string python = "env PYTHONUNBUFFERED=1 MLFLOW_DISABLE_TELEMETRY=true PYTHONPATH='" + path + "' '" +
                               oracle_python().value() + "'";
    process_.emplace(python + " " + (folder_.path() / "server.py").string() + " " + folder_.path().string(),
                     (folder_.path() / "said").string());
    const auto port = [&] {
      const std::string said = slurp(folder_.path() / "said");
      const auto at = said.find("port ");
      return at == std::string::npos ? 0 : std::atoi(said.c_str() + at + 5);
    };
    if (!eventually([&] { return port() > 0 || !process_->running(); }) || port() == 0) {
      throw std::runtime_error("the server does not start: " + slurp(folder_.path() / "said"));
    }
    port_ = port();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::filesystem::path path() const { return folder_.path(); }
  void kill() { process_.reset(); }

 private:
  TemporaryFolder folder_;
  std::optional<Background> process_;
  int port_ = 0;
};

/// MLflow's own tracking server, with all it knows in SQLite.
constexpr const char* kMlflow = R"(
import logging, os, sys
os.environ["_MLFLOW_SERVER_FILE_STORE"] = "sqlite:///" + sys.argv[1] + "/mlflow.db"
os.environ["_MLFLOW_SERVER_ARTIFACT_ROOT"] = sys.argv[1] + "/artifacts"
from mlflow.server import app
from werkzeug.serving import make_server
logging.getLogger("werkzeug").setLevel(logging.ERROR)
app.test_client().get("/api/2.0/mlflow/experiments/get?experiment_id=0")  # makes the database
server = make_server("127.0.0.1", 0, app, threaded=True)
print("port", server.port)
server.serve_forever()
)";

/// All that it knows, asked through its REST API.
constexpr const char* kAskMlflow = R"(
import json, sys, urllib.error, urllib.parse, urllib.request
def ask(what, body=None, **query):
    url = sys.argv[1] + "/api/2.0/mlflow/" + what + "?" + urllib.parse.urlencode(query)
    data = None if body is None else json.dumps(body).encode()
    return json.load(urllib.request.urlopen(urllib.request.Request(url, data, {"Content-Type": "application/json"})))
try:
    experiment = ask("experiments/get-by-name", experiment_name=sys.argv[2])["experiment"]["experiment_id"]
except urllib.error.HTTPError:  # not made yet
    print("[]"); sys.exit()
runs = ask("runs/search", {"experiment_ids": [experiment]})["runs"]
for run in runs:
    run["history"] = {}
    for metric in run["data"].get("metrics", []):
        found = ask("metrics/get-history", run_id=run["info"]["run_id"], metric_key=metric["key"], max_results=25000)
        run["history"][metric["key"]] = [[m["step"], m["value"]] for m in found["metrics"]]
print(json.dumps(runs))
)";

std::map<std::string, std::string> by_key(const json& list) {
  std::map<std::string, std::string> found;
  for (const json& entry : list) found[entry["key"]] = entry["value"];
  return found;
}

TEST(Mlflow, HasAllOfARunThatWasKilledAndResumed) {
  ETUDE_NEEDS_TRACK_ORACLE();
  PythonServer server(kMlflow, *track_oracle());
  const Workshop shop;
  const std::string told = "--set track.mlflow=" + server.url() + " --set \"track.experiment=études & more\"";
  const auto runs_there = [&] { return json::parse(run_python(kAskMlflow, {server.url(), "études & more"})); };
  const auto knows_some = [&] {
    const json runs = std::filesystem::exists(shop.run("run") / "track.json") ? runs_there() : json();
    return !runs.empty() && runs[0]["history"].contains("train/loss");
  };
  ASSERT_NO_FATAL_FAILURE(train_through_a_kill(shop, 600, told + " --set train.log_every=5", knows_some));
  const json runs = runs_there();
  ASSERT_EQ(runs.size(), 1U) << "a resumed run is the same run";
  const json& run = runs[0];
  EXPECT_EQ(run["info"]["status"], "FINISHED");
  EXPECT_EQ(run["info"]["run_name"], "small");
  EXPECT_EQ(run["info"]["run_id"], json::parse(slurp(shop.run("run") / "track.json"))["mlflow"]["run"]);

  const auto parameters = by_key(run["data"]["params"]), tags = by_key(run["data"]["tags"]);
  EXPECT_EQ(parameters.at("train.lr"), "0.002");
  EXPECT_EQ(parameters.at("model.kind"), "gpt2");
  EXPECT_EQ(parameters.at("track.batch"), "1") << "MLflow lets no parameter change";
  EXPECT_EQ(tags.at("resumed with track.batch"), "7");
  EXPECT_EQ(tags.at("host"), json::parse(slurp(shop.run("run") / "environment.json"))["host"]);

  // Each figure once, as metrics.jsonl has it; but steps that were made twice were told when they were made first, and
  // took another time.
  const std::set<std::string> of_time{"train/seconds", "train/tokens_per_second", "train/data_wait",
                                      "train/communication_wait", "train/mfu"};
  for (const auto& [name, expected] : figures_of(shop.run("run"))) {
    auto history = run["history"][name].get<std::vector<std::pair<std::int64_t, double>>>();
    std::sort(history.begin(), history.end());
    ASSERT_EQ(history.size(), expected.size()) << name;
    for (std::size_t i = 0; i < history.size(); ++i) {
      EXPECT_EQ(history[i].first, expected[i].first) << name;
      EXPECT_TRUE(of_time.contains(name) || history[i].second == expected[i].second) << name;
    }
  }

  // A run that ends otherwise.
  const std::string timed = shop.train("timed", 100'000, told + " --set train.time_limit=1");
  EXPECT_EQ(etude(timed).exit_code, 75);
  const json more = runs_there();
  ASSERT_EQ(more.size(), 2U);
  EXPECT_EQ(more[0]["info"]["status"], "KILLED");
}

/// Accepts connections and says nothing.
constexpr const char* kSilent = R"(
import socket, time
listener = socket.create_server(("127.0.0.1", 0), backlog=100)
print("port", listener.getsockname()[1])
held = []
while True: held.append(listener.accept())
)";

std::int64_t count_of(const std::string& text, const std::string& part) {
  std::int64_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(Trackers, ThatAreAbsentOrSilentCostNothingButTwoWarnings) {
  ETUDE_NEEDS_TRACK_ORACLE();
  const Workshop shop;
  ASSERT_EQ(etude(shop.train("alone", 60)).exit_code, 0);
  PythonServer absent(kSilent), silent(kSilent);
  absent.kill();
  const ShellResult result =
      run_shell("timeout 100 " + etude_program() + " " +
                shop.train("told", 60,
                           "--set track.url=" + absent.url() + "/hook --set track.mlflow=" + silent.url() +
                               " --set track.file=" + (shop.path() / "no" / "folder").string()));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_TRUE(shop.weights("alone") == shop.weights("told"));
  const std::string log = slurp(shop.run("told") / "log.txt");
  for (const char* name : {"track.url: ", "track.mlflow: ", "track.file: "}) EXPECT_LE(count_of(log, name), 2) << log;
  EXPECT_THAT(log, AllOf(HasSubstr("track.url: no answer from " + absent.url() + "/hook"),
                         HasSubstr("track.url: 62 of 62 messages"), HasSubstr("track.mlflow: 62 of 62 messages"),
                         HasSubstr("track.file: 62 of 62 messages")));
}

/// Takes messages when it likes: the first are refused for now, or answered with what is no HTTP, or late.
constexpr const char* kMoody = R"(
import http.server, json, sys, time
mood = iter(["503", "garbage", "slow", "503", "cut"])
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        now = next(mood, "well")
        if now == "garbage":
            self.wfile.write(b"\x00\xffwhat?\r\n\r\n"); self.close_connection = True; return
        if now == "503":
            self.send_response(503); self.send_header("Content-Length", "0"); self.end_headers(); return
        if now == "slow": time.sleep(1)
        assert self.headers["Authorization"] == "Bearer open sesame" and self.path == "/hook?a=b"
        with open(sys.argv[1] + "/taken", "ab") as file: file.write(body + b"\n")
        if now == "cut": self.close_connection = True; return
        self.send_response(202); self.send_header("Content-Length", "5"); self.end_headers()
        self.wfile.write(b"\x00{[}<")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("port", server.server_port)
server.serve_forever()
)";

TEST(Trackers, AServerThatIsOutOfOrderForAWhileHasEverythingInTheEnd) {
  if (!oracle_python()) GTEST_SKIP() << "no Python (script/setup --test)";
  PythonServer server(kMoody);
  const Workshop shop;
  const auto file = shop.path() / "told.jsonl";
  const ShellResult result =
      run_shell("ETUDE_TRACK_TOKEN='open sesame' timeout 100 " + etude_program() + " " +
                shop.train("run", 60,
                           "--set 'track.url=" + server.url() +
                               "/hook?a=b' --set track.batch=20 --set track.file=" + file.string()));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const auto read = [](const std::filesystem::path& from) {
    std::vector<json> messages;
    std::istringstream text(slurp(from));
    for (std::string line; std::getline(text, line);) {
      const json body = json::parse(line);
      for (const json& message : body.is_array() ? body : json::array({body})) {
        const bool again = std::find(messages.begin(), messages.end(), message) != messages.end();
        if (!again) messages.push_back(message);  // one whose answer was lost comes again
      }
    }
    return messages;
  };
  std::vector<json> taken = read(server.path() / "taken"), filed = read(file);
  ASSERT_EQ(filed.size(), 64U);
  for (auto* messages : {&taken, &filed}) {
    EXPECT_EQ(messages->front()["event"], "begin");
    EXPECT_EQ(messages->front()["values"]["config"]["train.lr"], "0.002");
    EXPECT_EQ(messages->back()["values"]["state"], "finished");
    std::erase_if(*messages, [](const json& one) { return one["event"] == "begin" || one["event"] == "end"; });
  }
  EXPECT_TRUE(taken == filed);
  std::size_t at = 0;
  for (const json& row : metrics_with(shop.run("run"), "step")) {
    const json& message = filed.at(at++);
    EXPECT_EQ(message["step"], row["step"]);
    EXPECT_EQ(message["event"], row.contains("loss") ? "step" : "evaluation");
    json values = row;
    values.erase("step");
    EXPECT_EQ(message["values"], values);
  }
  EXPECT_EQ(at, filed.size());
  EXPECT_EQ(count_of(slurp(shop.run("run") / "log.txt"), "track."), 1) << slurp(shop.run("run") / "log.txt");
  EXPECT_NE(run_shell("grep -r 'open sesame' " + shop.run("run").string()).exit_code, 0) << "a secret is in a file";
}

}  // namespace
}  // namespace etude::testing
