#include "launch/slurm.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/error.h"
#include "launch/cluster.h"
#include "launch/job.h"
#include "tests/support/oracle.h"

namespace {

namespace fs = std::filesystem;
using etude::UsageError;
using etude::launch::Cluster;
using etude::launch::EngineState;
using etude::launch::Job;
using etude::launch::Phase;
using etude::launch::SlurmEngine;
using etude::launch::SlurmOptions;
using etude::process::Command;
using etude::process::Outcome;
using etude::testing::run_shell;
using etude::testing::ShellResult;
using etude::testing::slurp;
using etude::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
namespace slurm = etude::launch::slurm;

/// A job in a folder of its own, with a supervisor that writes down how it was called.
class Workplace {
 public:
  explicit Workplace(const std::string& folder_name = "job") {
    job.name = "demo";
    job.token = "etude-demo-1f3a9c";
    job.folder = job.order = folder_.path() / folder_name;
    fs::create_directories(job.folder);
    job.run = folder_.path();
    job.output = job.folder / "output.txt";
    job.program = "/opt/etude/bin/etude";
    job.supervisor = (folder_.path() / "supervisor").string();
    std::ofstream(job.supervisor) << "#!/bin/bash\nprintf '%s\\n' \"$0\" \"$@\" >'" << called().string()
                                  << "'\nenv -0 >'" << environment_file().string() << "'\n";
    fs::permissions(job.supervisor, fs::perms::owner_all);
  }

  /// What bash makes of the script, as the batch process of a job would be run.
  ShellResult run_script(const std::string& script, const std::string& variables = "") const {
    std::ofstream(folder_.path() / "script") << script;
    return run_shell("cd " + folder_.path().string() + " && bash -n script && " + variables + " bash script");
  }
  fs::path path() const { return folder_.path(); }
  fs::path called() const { return folder_.path() / "called"; }
  fs::path environment_file() const { return folder_.path() / "environment"; }

  Job job;
  Cluster cluster;
  SlurmOptions options;

 private:
  TemporaryFolder folder_;
};

std::vector<std::string> options_of(const std::string& script) {
  std::vector<std::string> options;
  std::istringstream lines(script);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#SBATCH ")) options.push_back(line.substr(8));
  }
  return options;
}

TEST(SlurmScript, AsksForWhatTheClusterFileSays) {
  Workplace here;
  here.cluster.nodes = 2;
  here.cluster.ranks_per_node = 4;
  here.cluster.gpus_per_node = 4;
  here.cluster.cores_per_rank = 8;
  here.cluster.time = 12 * 3600 + 1;  // Slurm counts in minutes; one more is not one less
  here.cluster.warning = 90.5;
  here.options.partition = "gpu,gpu-long";
  here.options.account = "music";
  here.options.constraint = "[rack1|rack2]&a100";
  here.options.memory = "64G";
  here.options.gpu_type = "a100";
  here.options.exclusive = true;
  here.options.extra = {"--mail-type=END", "--hold", "--mail-user=a b@example.org"};
  const std::string script = slurm::batch_script(here.options, here.cluster, {&here.job});
  EXPECT_TRUE(script.starts_with("#!/bin/bash\n"));
  EXPECT_THAT(
      options_of(script),
      ElementsAre("--job-name=etude-demo-1f3a9c", "--comment=\"etude: demo\"", "--partition=gpu,gpu-long",
                  "--account=music", "--constraint=[rack1|rack2]&a100", "--nodes=2", "--ntasks-per-node=4",
                  "--cpus-per-task=8", "--gpus-per-node=a100:4", "--mem=64G", "--exclusive", "--time=12:01:00",
                  "--signal=B:USR1@91", "--requeue", "--open-mode=append", "--output=" + here.job.output.string(),
                  "--mail-type=END", "--hold", "--mail-user=\"a b@example.org\""));
}

