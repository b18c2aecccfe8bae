// Job scripts as a real sbatch reads them, whatever stands in a cluster file.
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "framework/config/error.h"
#include "launch/cluster.h"
#include "launch/job.h"
#include "tests/support/slurm.h"

namespace etude::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

class Sbatch : public ::testing::Test {
 protected:
  void SetUp() override {
    try {
      cluster_ = std::make_unique<SlurmCluster>();
    } catch (const std::exception& error) {
      GTEST_SKIP() << "no Slurm can be started here: " << error.what();
    }
    job_.name = "demo";
    job_.token = "etude-demo-1f3a9c";
    job_.folder = job_.order = folder_.path() / "job";
    job_.output = job_.folder / "output.txt";
    job_.program = job_.supervisor = "/opt/etude/bin/etude";
    fs::create_directories(job_.folder);
  }

  /// What Slurm makes of the job that this cluster file asks for. Throws UsageError where it is refused.
  std::string read_back(const std::string& keys) {
    std::ofstream(folder_.path() / "cluster.yaml") << "engine: slurm\n" << keys;
    const auto cluster = launch::load_cluster(folder_.path() / "cluster.yaml");
    std::ofstream(folder_.path() / "script") << cluster->engine_in_use().script(*cluster, {&job_});
    const ShellResult given = run_shell("cd " + folder_.path().string() + " && sbatch --parsable --hold script");
    if (given.exit_code != 0) return "sbatch: " + given.errors + slurp(folder_.path() / "script");
    const std::string shown = SlurmCluster::says("scontrol show job " + given.output);
    run_shell("scancel " + given.output);
    return shown;
  }
  bool something_ran() const { return fs::exists(folder_.path() / "X"); }

  std::unique_ptr<SlurmCluster> cluster_;
  TemporaryFolder folder_;
  launch::Job job_;
};

TEST_F(Sbatch, ReadsWhatTheClusterFileSays) {
  const std::string shown = read_back(
      "partition: main\naccount: music\nconstraint: ''\nnodes: 2\nranks_per_node: 2\ncores_per_rank: 1\nexclusive: "
      "true\n"
      "time: 50m\nwarning: 90s\nextra: [--nice=7, '--mail-user=A. B. <a@example.org>', "
      "--mail-type=END]\n");
  for (const char* line : {"JobName=etude-demo-1f3a9c", "Partition=main", "Account=music", "NumNodes=2", "NumTasks=4",
                           "CPUs/Task=1", "OverSubscribe=NO", "TimeLimit=00:50:00", "Requeue=1", "Nice=7",
                           "MailUser=A. B. <a@example.org>", "Comment=etude: demo"}) {
    EXPECT_THAT(shown, HasSubstr(line));
  }
  EXPECT_THAT(shown, HasSubstr("StdOut=" + job_.output.string()));
  EXPECT_THAT(read_back("nodes: 2\nmin_nodes: 1\nranks_per_node: 2\n"),
              AllOf(HasSubstr("NumNodes=1-2"), HasSubstr("MinCPUsNode=2")));
}

TEST_F(Sbatch, GoesByTheClusterFileAndNotByTheShellsVariables) {
  const std::map<std::string, std::string> variables = {{"SBATCH_JOB_NAME", "other"}, {"SBATCH_PARTITION", "nosuch"},
                                                        {"SBATCH_NO_REQUEUE", "1"},   {"SBATCH_TIMELIMIT", "7"},
                                                        {"SBATCH_ARRAY_INX", "0-3"},  {"SBATCH_OPEN_MODE", "truncate"}};
  std::ofstream(folder_.path() / "cluster.yaml") << "engine: slurm\npartition: main\ntime: 50m\nextra: [--hold]\n";
  const auto cluster = launch::load_cluster(folder_.path() / "cluster.yaml");
  std::ofstream(job_.script_file()) << cluster->engine_in_use().script(*cluster, {&job_});
  for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
  EXPECT_NO_THROW(cluster->engine_in_use().submit(*cluster, {&job_}));
  for (const auto& [name, value] : variables) unsetenv(name.c_str());
  EXPECT_THAT(SlurmCluster::says("scontrol show job " + job_.id),
              AllOf(HasSubstr("JobName=" + job_.token), HasSubstr("Requeue=1"), HasSubstr("TimeLimit=00:50:00"),
                    Not(HasSubstr("Array"))));
}

