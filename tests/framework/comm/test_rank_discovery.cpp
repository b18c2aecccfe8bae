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

TEST(RankDiscovery, RanksWithNoMpiBetweenThemAreRefusedWithTheWayOut) {
  EXPECT_THAT(refusal_of({{"RANK", "1"}, {"WORLD_SIZE", "2"}}), HasSubstr("mpirun -n 2 etude"));
  EXPECT_THAT(refusal_of({{"SLURM_PROCID", "0"}, {"SLURM_STEP_NUM_TASKS", "4"}}), HasSubstr("srun --mpi=pmix"));
  EXPECT_THAT(refusal_of({{"ETUDE_COMM", "nccl"}}), HasSubstr("ETUDE_COMM=nccl"));
}

}  // namespace
