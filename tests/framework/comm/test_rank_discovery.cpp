#include <chrono>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/comm/rank_discovery.h"
#include "framework/config/error.h"

namespace {

using etude::comm::discover_launch;
using etude::comm::Launch;
using ::testing::HasSubstr;

Launch launch_with(const std::map<std::string, std::string>& variables) {
  return discover_launch([&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

std::string refusal_of(const std::map<std::string, std::string>& variables) {
  try {
    launch_with(variables);
  } catch (const etude::Error& error) {
    return error.what();
  }
  return "";
}

TEST(RankDiscovery, APlainShellIsASingleProcess) {
  EXPECT_FALSE(launch_with({}).mpi);
  EXPECT_FALSE(launch_with({{"WORLD_SIZE", "1"}, {"RANK", "0"}}).mpi);
}

TEST(RankDiscovery, EachLauncherIsKnownByWhatItSets) {
  EXPECT_TRUE(launch_with({{"OMPI_COMM_WORLD_SIZE", "4"}, {"PMIX_RANK", "2"}}).mpi);
  EXPECT_EQ(launch_with({{"OMPI_COMM_WORLD_SIZE", "4"}}).ranks, 4);
  EXPECT_TRUE(launch_with({{"PMI_SIZE", "2"}, {"PMI_RANK", "0"}}).mpi);
  EXPECT_TRUE(launch_with({{"SLURM_PROCID", "1"}, {"PMIX_NAMESPACE", "slurm.pmix.7.0"}}).mpi);
  EXPECT_EQ(launch_with({{"SLURM_STEP_NUM_TASKS", "8"}, {"PMIX_RANK", "0"}}).ranks, 8);
  EXPECT_TRUE(launch_with({{"PMIX_RANK", "0"}}).mpi);
}

TEST(RankDiscovery, OneRankNeedsNoMpiUnlessToldSo) {
  EXPECT_FALSE(launch_with({{"OMPI_COMM_WORLD_SIZE", "1"}}).mpi);
  EXPECT_TRUE(launch_with({{"OMPI_COMM_WORLD_SIZE", "1"}, {"ETUDE_COMM", "mpi"}}).mpi);
  EXPECT_TRUE(launch_with({{"ETUDE_COMM", "mpi"}}).mpi);
}

TEST(RankDiscovery, ABatchScriptOfSlurmIsNotARank) {
  EXPECT_FALSE(launch_with({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}}).mpi);
}

TEST(RankDiscovery, RanksWithoutMpiAreFoundByTheirVariables) {
  const std::map<std::string, std::string> torch = {
      {"RANK", "3"}, {"WORLD_SIZE", "4"}, {"MASTER_ADDR", "node-1"}, {"MASTER_PORT", "29500"}};
  const auto place = launch_with(torch).tcp;
  ASSERT_TRUE(place);
  EXPECT_EQ(place->rank, 3);
  EXPECT_EQ(place->size, 4);
  EXPECT_EQ(place->address, "node-1");
  EXPECT_EQ(place->port, 29500);
  EXPECT_FALSE(place->local_rank);

  auto more = torch;
  more.insert({{"LOCAL_RANK", "1"}, {"LOCAL_WORLD_SIZE", "2"}, {"ETUDE_RENDEZVOUS_SECONDS", "7"}});
  EXPECT_EQ(launch_with(more).tcp->local_rank, 1);
  EXPECT_EQ(launch_with(more).tcp->local_size, 2);
  EXPECT_EQ(launch_with(more).tcp->patience, std::chrono::seconds(7));

  auto torchrun = torch;  // which listens at that port itself
  torchrun.insert({"TORCHELASTIC_RUN_ID", "none"});
  EXPECT_EQ(launch_with(torchrun).tcp->port, 29501);

  auto under_mpi = torch;  // MPI is the better way where there is one
  under_mpi.insert({"OMPI_COMM_WORLD_SIZE", "4"});
  EXPECT_TRUE(launch_with(under_mpi).mpi);
  EXPECT_FALSE(launch_with(under_mpi).tcp);

  auto fifth = torch;
  fifth["RANK"] = "4";
  EXPECT_THAT(refusal_of(fifth), HasSubstr("needs RANK too, from 0 to 3 (it is '4')"));
  EXPECT_THAT(refusal_of({{"RANK", "1"}, {"WORLD_SIZE", "2"}}), HasSubstr("MASTER_PORT"));
}

/// What srun of Slurm 22.05 sets for the second of three tasks on two nodes.
std::map<std::string, std::string> slurm_task() {
  return {{"SLURM_JOB_ID", "23"},
          {"SLURM_STEP_ID", "0"},
          {"SLURM_STEP_NUM_TASKS", "3"},
          {"SLURM_STEP_NUM_NODES", "2"},
          {"SLURM_NODEID", "0"},
          {"SLURM_STEP_NODELIST", "node[1-2]"},
          {"SLURM_STEP_TASKS_PER_NODE", "2,1"},
          {"SLURM_PROCID", "1"},
          {"SLURM_LOCALID", "1"},
          {"SLURM_NTASKS", "3"}};
}

TEST(RankDiscovery, TasksOfSrunWithoutMpiAreFoundByItsVariables) {
  const auto place = launch_with(slurm_task()).tcp;
  ASSERT_TRUE(place);
  EXPECT_EQ(place->rank, 1);
  EXPECT_EQ(place->size, 3);
  EXPECT_EQ(place->local_rank, 1);
  EXPECT_EQ(place->address, "node1");
  EXPECT_GE(place->port, 1024);
  EXPECT_LT(place->port, 32768) << "where systems give out ports by themselves";

  auto other = slurm_task();  // every rank of a step comes to the same port
  other["SLURM_PROCID"] = "2";
  EXPECT_EQ(launch_with(other).tcp->port, place->port);
  other["SLURM_STEP_ID"] = "1";  // the next step to another, as does another job
  EXPECT_NE(launch_with(other).tcp->port, place->port);
  other = slurm_task();
  other["SLURM_JOB_ID"] = "24";
  EXPECT_NE(launch_with(other).tcp->port, place->port);

  auto told = slurm_task();
  told.insert({{"MASTER_ADDR", "10.0.0.7"}, {"MASTER_PORT", "29500"}, {"ETUDE_RENDEZVOUS_SECONDS", "7"}});
  EXPECT_EQ(launch_with(told).tcp->address, "10.0.0.7");
  EXPECT_EQ(launch_with(told).tcp->port, 29500);
  EXPECT_EQ(launch_with(told).tcp->patience, std::chrono::seconds(7));

  auto with_mpi = slurm_task();
  with_mpi.insert({"PMIX_RANK", "1"});
  EXPECT_TRUE(launch_with(with_mpi).mpi);
}

TEST(RankDiscovery, TheFirstNodeOfSlurmsListIsRankZeros) {
  const auto first_of = [](const std::string& list) {
    auto task = slurm_task();
    task["SLURM_STEP_NODELIST"] = list;
    return launch_with(task).tcp->address;
  };
  EXPECT_EQ(first_of("node7"), "node7");
  EXPECT_EQ(first_of("node[3-7,9]"), "node3");
  EXPECT_EQ(first_of("gpu[008,011-015]-ib,login"), "gpu008-ib");
  EXPECT_EQ(first_of("r[1-2]n[04-08]"), "r1n04");
  EXPECT_EQ(first_of("alpha,beta[1-3]"), "alpha");
}

TEST(RankDiscovery, TasksThatCannotFindEachOtherAreToldWhatIsMissing) {
  for (const char* variable : {"SLURM_PROCID", "SLURM_STEP_NODELIST", "SLURM_JOB_ID", "SLURM_STEP_ID"}) {
    auto task = slurm_task();
    task.erase(variable);
    EXPECT_THAT(refusal_of(task), HasSubstr(variable));
    EXPECT_THAT(refusal_of(task), HasSubstr("srun --mpi=pmix"));
  }
  auto task = slurm_task();
  task["SLURM_STEP_NODELIST"] = "node[3-7";
  EXPECT_THAT(refusal_of(task), HasSubstr("SLURM_STEP_NODELIST"));
  task = slurm_task();
  task["MASTER_PORT"] = "70000";
  EXPECT_THAT(refusal_of(task), HasSubstr("MASTER_PORT"));
}

TEST(RankDiscovery, RanksWithNoMpiBetweenThemAreRefusedWithTheWayOut) {
  EXPECT_THAT(refusal_of({{"RANK", "1"}, {"WORLD_SIZE", "2"}}), HasSubstr("mpirun -n 2 etude"));
  EXPECT_THAT(refusal_of({{"SLURM_PROCID", "0"}, {"SLURM_STEP_NUM_TASKS", "4"}}), HasSubstr("srun --mpi=pmix"));
  EXPECT_THAT(refusal_of({{"ETUDE_COMM", "nccl"}}), HasSubstr("ETUDE_COMM=nccl"));
}

}  // namespace
