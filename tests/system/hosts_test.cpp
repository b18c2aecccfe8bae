// Two hosts with a wire and ssh between them: the same bits as on one, and a wire or a host that fails ends the run
// with a code that says "resume me", or is not noticed at all.
#include "tests/support/hosts.h"

#include <iostream>

#include <gmock/gmock.h>

#include "tests/system/program.h"

namespace etude::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr int kSteps = 200;
constexpr int kLostAMachine = 205;  // of Open MPI's mpirun: docs/faults.md

class TwoHosts : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = why_no_mpirun(); !reason.empty()) GTEST_SKIP() << reason;
    try {
      hosts_ = std::make_unique<Hosts>();
    } catch (const std::exception& error) {
      GTEST_SKIP() << "no hosts can be made here: " << error.what();
    }
    ASSERT_EQ(etude(shop_.train("alone", kSteps)).exit_code, 0);
  }

  /// mpirun on the first host, with a rank on each. It may not wait for a lost host longer than some seconds.
  std::string on_both(const std::string& arguments) const {
    return hosts_->on(
        0, "env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun --bind-to none -n 2 --host " +
               Hosts::address(0) + "," + Hosts::address(1) + " --mca plm_rsh_args '-F " +
               hosts_->ssh_config().string() + "' --mca oob_tcp_if_include " + Hosts::network() +
               " --mca btl_tcp_if_include " + Hosts::network() +
               " --mca oob_tcp_keepalive_time 4 --mca oob_tcp_keepalive_intvl 2 --mca oob_tcp_keepalive_probes 3 " +
               etude_program() + " " + arguments);
  }
  std::string train(const std::string& more = "") const {
    return shop_.train("both", kSteps, "--resume --set checkpoint.every=10 " + more);
  }
  fs::path said() const { return shop_.path() / "said.txt"; }
  std::string log() const { return slurp(shop_.run("both") / "log.txt"); }
  bool comes_to_step(std::int64_t step) const {
    return eventually([&] { return last_step(shop_.run("both")) >= step; });
  }
  bool rank_ends(int host) const {
    const std::string find = "pgrep -f '^" + etude_program() + " train'";
    return eventually([&] { return hosts_->run(host, find).exit_code == 1; });
  }
  void expect_the_bits_of_one_rank_alone() const {
    EXPECT_TRUE(shop_.weights("both") == shop_.weights("alone"));
    const auto rows = metrics_with(shop_.run("both"), "loss"), expected = metrics_with(shop_.run("alone"), "loss");
    ASSERT_EQ(rows.size(), expected.size());
    for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i]["loss"], expected[i]["loss"]) << "step " << i + 1;
  }

  Workshop shop_;
  std::unique_ptr<Hosts> hosts_;
};

TEST_F(TwoHosts, TrainOverSshToTheBitsOfOneRankAlone) {
  const std::string wire = "delay 1ms 0.5ms loss 0.2%";
  if (!hosts_->make_wire_slow(wire)) std::cout << "the wire is a perfect one: this kernel has no netem\n";
  const ShellResult result = run_shell(on_both(train("--stage " + (shop_.path() / "disk").string())));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  expect_the_bits_of_one_rank_alone();
  // Both names stand for one disk, so the second node finds what the first has made.
  EXPECT_THAT(log(), AllOf(HasSubstr("2 ranks"), HasSubstr("copied to 1 node, found whole on 1 node")));
}

TEST_F(TwoHosts, GoOnWhenTheWireWasDownForAMoment) {
  Background run(on_both(train()), said());
  ASSERT_TRUE(comes_to_step(20));
  hosts_->cut_wire();
  run_shell("sleep 2");
  ASSERT_LT(last_step(shop_.run("both")), kSteps) << "the run was over before the wire could be cut";
  hosts_->mend_wire();
  ASSERT_EQ(run.wait(), 0) << slurp(said());
  expect_the_bits_of_one_rank_alone();
}

TEST_F(TwoHosts, EndAndCanBeResumedWhenTheWireStaysDown) {
  Background run(on_both(train("--set train.collective_timeout=60")), said());
  ASSERT_TRUE(comes_to_step(20));
  hosts_->cut_wire();
  ASSERT_TRUE(eventually([&] { return !run.running(); })) << "mpirun waits for ever for the host it cannot reach";
  EXPECT_EQ(run.wait(), kLostAMachine) << slurp(said());
  ASSERT_LT(last_step(shop_.run("both")), kSteps) << "the run was over before the wire could be cut";
  // Those on the other side of the cut must not live on: they would compute on what others need.
  EXPECT_TRUE(rank_ends(1)) << hosts_->run(1, "ps ax").output;

  hosts_->mend_wire();
  const ShellResult again = run_shell(on_both(train()));
  ASSERT_EQ(again.exit_code, 0) << again.errors;
  EXPECT_THAT(log(), HasSubstr("resumed at step"));
  expect_the_bits_of_one_rank_alone();
}

TEST_F(TwoHosts, SayWhoIsMissingWhenACollectiveMissesItsDeadlineFirst) {
  Background run(on_both(train("--set train.collective_timeout=2")), said());
  ASSERT_TRUE(comes_to_step(20));
  hosts_->cut_wire();
  const auto told = [&] { return slurp(said()).find("rank 0: ") != std::string::npos; };
  ASSERT_TRUE(eventually(told)) << slurp(said());
  EXPECT_THAT(slurp(said()), HasSubstr("rank 1 does not answer (stopped, or its machine is gone)"));
  // Both ranks end by themselves, on their sides of the cut, although mpirun can no longer tell them to.
  for (const int host : {0, 1}) EXPECT_TRUE(rank_ends(host)) << hosts_->run(host, "ps ax").output;
}

/// The same by `etude launch`, which does all of it again by itself.
class TwoHostsOfAClusterFile : public TwoHosts {
 protected:
  std::string launch() const {
    const fs::path cluster = shop_.path() / "cluster.yaml";
    std::ofstream(cluster) << "engine: local\nnodes: 2\nmin_nodes: 1\nranks_per_node: 1\nhosts: [" << Hosts::address(0)
                           << ", " << Hosts::address(1) << "]\nnetwork: " << Hosts::network()
                           << "\nssh_config: " << hosts_->ssh_config().string() << "\n";
    train();  // for the experiment's file
    return hosts_->on(0, "env XDG_STATE_HOME=" + (shop_.path() / "state").string() + " " + etude_program() +
                             " launch " + (shop_.path() / "both.yaml").string() + " --cluster " + cluster.string() +
                             " --set run=" + shop_.run("both").string() + " --set checkpoint.every=10");
  }
};

TEST_F(TwoHostsOfAClusterFile, TrainToTheBitsOfOneRankAlone) {
  const ShellResult result = run_shell(launch());
  ASSERT_EQ(result.exit_code, 0) << result.output << result.errors;
  EXPECT_THAT(log(), HasSubstr("2 ranks"));
  expect_the_bits_of_one_rank_alone();
}

TEST_F(TwoHostsOfAClusterFile, GoOnOnTheOneThatIsLeft) {
  Background run(launch(), said());
  ASSERT_TRUE(comes_to_step(20));
  hosts_->kill_host(1);
  ASSERT_LT(last_step(shop_.run("both")), kSteps) << "the run was over before the host could die";
  ASSERT_EQ(run.wait(), 0) << slurp(said());
  EXPECT_THAT(log(), HasSubstr("1 rank ("));
  expect_the_bits_of_one_rank_alone();
}

}  // namespace
}  // namespace etude::testing
