#include "tests/report/fuzz_run_folder.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "data/midi/midi.h"
#include "framework/config/error.h"
#include "report/figures/figures.h"
#include "report/formats/formats.h"
#include "report/model.h"
#include "report/page/page.h"
#include "report/watch/frame.h"
#include "tests/report/run_folders.h"
#include "tests/support/damage.h"
#include "tests/support/oracle.h"

namespace etude::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Json music() {
  const Json values{{"generated", {52, 48.5}}, {"reference", {40, 44, 45}}};
  const Json figures{{"mean", 50.25}, {"deviation", 2.5}, {"n", 2}};
  const Json run{{"notes", 20},       {"telling", 18},   {"seconds", 5.5},
                 {"bar", 1},          {"last_bar", 4},   {"semitones", -3},
                 {"source", "a.mid"}, {"source_bar", 5}, {"source_last_bar", 8}};
  const Json copying{{"longest", run},
                     {"longest_exact", nullptr},
                     {"overlap", {{"8", 0.5}}},
                     {"overlap_exact", {{"8", 0.0}}},
                     {"copied", true}};
  const Json shared{{"pieces", 2}, {"median", 9.0},           {"max", 20},
                    {"copied", 1}, {"overlap", {{"8", 0.5}}}, {"overlap_exact", {{"8", 0.0}}}};
  return {{"folder", "generated"},
          {"seed", 1},
          {"step", 100},
          {"pack", "hash-of-pack"},
          {"reference", {{"split", "test"}, {"split_hash", "aaaa"}, {"pieces", 6}, {"most_notes", 100}}},
          {"pieces",
           {{{"file", "new-1.mid"},
             {"seconds", 4.0},
             {"notes", 12},
             {"bars", 2},
             {"measures", {{"pitch_range", 52}}},
             {"repetition", {{"8", 0.1}}},
             {"repetition_exact", {{"8", nullptr}}},
             {"copying", copying}}}},
          {"measures",
           {{{"name", "pitch_range"},
             {"words", "From the lowest to the highest"},
             {"unit", "semitones"},
             {"source", "MusPy"},
             {"generated", figures},
             {"reference", figures},
             {"overlap", 0.7},
             {"distance", 3.5},
             {"divergence", 0.2},
             {"values", values},
             {"sets", {{"overlap", 0.3}, {"divergence", 1.5}}}}}},
          {"histograms",
           {{{"name", "pitch_class"},
             {"words", "How often"},
             {"bins", {"C", "D"}},
             {"generated", {0.5, 0.5}},
             {"reference", {0.25, 0.75}},
             {"distance", 0.1}}}},
          {"structure", {{"bars", {1, 2}}, {"generated", {0.1, 0.2}}, {"reference", {0.3, nullptr}}, {"error", 0.1}}},
          {"copying",
           {{"threshold", 21.5},
            {"training", {{"pieces", 226}, {"notes", 5000}}},
            {"generated", shared},
            {"held_out", shared},
            {"copies", {{{"file", "new-1.mid"}, {"sentence", "bars 1 to 4 are of a.mid"}, {"run", run}}}}}}};
}

std::string piece() {
  data::Score score;
  score.title = "new";
  score.time_signatures = {{0, 3, 4}, {1440, 6, 8}};
  score.tempos = {{0, 100}, {960, 60}};
  data::Track track;
  for (int i = 0; i < 12; ++i) track.notes.push_back({i * 240, 240, 50 + 3 * i, 40 + i});
  track.pedals = {{0, 480}};
  score.tracks = {track};
  return data::midi::serialize(score);
}

/// Tensors of 24 weights in all, which are not there: nobody reads more than the header.
std::string weights() {
  const std::string header = R"({"a":{"dtype":"F32","shape":[4,5],"data_offsets":[0,80]},"b":{"shape":[4]}})";
  std::string file(8, '\0');
  file[0] = static_cast<char>(header.size());
  return file + header;
}

const char* const kJob =
    R"({"attempts":[{"began":1.7e9,"cause":"killed","code":255,"ended":1.70001e9,"engine_id":"","first_step":0,)"
    R"("last_step":20,"nodes":2,"ranks":2,"trained":true}],"host":"node1","judged_from":0,"progress":{"eval_loss":null,)"
    R"("loss":4.67,"seconds_left":0.93,"step":20,"steps":200,"tokens_per_second":67439.6},"state":"waiting",)"
    R"("updated":1.70001e9,"usage":{"core_hours":0.5,"cost":1.25,"currency":"EUR","gpu_hours":0.25,"hours":0.1,)"
    R"("node_hours":0.2},"words":"1.0s until it starts again"})";

const char* const kFloor =
    R"({"pack":"hash-of-pack","split":"validation","order":2,"loss":1.5,"loss_per_note":6.5,"tokens":1000,"notes":250,)"
    R"("learned_tokens":9000,"orders":[{"order":1,"loss":3.2,"loss_per_note":14.3},{"order":2,"loss":1.5}]})";

