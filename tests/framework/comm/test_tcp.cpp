// Ranks without MPI: real processes on this machine that meet at a free port.
#include <memory>
#include <sstream>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/comm/socket.h"
#include "framework/comm/tcp.h"
#include "framework/config/error.h"
#include "tests/support/mpi.h"
#include "tests/support/tcp.h"

namespace {

using etude::comm::Socket;
using etude::comm::Tcp;
using etude::comm::TcpPlace;
using etude::testing::free_port;
using etude::testing::Port;
using etude::testing::program_beside_this;
using etude::testing::RanksResult;
using etude::testing::run_ranks;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;

RanksResult run_scene(const std::vector<std::string>& environments, const std::string& scene, int port = free_port()) {
  return run_ranks(environments, program_beside_this("comm_ranks") + " " + scene, port);
}

/// What a rank printed after "rank R WHAT ".
std::string seen(const RanksResult& result, std::size_t rank, const std::string& what) {
  const std::string start = fmt::format("rank {} {} ", rank, what);
  std::istringstream lines(result.outputs[rank]);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind(start, 0) == 0) return line.substr(start.size());
  }
  return "nothing; it printed:\n" + result.outputs[rank];
}

/// Where two ranks of this process meet.
std::pair<TcpPlace, TcpPlace> two_places() {
  const TcpPlace first{.rank = 0, .size = 2, .address = "127.0.0.1", .port = free_port()};
  TcpPlace second = first;
  second.rank = 1;
  return {first, second};
}

/// Ranks 0 and 1, connected.
std::pair<std::unique_ptr<Tcp>, std::unique_ptr<Tcp>> two_ranks() {
  const auto places = two_places();
  std::unique_ptr<Tcp> other;
  std::thread joining([&] { other = std::make_unique<Tcp>(places.second); });
  auto communicator = std::make_unique<Tcp>(places.first);
  joining.join();
  return {std::move(communicator), std::move(other)};
}

TEST(Tcp, ThreeRanksGetTheNumbersWorkedByHand) {
  const RanksResult result = run_scene({"", "", ""}, "collectives");
  ASSERT_THAT(result.exit_codes, Each(0)) << result.outputs[0] << result.outputs[1] << result.outputs[2];
  const std::vector<std::string> scattered{"3 6", "9 12", "15 18"};  // of thrice (r .. r + 5): 3 6 9 12 15 18
  const std::vector<std::string> exchanged{"0 100 101 200 201 202", "1 102 103 203 204 205", "2 104 105 206 207 208"};
  for (std::size_t rank = 0; rank < 3; ++rank) {
    EXPECT_EQ(seen(result, rank, "place:"), fmt::format("{0}/3 {0}/3", rank));
    for (const char* type : {"float32", "float64", "int64", "int32", "uint8"}) {
      EXPECT_EQ(seen(result, rank, fmt::format("all_reduce sum {}:", type)), "6 9");  // (1 2) + (2 3) + (3 4)
      EXPECT_EQ(seen(result, rank, fmt::format("all_reduce min {}:", type)), "1 2");
      EXPECT_EQ(seen(result, rank, fmt::format("all_reduce max {}:", type)), "3 4");
    }
    EXPECT_EQ(seen(result, rank, "broadcast:"), "20 21 22");  // from the last rank
    EXPECT_EQ(seen(result, rank, "reduce_scatter:"), scattered[rank]);
    EXPECT_EQ(seen(result, rank, "all_gather:"), "10 20 21");
    EXPECT_EQ(seen(result, rank, "all_gather in place:"), "7 8 9");
    EXPECT_EQ(seen(result, rank, "all_to_all:"), exchanged[rank]);
    EXPECT_EQ(seen(result, rank, "broadcast_text:"), "Chopin");
    EXPECT_EQ(seen(result, rank, "all_gather_text:"), ",x,xx");
  }
}

TEST(Tcp, ManyCollectivesAtOnceAreToldApart) {
  const RanksResult result = run_scene({"", ""}, "many_in_flight");
  EXPECT_THAT(result.exit_codes, Each(0)) << result.outputs[0] << result.outputs[1];
}

TEST(Tcp, TheLocalRankIsWhatTheLauncherSays) {
  const RanksResult result =
      run_scene({"LOCAL_RANK=0 LOCAL_WORLD_SIZE=1", "LOCAL_RANK=0 LOCAL_WORLD_SIZE=1"}, "collectives");
  EXPECT_EQ(seen(result, 1, "place:"), "1/2 0/1");
}

