#include "framework/run/environment.h"

#include <cctype>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/oracle.h"

namespace etude::run {
namespace {

std::string shell(const std::string& command) {
  std::string output = testing::run_shell(command).output;
  while (!output.empty() && std::isspace(static_cast<unsigned char>(output.back()))) output.pop_back();
  return output;
}

TEST(Environment, HoldsWhatAReaderOfTheResultsMustKnow) {
  const nlohmann::json found = environment("MPI (Open MPI 4.1.4)", 4, 2);
  for (const char* key : {"etude", "revision", "libtorch", "compiler", "communicator", "ranks", "threads_per_rank",
                          "started", "host", "system", "processor", "cores", "memory"}) {
    ASSERT_TRUE(found.contains(key)) << key;
  }
  EXPECT_EQ(found["communicator"], "MPI (Open MPI 4.1.4)");
  EXPECT_EQ(found["ranks"], 4);
  EXPECT_EQ(found["threads_per_rank"], 2);
  EXPECT_FALSE(found["revision"].get<std::string>().empty());
  EXPECT_THAT(version(), ::testing::HasSubstr(found["etude"].get<std::string>()));
  EXPECT_THAT(version(), ::testing::HasSubstr(found["revision"].get<std::string>()));
}

TEST(Environment, SaysWhatTheSystemsOwnToolsSay) {
  const nlohmann::json found = environment("single process", 1, 1);
  EXPECT_EQ(found["system"], shell("uname -srm"));
  EXPECT_EQ(found["host"], shell("uname -n"));
  EXPECT_EQ(std::to_string(found["cores"].get<unsigned>()), shell("env -u OMP_NUM_THREADS nproc"));
  EXPECT_THAT(found["memory"].get<std::string>(),
              ::testing::HasSubstr(shell("awk '/^MemTotal/ {print $2}' /proc/meminfo")));
  // Both clocks are read in UTC; sorting text sorts these times.
  EXPECT_LE(found["started"].get<std::string>(), shell("date -u +%Y-%m-%dT%H:%M:%SZ"));
}

}  // namespace
}  // namespace etude::run