TEST(SlurmScript, ARangeOfNodesHasNoNumberOfTasks) {
  // With one, Slurm gives the smaller number of nodes, however many are idle.
  Workplace here;
  here.cluster.nodes = 4;
  here.cluster.min_nodes = 1;
  here.cluster.ranks_per_node = 2;
  here.cluster.cores_per_rank = 3;
  const auto options = options_of(slurm::batch_script(here.options, here.cluster, {&here.job}));
  EXPECT_THAT(options, ::testing::IsSupersetOf({"--nodes=1-4", "--mincpus=6"}));
  EXPECT_THAT(options, ::testing::Each(Not(HasSubstr("task"))));
}

TEST(SlurmScript, BecomesTheSupervisorWithWhatTheSetUpExports) {
  Workplace here("a folder's \"$HOME\"; job");
  here.cluster.setup = here.path() / "set up's.sh";
  std::ofstream(here.cluster.setup) << "false\nexport FROM_SETUP=yes\n";
  const std::string script = slurm::batch_script(here.options, here.cluster, {&here.job});
  const ShellResult result = here.run_script(script);
  EXPECT_EQ(result.exit_code, 0) << result.errors << script;
  EXPECT_EQ(slurp(here.called()), here.job.supervisor + "\nsupervise\n" + here.job.order.string() + "\n");
  EXPECT_THAT(slurp(here.environment_file()), HasSubstr("FROM_SETUP=yes"));
  EXPECT_FALSE(fs::exists(here.path() / "X"));
}