TEST_F(Sbatch, TakesNoFieldForAnotherOption) {
  const std::vector<std::string> hostile = {"$(touch X)",
                                            "`touch X`",
                                            "\" --comment=evil \"",
                                            "x --comment=evil",
                                            "x\n#SBATCH --comment=evil",
                                            "-x",
                                            "--comment=evil",
                                            "x;touch X",
                                            "x' --comment=evil '",
                                            "\\",
                                            "x\\",
                                            "\\\" --comment=evil",
                                            "x # y",
                                            "x\"y"};
  const std::vector<std::string> fields = {"partition", "account",  "qos",   "constraint", "reservation",
                                           "memory",    "gpu_type", "mpi",   "image",      "mounts",
                                           "modules",   "extra",    "setup", "program",    "value of extra"};
  int refused = 0, taken = 0;
  for (const std::string& field : fields) {
    for (const std::string& text : hostile) {
      const std::string value = nlohmann::json(text).dump();  // a string of JSON is one of YAML
      std::string keys = field + ": " + value + "\n";
      if (field == "gpu_type") keys += "gpus_per_node: 1\n";
      if (field == "image" || field == "mounts") keys += "container: apptainer\n";
      if (field == "mounts") keys += "image: a.sif\n";
      if (field == "value of extra")
        keys = "extra: [--mail-type=END, " + nlohmann::json("--mail-user=" + text).dump() + "]\n";
      try {
        const std::string shown = read_back(keys);
        EXPECT_THAT(shown, AllOf(HasSubstr("Comment=etude: demo"), HasSubstr("Partition=main"))) << keys;
        if (field == "value of extra") {
          EXPECT_THAT(shown, HasSubstr("MailUser=" + text)) << keys;
        }
        ++taken;
      } catch (const UsageError& refusal) {
        EXPECT_THAT(std::string(refusal.what()),
                    AllOf(HasSubstr(field == "value of extra" ? "extra" : field), Not(HasSubstr("\n"))))
            << keys;
        ++refused;
      }
    }
  }
  EXPECT_FALSE(something_ran());
  EXPECT_GT(refused, 100);
  EXPECT_GT(taken, 40);
}

TEST_F(Sbatch, WritesIntoTheFolderThatWasMeantWhateverItsName) {
  const std::vector<std::string> names = {"plain", "two words",  "it's", "say \"so\"", "100%j",
                                          "%%",    "$(touch X)", "a#b",  "{a,b};*"};
  std::ofstream(folder_.path() / "cluster.yaml") << "engine: slurm\n";
  const auto cluster = launch::load_cluster(folder_.path() / "cluster.yaml");
  job_.supervisor = "/bin/echo";
  for (const std::string& name : names) {
    job_.folder = job_.order = folder_.path() / name;
    job_.output = job_.folder / "output.txt";
    fs::create_directories(job_.folder);
    std::ofstream(job_.script_file()) << cluster->engine_in_use().script(*cluster, {&job_});
    cluster->engine_in_use().submit(*cluster, {&job_});
  }
  for (const std::string& name : names) {
    const fs::path output = folder_.path() / name / "output.txt";
    const std::string expected = "supervise " + output.parent_path().string() + "\n";
    EXPECT_TRUE(eventually([&] { return slurp(output) == expected; })) << name << ": " << slurp(output);
  }
  EXPECT_FALSE(something_ran());
  job_.output = folder_.path() / "back\\slash" / "output.txt";
  EXPECT_THROW(read_back(""), UsageError);
}

}  // namespace
}  // namespace etude::testing