TEST(Tcp, APortThatIsTakenIsNamed) {
  const Port taken;
  const RanksResult result = run_scene({"WORLD_SIZE=2"}, "name", taken.number());
  EXPECT_THAT(result.outputs[0],
              AllOf(HasSubstr(fmt::format("MASTER_PORT={}", taken.number())), HasSubstr("free port")));
  EXPECT_THAT(result.exit_codes, Each(1));
}

TEST(Tcp, WhoDidNotComeIsNamed) {
  // Of four ranks two are never started.
  const std::string patience = "WORLD_SIZE=4 ETUDE_RENDEZVOUS_SECONDS=3";
  const RanksResult result = run_scene({patience, patience + " RANK=2"}, "name");
  EXPECT_THAT(result.outputs, Each(HasSubstr("ranks 1, 3 of 4 did not come")));
  EXPECT_THAT(result.exit_codes, Each(1));
}

TEST(Tcp, ARankThatFindsNobodySaysWhereItLooked) {
  const int port = free_port();
  const RanksResult result = run_scene({"WORLD_SIZE=2 RANK=1 ETUDE_RENDEZVOUS_SECONDS=1"}, "name", port);
  EXPECT_THAT(result.outputs[0], AllOf(HasSubstr(fmt::format("localhost:{}", port)), HasSubstr("MASTER_ADDR")));
}

TEST(Tcp, RanksThatDisagreeAboutTheirNumberAreRefused) {
  const RanksResult result = run_scene({"WORLD_SIZE=2", "WORLD_SIZE=3"}, "name");
  EXPECT_THAT(result.outputs, Each(HasSubstr("rank 1 was started with WORLD_SIZE=3, rank 0 with 2")));
  EXPECT_THAT(result.exit_codes, Each(1));
}

TEST(Tcp, TwoProcessesCannotBeTheSameRank) {
  const RanksResult result = run_scene({"WORLD_SIZE=4", "WORLD_SIZE=4", "WORLD_SIZE=4 RANK=1"}, "name");
  EXPECT_THAT(result.outputs, Each(HasSubstr("two processes were started with RANK=1")));
}

TEST(Tcp, TheDeathOfARankEndsTheOthers) {
  const RanksResult result = run_scene({"", "", ""}, "one_aborts");
  EXPECT_EQ(result.exit_codes, (std::vector<int>{1, 7, 1}));
  EXPECT_THAT(result.outputs[0], HasSubstr("rank 1 is gone"));
  EXPECT_THAT(result.outputs[2], HasSubstr("rank 0 is gone"));
}

TEST(Tcp, RanksThatCallDifferentCollectivesAreToldSo) {
  const auto [first, second] = two_places();
  std::thread other([&] {
    Tcp communicator(second);
    try {
      communicator.barrier();
    } catch (const etude::Error&) {  // rank 0 goes when it has noticed
    }
  });
  {
    Tcp communicator(first);
    try {
      etude::comm::broadcast_text(communicator, "Chopin");
      etude::comm::all_gather_text(communicator, "Satie");
      ADD_FAILURE() << "a barrier was taken for something else";
    } catch (const etude::Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("disagree"));
    }
  }
  other.join();
}

TEST(Tcp, ARankThatHasGoneIsKnownBetweenCollectives) {
  auto [communicator, other] = two_ranks();
  EXPECT_EQ(communicator->lost_rank(), "");
  EXPECT_EQ(other->lost_rank(), "");
  other.reset();
  EXPECT_THAT(communicator->lost_rank(), HasSubstr("rank 1 is gone"));
}

TEST(Tcp, ARankThatSaysNothingIsNamedWhenTheDeadlinePasses) {
  auto [communicator, other] = two_ranks();
  etude::comm::Deadline deadline;
  deadline.seconds = 0.5;
  communicator->watch(deadline);
  try {
    communicator->barrier();
    ADD_FAILURE() << "nobody else came to the barrier";
  } catch (const etude::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("rank 1 has said nothing for 1 s"));
  }
}

TEST(Tcp, StrangersAtThePortDisturbNobody) {
  const auto [first, second] = two_places();
  std::thread other([&] {
    const auto deadline = Socket::Clock::now() + std::chrono::seconds(20);
    Socket browser = Socket::connect("127.0.0.1", first.port, deadline);
    const std::string request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    browser.send(request.data(), request.size());
    { const Socket scanner = Socket::connect("127.0.0.1", first.port, deadline); }
    Tcp communicator(second);
    EXPECT_EQ(etude::comm::broadcast_text(communicator, ""), "Chopin");
  });
  Tcp communicator(first);
  etude::comm::broadcast_text(communicator, "Chopin");
  other.join();
}

}  // namespace