TEST(SlurmScript, ASetUpThatFailsIsNamedAndStartsNothing) {
  Workplace here;
  here.cluster.setup = here.path() / "setup.sh";
  std::ofstream(here.cluster.setup) << "return 7\n";
  const ShellResult result = here.run_script(slurm::batch_script(here.options, here.cluster, {&here.job}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("the setup script ended with 7: " + here.cluster.setup.string()));
  EXPECT_FALSE(fs::exists(here.called()));
}

TEST(SlurmScript, LoadsModulesInTheirOrder) {
  Workplace here;
  here.options.modules = {"gcc/12.2", "openmpi/4.1.4-gcc"};
  const std::string script = slurm::batch_script(here.options, here.cluster, {&here.job});
  // As the module command comes into a batch shell: a function of the environment.
  const ShellResult result = here.run_script(script, "env 'BASH_FUNC_module%%=() { echo \"$@\"; }'");
  EXPECT_EQ(result.output, "load gcc/12.2 openmpi/4.1.4-gcc\n") << result.errors;
  EXPECT_NE(here.run_script(script, "env -u BASH_FUNC_module%%").exit_code, 0) << "and not without them";
}

TEST(SlurmScript, EveryTaskOfAnArrayFindsItsOwnJob) {
  Workplace first, second, third;
  second.job.supervisor = third.job.supervisor = first.job.supervisor;
  const std::string script = slurm::batch_script(first.options, first.cluster, {&first.job, &second.job, &third.job});
  EXPECT_THAT(options_of(script), ::testing::Contains("--array=0-2"));
  EXPECT_EQ(first.run_script(script, "SLURM_ARRAY_TASK_ID=1").exit_code, 0);
  EXPECT_THAT(slurp(first.called()), HasSubstr("supervise\n" + second.job.order.string() + "\n"));
  EXPECT_EQ(first.run_script(script, "SLURM_ARRAY_TASK_ID=2").exit_code, 0);
  EXPECT_THAT(slurp(first.called()), HasSubstr("supervise\n" + third.job.order.string() + "\n"));
  EXPECT_EQ(first.run_script(script, "SLURM_ARRAY_TASK_ID=3").exit_code, 2);
}

TEST(SlurmScript, NothingInAnyFieldIsRunByTheShellOrBecomesAnOption) {
  const std::vector<std::string> hostile = {"$(touch X)",
                                            "`touch X`",
                                            "'; touch X; '",
                                            "\"; touch X; \"",
                                            "a\ntouch X",
                                            "a\n#SBATCH --uid=0",
                                            "; touch X",
                                            "| touch X",
                                            "-touch",
                                            "--uid=0",
                                            "&& touch X",
                                            "a b",
                                            "\\",
                                            "\"",
                                            "'",
                                            "a\rb",
                                            "${IFS}",
                                            ">X",
                                            "#",
                                            "x\x01y"};
  const std::vector<std::pair<std::string, std::function<void(Workplace&, const std::string&)>>> fields = {
      {"partition", [](Workplace& here, const std::string& text) { here.options.partition = text; }},
      {"account", [](Workplace& here, const std::string& text) { here.options.account = text; }},
      {"qos", [](Workplace& here, const std::string& text) { here.options.qos = text; }},
      {"constraint", [](Workplace& here, const std::string& text) { here.options.constraint = text; }},
      {"reservation", [](Workplace& here, const std::string& text) { here.options.reservation = text; }},
      {"memory", [](Workplace& here, const std::string& text) { here.options.memory = text; }},
      {"gpu_type",
       [](Workplace& here, const std::string& text) {
         here.cluster.gpus_per_node = 1;
         here.options.gpu_type = text;
       }},
      {"mpi", [](Workplace& here, const std::string& text) { here.options.mpi = text; }},
      {"image",
       [](Workplace& here, const std::string& text) {
         here.options.container = SlurmOptions::Container::kApptainer;
         here.options.image = text;
       }},
      {"mounts",
       [](Workplace& here, const std::string& text) {
         here.options.container = SlurmOptions::Container::kPyxis;
         here.options.image = "a.sqsh";
         here.options.mounts = {text};
       }},
      {"modules", [](Workplace& here, const std::string& text) { here.options.modules = {text}; }},
      {"extra", [](Workplace& here, const std::string& text) { here.options.extra = {text}; }},
      {"extra's value", [](Workplace& here, const std::string& text) { here.options.extra = {"--mail-user=" + text}; }},
      {"setup", [](Workplace& here, const std::string& text) { here.cluster.setup = text; }},
      {"name", [](Workplace& here, const std::string& text) { here.job.name = text; }},
      {"program", [](Workplace& here, const std::string& text) { here.job.program = text; }},
      {"output", [](Workplace& here, const std::string& text) { here.job.output = here.job.folder / text; }},
      {"order", [](Workplace& here, const std::string& text) { here.job.order = here.job.folder / text; }},
  };
  int passed = 0;
  for (const auto& [field, set] : fields) {
    Workplace plain;
    set(plain, field == "extra" ? "--hold" : "7");
    const auto expected = options_of(slurm::batch_script(plain.options, plain.cluster, {&plain.job})).size();
    for (const std::string& text : hostile) {
      Workplace here;
      set(here, text);
      std::string script;
      try {
        slurm::check(here.options, here.cluster);
        script = slurm::batch_script(here.options, here.cluster, {&here.job});
      } catch (const UsageError& refusal) {
        EXPECT_THAT(std::string(refusal.what()), Not(HasSubstr("\n"))) << field;
        continue;
      }
      ++passed;
      EXPECT_EQ(options_of(script).size(), expected) << field << ": " << text << "\n" << script;
      here.run_script(script, "env 'BASH_FUNC_module%%=() { :; }'");
      EXPECT_FALSE(fs::exists(here.path() / "X")) << field << ": " << text << "\n" << script;
      if (field != "setup") {
        EXPECT_EQ(slurp(here.called()), here.job.supervisor + "\nsupervise\n" + here.job.order.string() + "\n")
            << field << ": " << text << "\n"
            << script;
      }
    }
  }
  EXPECT_GT(passed, 80) << "what cannot hurt is let through";
}

TEST(SlurmScript, SaysWhatIsWrongWithAValue) {
  const auto refusal = [](const std::function<void(Workplace&)>& set) -> std::string {
    Workplace here;
    set(here);
    try {
      slurm::check(here.options, here.cluster);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(refusal([](Workplace&) {}), "");
  EXPECT_THAT(refusal([](Workplace& here) { here.options.memory = "64 GB"; }), HasSubstr("memory: '64 GB'"));
  EXPECT_THAT(refusal([](Workplace& here) { here.options.memory = "64GB"; }), HasSubstr("write 64G"));
  EXPECT_THAT(refusal([](Workplace& here) { here.options.image = "a.sif"; }), HasSubstr("container: apptainer"));
  EXPECT_THAT(refusal([](Workplace& here) { here.options.container = SlurmOptions::Container::kPyxis; }),
              HasSubstr("no image"));
  EXPECT_THAT(refusal([](Workplace& here) { here.options.gpu_type = "a100"; }), HasSubstr("gpus_per_node"));
  EXPECT_THAT(refusal([](Workplace& here) { here.options.extra = {"-t 5"}; }), HasSubstr("--name=value"));
  EXPECT_THAT(refusal([](Workplace& here) { here.options.extra = {"--partition=x"}; }), HasSubstr("partition:"));
  // sbatch takes an option's name for what it begins.
  EXPECT_THAT(refusal([](Workplace& here) { here.options.extra = {"--outp=x"}; }), HasSubstr("--output"));
}

TEST(SlurmRanks, SrunAndMpirunPlaceThemAlike) {
  Workplace here;
  here.cluster.ranks_per_node = 2;
  here.cluster.cores_per_rank = 4;
  const Command train{"etude", "train", "x.yaml"};
  EXPECT_THAT(slurm::start_ranks(here.options, here.cluster, 3, train),
              ElementsAre("srun", "--mpi=pmix", "--kill-on-bad-exit=1", "--export=ALL", "--nodes=3", "--ntasks=6",
                          "--ntasks-per-node=2", "--cpus-per-task=4", "--cpu-bind=cores", "etude", "train", "x.yaml"));
  here.options.starter = SlurmOptions::Starter::kMpirun;
  EXPECT_THAT(
      slurm::start_ranks(here.options, here.cluster, 3, train),
      ElementsAre("mpirun", "-n", "6", "--map-by", "ppr:2:node:PE=4", "--bind-to", "core", "etude", "train", "x.yaml"));
}

TEST(SlurmRanks, ContainersGoAroundTheProgramOrIntoSrun) {
  Workplace here;
  here.cluster.gpus_per_node = 1;
  here.options.container = SlurmOptions::Container::kApptainer;
  here.options.image = "/images/etude.sif";
  here.options.mounts = {"/data", "/scratch:/mnt"};
  const Command train{"etude", "train"};
  Command command = slurm::start_ranks(here.options, here.cluster, 1, train);
  EXPECT_THAT(
      Command(command.begin() + 7, command.end()),
      ElementsAre("apptainer", "exec", "--nv", "--bind=/data,/scratch:/mnt", "/images/etude.sif", "etude", "train"));
  here.options.container = SlurmOptions::Container::kPyxis;
  command = slurm::start_ranks(here.options, here.cluster, 1, train);
  EXPECT_THAT(
      Command(command.begin() + 7, command.end()),
      ElementsAre("--container-image=/images/etude.sif", "--container-mounts=/data,/scratch:/mnt", "etude", "train"));
}

TEST(SlurmText, TimeLimitsAreReadAsSinfoWritesThem) {
  EXPECT_EQ(slurm::seconds_of("30:00"), 1800);
  EXPECT_EQ(slurm::seconds_of("1:00:00"), 3600);
  EXPECT_EQ(slurm::seconds_of("2-00:00:00"), 172800);
  EXPECT_EQ(slurm::seconds_of("1-12"), 129600);
  EXPECT_EQ(slurm::seconds_of("infinite"), std::nullopt);
  EXPECT_EQ(slurm::seconds_of("n/a"), std::nullopt);
}

/// Programs of Slurm that answer what the test says, in front of PATH.
class FakeSlurm : public ::testing::Test {
 protected:
  FakeSlurm() : path_before_(std::getenv("PATH")) {
    setenv("PATH", (folder_.path().string() + ":" + path_before_).c_str(), 1);
    for (const char* name : {"sbatch", "squeue", "sacct", "scancel", "scontrol", "sinfo"})
      answer(name, 1, "", "not asked for");
  }
  ~FakeSlurm() override { setenv("PATH", path_before_.c_str(), 1); }

  void answer(const std::string& program, int code, const std::string& output, const std::string& errors = "") {
    slurm::forget_queue();
    const fs::path file = folder_.path() / program;
    std::ofstream(file) << "#!/bin/sh\necho \"$@\" >>" << file.string() << ".calls\ncat <<'END'\n"
                        << output << (output.empty() ? "" : "\n") << "END\ncat >&2 <<'END'\n"
                        << errors << (errors.empty() ? "" : "\n") << "END\nexit " << code << "\n";
    fs::permissions(file, fs::perms::owner_all);
  }
  std::string calls(const std::string& program) { return slurp(folder_.path() / (program + ".calls")); }
  EngineState state(const std::string& id) {
    SlurmEngine engine;
    Job job;
    job.id = id;
    return engine.state(job);
  }
  std::string refusal_to_submit() {
    SlurmEngine engine;
    Workplace here;
    try {
      engine.submit(here.cluster, {&here.job});
    } catch (const etude::Error& error) {
      return error.what();
    }
    return "";
  }

 private:
  TemporaryFolder folder_;
  std::string path_before_;
};

TEST_F(FakeSlurm, ItsStatesAreUnderstood) {
  // Recorded from Slurm 22.05.
  answer("squeue", 0,
         "32_4|PENDING|Resources\n32_0|RUNNING|None\n28|PENDING|PartitionTimeLimit\n17|COMPLETED|None\n30|FAILED|"
         "BadConstraints\n"
         "40|CONFIGURING|None\n41|COMPLETING|None\n42|SUSPENDED|None\n43|NODE_FAIL|NodeDown\n44|TIMEOUT|TimeLimit\n45|"
         "REQUEUED|None\n"
         "46|NEW_STATE|None\n47|PENDING|BeginTime");
  const std::map<std::string, Phase> expected{
      {"32_4", Phase::kQueued}, {"32_0", Phase::kRunning}, {"28", Phase::kQueued},  {"17", Phase::kEnded},
      {"30", Phase::kEnded},    {"40", Phase::kQueued},    {"41", Phase::kRunning}, {"42", Phase::kRunning},
      {"43", Phase::kEnded},    {"44", Phase::kEnded},     {"45", Phase::kQueued},  {"46", Phase::kUnknown},
      {"47", Phase::kQueued}};
  for (const auto& [id, phase] : expected) EXPECT_EQ(state(id).phase, phase) << id;
  EXPECT_EQ(state("32_4").words, "PENDING (Resources)");
  EXPECT_THAT(state("28").words, HasSubstr("PENDING (PartitionTimeLimit): longer than its partition allows"));
}

TEST_F(FakeSlurm, AnsweringForManyJobsItIsAskedOnce) {
  answer("squeue", 0, "1|RUNNING|None\n2|RUNNING|None");
  SlurmEngine engine;
  Job job;
  for (const char* id : {"1", "2", "1"}) {
    job.id = id;
    EXPECT_EQ(engine.state(job).phase, Phase::kRunning);
  }
  const std::string asked = calls("squeue");
  EXPECT_EQ(std::count(asked.begin(), asked.end(), '\n'), 1) << asked;
}

TEST_F(FakeSlurm, AJobThatTheControllerForgotIsLookedUpInAccounting) {
  answer("squeue", 0, "1|RUNNING|None");
  answer("sacct", 0, "CANCELLED by 1000");
  EXPECT_EQ(state("7").phase, Phase::kEnded);
  EXPECT_EQ(state("7").words, "CANCELLED by 1000");
  answer("sacct", 1, "", "Slurm accounting storage is disabled");
  EXPECT_EQ(state("7").phase, Phase::kAbsent);
}

TEST_F(FakeSlurm, AControllerOutOfReachIsNoDeadJob) {
  for (const char* words : {"slurm_load_jobs error: Unable to contact slurm controller (connect failure)",
                            "slurm_load_jobs error: Socket timed out on send/recv operation"}) {
    answer("squeue", 1, "", words);
    const EngineState found = state("7");
    EXPECT_EQ(found.phase, Phase::kUnknown);
    EXPECT_THAT(found.words, HasSubstr("cannot reach the controller"));
    EXPECT_THAT(found.words, HasSubstr(words));
  }
}

TEST_F(FakeSlurm, ARefusalHasItsWordsAndTheWayOut) {
  answer("sinfo", 0, "main\ngpu\nmain");
  answer("sbatch", 1, "",
         "sbatch: error: invalid partition specified: nosuch\nsbatch: error: Batch job submission failed: Invalid "
         "partition name specified");
  EXPECT_EQ(
      refusal_to_submit(),
      "sbatch: invalid partition specified: nosuch; Batch job submission failed: Invalid partition name specified; "
      "choose another partition: one of gpu, main");
  answer("sbatch", 1, "",
         "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified");
  EXPECT_THAT(refusal_to_submit(), HasSubstr("sacctmgr show associations"));
  answer("sbatch", 1, "",
         "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)");
  EXPECT_THAT(refusal_to_submit(), HasSubstr("nothing is started twice"));
}

TEST_F(FakeSlurm, TheNumberOfAJobIsWhatSbatchPrints) {
  SlurmEngine engine;
  Workplace first, second;
  answer("sbatch", 0, "4711;west");
  engine.submit(first.cluster, {&first.job});
  EXPECT_EQ(first.job.id, "4711");
  engine.submit(first.cluster, {&first.job, &second.job});
  EXPECT_EQ(first.job.id, "4711_0");
  EXPECT_EQ(second.job.id, "4711_1");

  // A launcher that was killed before it wrote that down finds each of them by its token.
  answer("squeue", 0, "4711_0\n4711_1");
  EXPECT_EQ(engine.find(second.job), "4711_1");
  EXPECT_THAT(calls("squeue"), HasSubstr("--name=" + first.job.token));
  answer("squeue", 0, "");
  answer("sacct", 1, "", "Slurm accounting storage is disabled");
  EXPECT_EQ(engine.find(second.job), std::nullopt);
  answer("squeue", 1, "", "slurm_load_jobs error: Unable to contact slurm controller (connect failure)");
  EXPECT_THROW(engine.find(second.job), etude::Error);

  answer("sbatch", 0, "");
  EXPECT_THROW(engine.submit(first.cluster, {&first.job}), etude::Error);
}

TEST_F(FakeSlurm, WhatIsOverNeedsNoCancelling) {
  SlurmEngine engine;
  Job job;
  job.id = "7";
  answer("scancel", 1, "", "scancel: error: Kill job error on job id 7: Job/step already completing or completed");
  EXPECT_NO_THROW(engine.cancel(job));
  answer("scancel", 1, "", "scancel: error: Kill job error on job id 7: Access/permission denied");
  EXPECT_THROW(engine.cancel(job), etude::Error);
}

TEST_F(FakeSlurm, ARequeueThatIsRefusedIsLeftToTheSupervisor) {
  SlurmEngine engine;
  unsetenv("SLURM_JOB_ID");
  EXPECT_FALSE(engine.requeue());
  setenv("SLURM_JOB_ID", "7", 1);
  answer("scontrol", 1, "", "Requested operation is presently disabled for job 7");
  EXPECT_FALSE(engine.requeue());
  answer("scontrol", 0, "");
  EXPECT_TRUE(engine.requeue());
  unsetenv("SLURM_JOB_ID");
  EXPECT_THAT(calls("scontrol"), HasSubstr("requeue 7\n"));
}

}  // namespace