void write_whole_run(const fs::path& folder, const RunFolderSpec& spec) {
  write_run(folder, spec);
  write_text(folder / "music.json", music().dump());
  write_text(folder / "generated/new-1.mid", piece());
  write_text(folder / "floor.json", kFloor);
  write_text(folder / "job/status.json", kJob);
  write_text(folder / "log.txt", "training\n\x1b[2Jstep 100\n");
  const fs::path checkpoint = folder / "checkpoints/step-00000100";
  write_text(checkpoint / "state.json",
             R"json({"made_from":{"the pack (its hash)":"hash-of-pack"},"tokens":50000})json");
  write_text(checkpoint / "config.json", R"({"vocab_size":300,"n_layer":2})");
  write_text(checkpoint / "model.safetensors", weights());
  for (const char* link : {"last", "final"}) {
    fs::remove(folder / "checkpoints" / link);
    fs::create_directory_symlink("step-00000100", folder / "checkpoints" / link);
  }
}

/// Two seeds of one model and another model, the last of which is damaged.
class Runs {
 public:
  Runs() {
    write_whole_run(folder_.path() / "runs/a-1", {.seed = 1, .pieces = pieces_at(3, 5, 0.05, 1)});
    write_whole_run(folder_.path() / "runs/a-2", {.seed = 2, .pieces = pieces_at(3.1, 5, 0.05, 2)});
    write_whole_run(damaged(), {.kind = "transformer_xl", .pieces = pieces_at(2.5, 5, 0.05, 3)});
    fs::remove(damaged() / "environment.json");  // where the number of parameters stands: the weights are looked at
    write_text(damaged() / "environment.json", R"({"device": "CPU", "ranks": 2, "threads_per_rank": 4, "pack": "h"})");
  }
  std::vector<fs::path> folders() const {
    return {folder_.path() / "runs/a-1", folder_.path() / "runs/a-2", damaged()};
  }
  fs::path damaged() const { return folder_.path() / "runs/b"; }

 private:
  TemporaryFolder folder_;
};

const Runs& runs() {
  static const Runs runs;
  return runs;
}

/// The same everywhere but in this file while the object lives.
class Replaced {
 public:
  Replaced(fs::path file, const std::string& content) : file_(std::move(file)), good_(slurp(file_)) {
    std::ofstream(file_, std::ios::binary) << content;
  }
  ~Replaced() { std::ofstream(file_, std::ios::binary) << good_; }
  Replaced(const Replaced&) = delete;
  Replaced& operator=(const Replaced&) = delete;

 private:
  const fs::path file_;
  const std::string good_;
};

}  // namespace

const std::vector<std::string>& files_of_a_run() {
  static const std::vector<std::string> files{"config.yaml",
                                              "metrics.jsonl",
                                              "evaluation.json",
                                              "music.json",
                                              "floor.json",
                                              "environment.json",
                                              "tokenizer.json",
                                              "job/status.json",
                                              "checkpoints/last/state.json",
                                              "checkpoints/last/config.json",
                                              "checkpoints/last/model.safetensors",
                                              "generated/new-1.mid",
                                              "log.txt"};
  return files;
}

std::string good_file(std::size_t which) { return slurp(runs().damaged() / files_of_a_run()[which]); }

}  // namespace etude::testing

/// Whatever stands in one of a run's files (the first byte says in which): the run becomes a report in every form, and
/// is watched. Where it can be compared by what stands there, two others beside it come out as ever.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace etude;
  using testing::require;
  if (size == 0) return 0;
  const std::string& file = testing::files_of_a_run()[data[0] % testing::files_of_a_run().size()];
  const testing::Replaced replaced(testing::runs().damaged() / file,
                                   std::string(reinterpret_cast<const char*>(data) + 1, size - 1));

  std::vector<std::filesystem::path> folders{testing::runs().damaged()};
  if (file == "evaluation.json" || file == "tokenizer.json") folders = testing::runs().folders();
  const nlohmann::json model = report::make_model(folders, {});
  require(model["runs"].size() == folders.size(), "all runs are in the report");
  require(model["runs"].back()["step"] >= 0, "a step is none before the first");
  for (std::size_t good = 0; good + 1 < folders.size(); ++good) {
    const nlohmann::json& run = model["runs"][good];
    require(run["state"] == "finished" && run["parameters"] == 1234567 && run["metrics"].contains("loss_per_note") &&
                run["interval"]["low"].is_number() && run["interval"]["high"].is_number(),
            "a damaged run does no harm to those beside it");
  }
  require(!report::html_page(model).empty() && !report::markdown(model).empty() && !report::csv(model).empty() &&
              !report::latex(model).empty() &&
              !model.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).empty(),
          "the report can be written in every form");
  for (const report::Figure& figure : report::figures_of(model)) {
    require(figure.svg.starts_with("<svg") && figure.svg.find("nan") == figure.svg.npos, "a figure can be drawn");
  }

  report::Neighbourhood neighbourhood;
  std::vector<report::watch::RunView> views;
  for (const auto& folder : folders) views.emplace_back(folder);
  for (report::watch::RunView& view : views) view.poll(1.8e9, neighbourhood);
  for (const bool alone : {true, false}) {
    for (const auto axis : {report::watch::Axis::kSteps, report::watch::Axis::kTokens, report::watch::Axis::kTime}) {
      report::watch::Canvas canvas(100, 30);
      report::watch::draw(canvas, views,
                          {.axis = axis, .logarithmic = alone, .alone = alone, .chosen = folders.size() - 1});
      require(report::watch::as_text(canvas, false, false).find('\x1b') == std::string::npos,
              "nothing commands the terminal");
    }
  }
  for (const report::watch::RunView& view : views) {
    require(!report::watch::in_a_line(view).empty(), "each run is worth a line");
  }
  return 0;
}
