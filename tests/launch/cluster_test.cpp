#include "launch/cluster.h"

#include <fstream>

#include <gmock/gmock.h>

#include "framework/config/document.h"
#include "framework/config/values.h"
#include "framework/process/command.h"
#include "launch/core_ledger.h"
#include "launch/job.h"
#include "launch/launcher.h"
#include "tests/support/oracle.h"

namespace etude::launch {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
namespace fs = std::filesystem;

std::string complaint_of(const std::string& yaml) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder.path() / "cluster.yaml") << yaml;
  try {
    load_cluster(folder.path() / "cluster.yaml");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(ClusterFile, WithNothingInItIsThisMachine) {
  const auto cluster = load_cluster("");
  EXPECT_EQ(cluster->engine, "local");
  EXPECT_EQ(cluster->nodes, 1);
}

TEST(ClusterFile, ThatIsWrongSaysWhereAndWhatIsMeant) {
  EXPECT_THAT(complaint_of("engine: local\nnode: 2\n"), AllOf(HasSubstr("cluster.yaml:2:1"), HasSubstr("'nodes'")));
  EXPECT_THAT(complaint_of("engine: slrum\n"), AllOf(HasSubstr("cluster.yaml:1:9"), HasSubstr("slrum")));
  EXPECT_THAT(complaint_of("nodes: many\n"), HasSubstr("cluster.yaml:1:8"));
  EXPECT_THAT(complaint_of("time: soon\n"), AllOf(HasSubstr("cluster.yaml:1:7"), HasSubstr("12h")));
  EXPECT_THAT(complaint_of("nodes: 2\nmin_nodes: 3\nhosts: [a, b]\n"), HasSubstr("min_nodes (3)"));
  EXPECT_THAT(complaint_of("time: 2m\nwarning: 2m\n"), HasSubstr("warning"));
  EXPECT_THAT(complaint_of("gpus_per_node: 2\nranks_per_node: 4\n"), HasSubstr("GPU"));
  EXPECT_THAT(complaint_of("environment: {A-B: c}\n"), HasSubstr("'A-B'"));
  EXPECT_THAT(complaint_of("nodes: 2\n"), HasSubstr("hosts"));
  EXPECT_THAT(complaint_of("hosts: [a, b]\nhostfile: x\n"), HasSubstr("hostfile"));
}

TEST(ClusterFile, ResolvedLoadsAgainToTheSame) {
  const auto cluster = load_cluster("", {"hosts=[a, 'b:2']", "nodes=2", "time=1h30m", "environment={A: \"x'$(y)\\n\"}",
                                         "price={per_node_hour: 2.5, currency: EUR}"});
  const testing::TemporaryFolder folder;
  std::ofstream(folder.path() / "again.yaml") << to_yaml(*cluster);
  const auto again = load_cluster(folder.path() / "again.yaml");
  EXPECT_EQ(to_yaml(*again), to_yaml(*cluster));
  EXPECT_EQ(again->time, 5400);
  EXPECT_EQ(again->environment.at("A"), "x'$(y)\n");
}

process::Command ranks_of(const Cluster& cluster) {
  return cluster.engine_in_use().start_ranks(cluster, Job{}, {"etude", "train"});
}

TEST(LocalEngine, StartsRanksOnTheHostsThatWereNamed) {
  const auto cluster = load_cluster("", {"hosts=[a, 'b:2']", "nodes=2", "ranks_per_node=3", "environment={A: b}",
                                         "network=10.0.0.0/24", "ssh_config=/etc/our_ssh"});
  const process::Command command = ranks_of(*cluster);
  EXPECT_EQ(command.front(), "mpirun");
  EXPECT_THAT(command, IsSupersetOf({"5", "a:3,b:2", "A", "10.0.0.0/24", "etude", "train"}));
  EXPECT_THAT(command, IsSupersetOf({std::string("-o BatchMode=yes -o ConnectTimeout=5 -F /etc/our_ssh")}));
}

TEST(LocalEngine, TakesNothingForAHostThatCouldBeAnOption) {
  for (const std::string host :
       {"-v", "-oProxyCommand=touch x", "$(touch x)", "a b", "a;b", "a:b", "a:", "", "a:99999", "a,b", "a\nb"}) {
    EXPECT_THROW(load_cluster("", {"hosts=[" + config::yaml_text(host) + "]"}).reset(), UsageError) << host;
  }
}

TEST(LocalEngine, ReadsHostFilesOfOpenMpi) {
  const testing::TemporaryFolder folder;
  const auto file = folder.path() / "hosts";
  std::ofstream(file) << "# ours\nnode1 slots=4\n\nnode2 slots=2 max_slots=8  # old\nnode3\n";
  const auto cluster = load_cluster("", {"hostfile=" + file.string(), "nodes=3", "ranks_per_node=1"});
  EXPECT_THAT(ranks_of(*cluster), IsSupersetOf({std::string("node1:4,node2:2,node3:1"), std::string("7")}));
  std::ofstream(file) << "node1 slots=many\n";
  EXPECT_THROW(load_cluster("", {"hostfile=" + file.string()}), UsageError);
}

TEST(Settle, MakesPathsMeanTheSameWhereverJobsAreLookedAtFrom) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder.path() / "hosts") << "a\n";
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  const auto cluster = load_cluster("", {"hostfile=hosts", "ssh_config=own", "setup=env.sh"});
  settle(*cluster, {});
  fs::current_path(before);
  const std::string yaml = to_yaml(*cluster);
  for (const char* name : {"hosts", "own", "env.sh"}) EXPECT_THAT(yaml, HasSubstr((folder.path() / name).string()));
}

