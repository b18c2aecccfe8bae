// The page of a sweep, clicked through in a headless Chromium against a stand-in of the controller and the controller
// itself. What each case claims stands in check.py.
#include <gtest/gtest.h>

#include "tests/support/oracle.h"

namespace etude::testing {
namespace {

void in_a_browser(const std::string& claim) {
  const ShellResult checked =
      run_shell("timeout -k 5 100 python3 -B " ETUDE_SOURCE_DIR "/tests/sweep/page/check.py " + claim);
  if (checked.exit_code == 77) GTEST_SKIP() << "no Chromium here: the Debian package 'chromium' is one";
  EXPECT_EQ(checked.exit_code, 0) << checked.output << checked.errors;
}

TEST(SweepPage, ShowsWhatTheStudyHolds) { in_a_browser("shows"); }
TEST(SweepPage, SortsAndFiltersItsTable) { in_a_browser("table"); }
TEST(SweepPage, HasChartsForPointersAndKeys) { in_a_browser("charts"); }
TEST(SweepPage, AsksBeforeItActs) { in_a_browser("actions"); }
TEST(SweepPage, IsLive) { in_a_browser("live"); }
TEST(SweepPage, OutlivesTheController) { in_a_browser("away"); }
TEST(SweepPage, WantsTheToken) { in_a_browser("token"); }
TEST(SweepPage, RunsNothingOfAStudy) { in_a_browser("hostile"); }
TEST(SweepPage, FitsAPhone) { in_a_browser("phone"); }
TEST(SweepPage, ShowsSeveralObjectives) { in_a_browser("objectives"); }
TEST(SweepPage, HoldsTenThousandTrials) { in_a_browser("many"); }
TEST(SweepPage, ShowsStudiesOfOthers) { in_a_browser("foreign"); }
TEST(SweepPage, WorksWithTheControllerItself) { in_a_browser("controller --etude " ETUDE_BINARY_DIR "/etude"); }

}  // namespace
}  // namespace etude::testing
