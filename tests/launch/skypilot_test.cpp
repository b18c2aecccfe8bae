#include "launch/skypilot.h"

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/error.h"
#include "tests/launch/stand_in.h"

namespace {

namespace fs = std::filesystem;
using etude::UsageError;
using etude::launch::EngineState;
using etude::launch::Phase;
using etude::testing::kHostile;
using etude::testing::read_yaml;
using etude::testing::RemoteJob;
using etude::testing::run_python;
using etude::testing::run_shell;
using etude::testing::StandIn;
using etude::testing::TemporaryFolder;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kCluster = R"(
engine: skypilot
nodes: 2
gpus_per_node: 8
infra: aws/us-east-1
accelerators: H100:8
cpus: 96+
memory: 512+
image: docker:etude:1.0
use_spot: true
job_recovery: eager_next_region
disk_size: 512
network_tier: best
buckets: {/etude/data/runs: s3://my-music/runs}
copies: {/etude/data/packs: s3://my-music/packs}
environment: {NCCL_DEBUG: WARN}
)";

/// The folder with SkyPilot for the oracle's Python; nothing where script/setup --test has not made it.
std::optional<std::string> skypilot() {
  const std::string folder = std::string(ETUDE_SOURCE_DIR) + "/.deps/oracle-sky";
  if (etude::testing::oracle_python() && fs::exists(folder + "/made-from")) return folder;
  return std::nullopt;
}

/// What SkyPilot makes of tasks: its own loader, and what it then holds.
std::vector<json> load_with_skypilot(const std::vector<std::string>& tasks) {
  TemporaryFolder folder;
  std::vector<std::string> files;
  for (const std::string& yaml : tasks) {
    files.push_back((folder.path() / (std::to_string(files.size()) + ".yaml")).string());
    std::ofstream(files.back()) << yaml;
  }
  ::setenv("HOME", folder.path().c_str(), 1);  // it makes a folder there
  ::setenv("SKYPILOT_DISABLE_USAGE_COLLECTION", "1", 1);
  return json::parse(run_python(R"(
import json, sys, sky
def held(task):
    resources, = task.resources
    return {
        'name': task.name, 'num_nodes': task.num_nodes, 'run': task.run, 'setup': task.setup, 'envs': dict(task.envs),
        'file_mounts': dict(task.file_mounts or {}), 'volumes': dict(task.volumes or {}),
        'storage': {path: [storage.source, storage.mode.value] for path, storage in task.storage_mounts.items()},
        'resources': {key: value for key, value in resources.to_yaml_config().items() if not key.startswith('_')}}
print(json.dumps([held(sky.Task.from_yaml(file)) for file in sys.argv[1:]]))
)",
                                files, skypilot().value()));
}

#define ETUDE_NEEDS_SKYPILOT()                                                                      \
  do {                                                                                              \
    if (!skypilot()) GTEST_SKIP() << "script/setup --test installs SkyPilot into .deps/oracle-sky"; \
  } while (false)

TEST(SkypilotTask, IsReadBySkypilotAsWhatTheClusterFileSays) {
  ETUDE_NEEDS_SKYPILOT();
  RemoteJob here(kCluster), least("engine: skypilot\nvolumes: {/etude/data: music}\njob_recovery: failover\n");
  std::vector<std::string> all{here.script(), least.script()};
  std::vector<std::unique_ptr<RemoteJob>> ready;
  for (const char* cloud : {"aws", "gcp", "lambda"}) {
    const fs::path file = fs::path(ETUDE_SOURCE_DIR) / "clusters" / ("skypilot-" + std::string(cloud) + ".yaml");
    ready.push_back(std::make_unique<RemoteJob>(etude::testing::slurp(file)));
    all.push_back(ready.back()->script());
  }
  const std::vector<json> tasks = load_with_skypilot(all);
  const json &task = tasks[0], &small = tasks[1];
  EXPECT_EQ(task.at("name"), "etude-demo-1f3a9c04");
  EXPECT_EQ(task.at("num_nodes"), 2);
  EXPECT_EQ(task.at("envs"), json::parse(R"({"NCCL_DEBUG": "WARN"})"));
  const json& resources = task.at("resources");
  EXPECT_EQ(resources.at("infra"), "aws/us-east-1");
  EXPECT_EQ(resources.at("accelerators"), json::parse(R"({"H100": 8})"));
  EXPECT_EQ(resources.at("cpus"), "96+");
  EXPECT_EQ(resources.at("memory"), "512+");
  EXPECT_EQ(resources.at("use_spot"), true);
  EXPECT_EQ(resources.at("disk_size"), 512);
  EXPECT_EQ(resources.at("network_tier"), "best");
  EXPECT_EQ(resources.at("image_id").dump(), R"({"us-east-1":"docker:etude:1.0"})");
  EXPECT_EQ(resources.at("job_recovery").at("strategy"), "EAGER_NEXT_REGION");
  EXPECT_EQ(task.at("storage"), json::parse(R"({"/etude/data/runs": ["s3://my-music/runs", "MOUNT_CACHED"]})"));
  EXPECT_EQ(task.at("file_mounts").at("/etude/data/packs"), "s3://my-music/packs");
  for (const char* file : {"job.json", "experiment.yaml", "cluster.yaml"}) {
    EXPECT_EQ(task.at("file_mounts").at(std::string("/etude/order/") + file), (here.job.folder / file).string());
  }
  EXPECT_EQ(small.at("num_nodes"), 1);
  EXPECT_EQ(small.at("volumes"), json::parse(R"({"/etude/data": "music"})"));
  EXPECT_EQ(small.at("resources"), json::parse(R"({"job_recovery": {"strategy": "FAILOVER"}})"));
  EXPECT_EQ(small.at("setup"), nullptr);
  for (std::size_t i = 0; i < ready.size(); ++i) {
    EXPECT_EQ(tasks[2 + i].at("setup"), "bash /etude/install.sh\n");
    EXPECT_EQ(tasks[2 + i].at("resources").at("accelerators"), json::parse(R"({"A100": 8})"));
  }
}

TEST(SkypilotTask, HarmfulTextsAreTextsInSkypilotToo) {
  ETUDE_NEEDS_SKYPILOT();
  json environment;
  for (std::size_t i = 0; i < kHostile.size(); ++i) environment["V" + std::to_string(i)] = kHostile[i];
  std::string yaml = kCluster;
  yaml.replace(yaml.find("{NCCL_DEBUG: WARN}"), 18, environment.dump());
  RemoteJob here(yaml), tame(kCluster);
  const std::vector<json> tasks = load_with_skypilot({here.script(), tame.script()});
  EXPECT_EQ(tasks[0].at("envs"), environment);
  for (const char* key : {"name", "num_nodes", "run", "setup", "storage", "resources"}) {
    EXPECT_EQ(tasks[0].at(key), tasks[1].at(key)) << key;
  }
}

/// Runs the task's run block as SkyPilot does on a node, `etude` being a stand-in that writes down its arguments.
struct Ran {
  int code;
  std::vector<std::string> words;
  bool harmed;
};
Ran run_block(const std::string& yaml, const std::string& rank) {
  TemporaryFolder folder;
  const std::string run = read_yaml(yaml).at(0).at("run").get<std::string>();
  std::ofstream(folder.path() / "run.sh") << run;
  const auto result = run_shell("cd " + folder.path().string() + " && SKYPILOT_NODE_RANK=" + rank + " bash run.sh");
  std::istringstream stream(result.output);
  std::vector<std::string> words;
  for (std::string word; std::getline(stream, word, '\0');) words.push_back(word);
  bool harmed = false;
  for (const auto& file : fs::directory_iterator(folder.path())) harmed |= file.path().filename() != "run.sh";
  return {result.exit_code, words, harmed};
}

TEST(SkypilotTask, OnlyTheFirstNodeStartsTheSupervisorInTheFolderOfTheExperiment) {
  ETUDE_NEEDS_ORACLE();
  TemporaryFolder folder;
  const std::string program = (folder.path() / "etude $(touch hit) 'x'").string();
  std::ofstream(program) << "#!/bin/bash\nprintf '%s\\0' \"$PWD\" \"$@\"\nexit 75\n";
  fs::permissions(program, fs::perms::owner_all);
  RemoteJob here("engine: skypilot\nbuckets: {" + folder.path().string() +
                 ": s3://music}\ndirectory: " + folder.path().string() + "\nprogram: " + json(program).dump() + "\n");
  const Ran first = run_block(here.script(), "0");
  EXPECT_EQ(first.code, 75);
  EXPECT_THAT(first.words, ElementsAre(folder.path().string(), "supervise", "/etude/order"));
  EXPECT_FALSE(first.harmed);
  const Ran second = run_block(here.script(), "1");
  EXPECT_EQ(second.code, 0);
  EXPECT_THAT(second.words, ElementsAre());
}

TEST(SkypilotTask, TheSetupScriptIsSourcedAndSeesNoArguments) {
  ETUDE_NEEDS_ORACLE();
  TemporaryFolder folder;
  const std::string program = (folder.path() / "etude").string();
  const std::string setup = (folder.path() / "setup $(touch hit); 'x' \"y\".sh").string();
  std::ofstream(program) << "#!/bin/bash\nprintf '%s\\0' \"$GIVEN\" \"$@\"\n";
  fs::permissions(program, fs::perms::owner_all);
  std::ofstream(setup) << "export GIVEN=\"$#\"\n";
  RemoteJob here("engine: skypilot\nbuckets: {" + folder.path().string() + ": s3://music}\ndirectory: " +
                 folder.path().string() + "\nprogram: " + program + "\nsetup: " + json(setup).dump() + "\n");
  const Ran ran = run_block(here.script(), "0");
  EXPECT_THAT(ran.words, ElementsAre("0", "supervise", "/etude/order"));
  EXPECT_FALSE(ran.harmed);
}

TEST(SkypilotTask, EveryKeyRefusesWhatWouldBeReadAsMoreThanText) {
  for (const std::string key :
       {"infra", "accelerators", "instance_type", "cpus", "memory", "image", "network_tier", "network", "directory"}) {
    for (const std::string text : {"$(touch hit)", "`touch hit`", "; touch hit", "a\nb", "--help", "a b", "${HOME}"}) {
      EXPECT_THROW(RemoteJob("engine: skypilot\nbuckets: {/etude: s3://m}\n" + key + ": " + json(text).dump() + "\n"),
                   UsageError)
          << key << " " << text;
    }
  }
  for (const std::string key : {"buckets", "volumes", "copies"}) {
    for (const std::string text : {"$HOME", "${HOME}", "a\nb", "--help"}) {
      EXPECT_THROW(RemoteJob("engine: skypilot\n" + key + ": {/etude: " + json(text).dump() + "}\n"), UsageError);
      EXPECT_THROW(RemoteJob("engine: skypilot\n" + key + ": {" + json(text).dump() + ": s3://m}\n"), UsageError);
    }
  }
}

TEST(SkypilotTask, RefusesWhatDoesNotGoTogether) {
  const auto complaint = [](const std::string& yaml) -> std::string {
    try {
      RemoteJob{"engine: skypilot\n" + yaml};
      return "";
    } catch (const UsageError& error) {
      return error.what();
    }
  };
  EXPECT_THAT(complaint("buckets: {/packs: s3://m}\n"), HasSubstr("/etude/data/runs/demo"));
  EXPECT_THAT(complaint("buckets: {/etude: s3://m}\ngpus_per_node: 8\n"), HasSubstr("accelerators"));
  EXPECT_THAT(complaint("buckets: {/etude: s3://m}\naccelerators: H100:8\n"), HasSubstr("gpus_per_node"));
  EXPECT_THAT(complaint("buckets: {/etude: s3://m}\ntime: 2h\n"), HasSubstr("--max-hours"));
  EXPECT_THAT(complaint("buckets: {/etude: music}\n"), HasSubstr("s3://"));
}

/// One record as SkyPilot 0.14.1 prints it, of those fields that are not null.
std::string queue_with(const std::string& status, const std::string& more = "") {
  return "[\n  {\n    \"job_id\": 6,\n    \"job_name\": \"another\",\n    \"status\": \"RUNNING\"\n  },\n  {\n    "
         "\"job_id\": 7,\n"
         "    \"job_name\": \"etude-demo-1f3a9c04\",\n    \"failure_reason\": null,\n    \"details\": null,\n    "
         "\"status\": \"" +
         status + "\"" + more + "\n  }\n]\n";
}

TEST(SkypilotState, IsTheStatusOfTheManagedJob) {
  // Every ManagedJobStatus of SkyPilot 0.14.1.
  const std::vector<std::pair<std::string, Phase>> cases{
      {"PENDING", Phase::kQueued},           {"SUBMITTED", Phase::kQueued},
      {"STARTING", Phase::kQueued},          {"RECOVERING", Phase::kQueued},
      {"RUNNING", Phase::kRunning},          {"WINDING_DOWN", Phase::kRunning},
      {"CANCELLING", Phase::kRunning},       {"SUCCEEDED", Phase::kEnded},
      {"CANCELLED", Phase::kEnded},          {"FAILED", Phase::kEnded},
      {"FAILED_SETUP", Phase::kEnded},       {"FAILED_PRECHECKS", Phase::kEnded},
      {"FAILED_NO_RESOURCE", Phase::kEnded}, {"FAILED_CONTROLLER", Phase::kEnded}};
  for (const auto& [status, phase] : cases) {
    StandIn sky("sky");
    sky.answer("jobs-queue", queue_with(status));
    RemoteJob here(kCluster);
    here.job.id = "7";
    const EngineState state = here.engine().state(here.job);
    EXPECT_EQ(state.phase, phase) << status;
    EXPECT_EQ(state.words, status);
    EXPECT_THAT(sky.last_call(), ElementsAre("jobs", "queue", "--all", "--output", "json"));
  }
  StandIn sky("sky");
  sky.answer("jobs-queue",
             "Fetching...\n[\n {\"job_id\": 7, \"status\": \"FAILED_NO_RESOURCE\", \"failure_reason\": \"no H100 "
             "anywhere\"}]\n");
  RemoteJob here(kCluster);
  here.job.id = "7";
  EXPECT_EQ(here.engine().state(here.job).words, "FAILED_NO_RESOURCE (no H100 anywhere)");
}

// The end of what SkyPilot 0.14.1 said where no server listened.
const std::string kNoServer =
    "Traceback (most recent call last):\n  File \"sky\", line 8, in <module>\n"
    "sky.exceptions.ApiServerConnectionError: Could not connect to SkyPilot API server at http://127.0.0.1:9. Please "
    "ensure "
    "that the server is running. Try: curl http://127.0.0.1:9/api/health\n";

TEST(SkypilotState, AServerOutOfReachIsNotAFailedJob) {
  StandIn sky("sky");
  sky.answer("jobs-queue", "", kNoServer, 1);
  sky.answer("jobs-launch", "", kNoServer, 1);
  RemoteJob here(kCluster);
  here.job.id = "7";
  const EngineState state = here.engine().state(here.job);
  EXPECT_EQ(state.phase, Phase::kUnknown);
  EXPECT_THAT(state.words, HasSubstr("Could not connect to SkyPilot API server"));
  EXPECT_THROW(here.engine().find(here.job), etude::Error);
  try {
    here.engine().submit(*here.cluster, {&here.job});
    FAIL() << "submitted to nobody";
  } catch (const UsageError&) {
    FAIL() << "a server out of reach is nobody's misuse";
  } catch (const etude::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("Could not connect"));
  }
}

TEST(SkypilotState, AJobThatTheQueueDoesNotListIsAbsent) {
  StandIn sky("sky");
  sky.answer("jobs-queue", "[]\n");
  RemoteJob here(kCluster);
  here.job.id = "7";
  EXPECT_EQ(here.engine().state(here.job).phase, Phase::kAbsent);
  EXPECT_EQ(here.engine().find(here.job), std::nullopt);
}

TEST(SkypilotCommands, AreThoseOfItsDocumentation) {
  StandIn sky("sky");
  sky.answer("jobs-queue", queue_with("STARTING"));
  RemoteJob here(kCluster);
  here.engine().submit(*here.cluster, {&here.job});
  EXPECT_EQ(here.job.id, "7");
  const std::string file = (here.job.folder / "task.yaml").string();
  EXPECT_THAT(sky.calls(), StartsWith("jobs launch --yes --detach-run --name etude-demo-1f3a9c04 " + file + "\n"));
  EXPECT_EQ(etude::testing::slurp(file), here.script());
  here.engine().cancel(here.job);
  EXPECT_THAT(sky.last_call(), ElementsAre("jobs", "cancel", "--yes", "7"));
  here.engine().ask_to_stop(here.job);
  EXPECT_THAT(sky.last_call(), ElementsAre("jobs", "cancel", "--yes", "--graceful", "7"));
  // Of a job that failed, `sky jobs logs` ends with 100.
  sky.answer("jobs-logs",
             "(etude-demo-1f3a9c04, pid=4021) etude-status {\"a\": 1}\n(head, rank=0, pid=12) (a) b\nplain\n", "", 100);
  EXPECT_EQ(here.engine().logs(here.job), "etude-status {\"a\": 1}\n(a) b\nplain\n");
  EXPECT_THAT(sky.last_call(), ElementsAre("jobs", "logs", "--no-follow", "--tail", "0", "7"));
}

TEST(SkypilotCommands, OptionsAreKnownToItsCommandLine) {
  ETUDE_NEEDS_SKYPILOT();
  const std::string options = run_python(R"(
from sky.client.cli import command
for name in ['launch', 'queue', 'cancel', 'logs']:
    print(name, *[flag for option in command.jobs.commands[name].params for flag in [*option.opts, *option.secondary_opts]], '')
)",
                                         {}, skypilot().value());
  const std::vector<std::pair<std::string, std::vector<std::string>>> used{
      {"launch", {"--yes", "--detach-run", "--name"}},
      {"queue", {"--all", "--output"}},
      {"cancel", {"--yes", "--graceful"}},
      {"logs", {"--no-follow", "--tail"}}};
  for (const auto& [command, flags] : used) {
    const std::string all = "\n" + options;
    const std::size_t begin = all.find("\n" + command + " ");
    const std::string line = all.substr(begin + 1, all.find('\n', begin + 1) - begin - 1);
    for (const std::string& flag : flags) EXPECT_THAT(line, HasSubstr(" " + flag + " ")) << command;
  }
}

TEST(SkypilotRanks, AreStartedOnTheAddressesOfTheJob) {
  ::setenv("SKYPILOT_NODE_IPS", "10.0.0.4\n10.0.0.7", 1);
  RemoteJob here(kCluster + "network: 10.0.0.0/16\n");
  EXPECT_EQ(here.engine().nodes(*here.cluster), 2);
  const std::string line = etude::process::shell_line(
      here.engine().start_ranks(*here.cluster, here.job, {"etude", "train", "x.yaml", "--resume"}));
  ::unsetenv("SKYPILOT_NODE_IPS");
  EXPECT_THAT(line, StartsWith("mpirun -n 16 -H 10.0.0.4:8,10.0.0.7:8 "));
  EXPECT_THAT(line, HasSubstr("--mca btl_tcp_if_include 10.0.0.0/16"));
  EXPECT_THAT(line, HasSubstr("-x NCCL_DEBUG"));
  EXPECT_TRUE(line.ends_with(" etude train x.yaml --resume")) << line;
}

}  // namespace