TEST(Settle, NeverAsksForMoreRanksThanThereIsWorkFor) {
  const Request request{"demo", "runs/demo", "", 4};
  const auto two = load_cluster("", {"hosts=[a, b]", "nodes=2", "ranks_per_node=3"});
  EXPECT_THROW(settle(*two, {request}), UsageError);
  const auto six = load_cluster("", {"hosts=[a, b, c, d, e, f]", "nodes=6"});
  EXPECT_THROW(settle(*six, {request}), UsageError);
  const auto gpus = load_cluster("", {"hosts=[a, b]", "nodes=2", "gpus_per_node=8"});
  settle(*gpus, {request});
  EXPECT_EQ(gpus->ranks_on_each_node(), 2);
}

/// The ledger in a folder of the test's own.
class Ledger : public ::testing::Test {
 protected:
  void SetUp() override { setenv("ETUDE_LEDGER", folder_.path().c_str(), 1); }
  void TearDown() override { unsetenv("ETUDE_LEDGER"); }
  testing::TemporaryFolder folder_;
};

TEST_F(Ledger, GivesACoreToOneJobOnly) {
  const std::vector<int> all = CoreLedger::all_cores();
  CoreLedger first, second;
  ASSERT_TRUE(first.take(std::ssize(all), 0, [] { return true; }));
  EXPECT_THAT(first.cores(), ElementsAreArray(all));
  int asked = 0;
  EXPECT_FALSE(second.take(1, 0, [&] { return ++asked < 3; }));
  EXPECT_EQ(asked, 3);
}

TEST_F(Ledger, HoldsACoreForAsLongAsAnyoneWhoWasStartedLives) {
  // The child inherits the lock, and keeps it when its parent is gone.
  const auto taken = folder_.path() / "taken";
  const pid_t holder = fork();
  if (holder == 0) {
    CoreLedger ledger;
    ledger.take(1'000'000, 0, [] { return true; });
    if (fork() == 0) {
      std::ofstream(taken) << "yes";
      execlp("sleep", "sleep", "2", nullptr);
    }
    _exit(0);
  }
  waitpid(holder, nullptr, 0);
  while (!std::filesystem::exists(taken)) usleep(1000);
  CoreLedger ledger;
  int waited = 0;
  EXPECT_TRUE(ledger.take(1, 0, [&] {
    usleep(20'000);
    return ++waited < 1000;
  }));
  EXPECT_GT(waited, 0);
}

}  // namespace
}  // namespace etude::launch
