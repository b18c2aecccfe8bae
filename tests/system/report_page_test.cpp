// The page of a report, opened from disk and clicked through in a headless Chromium. What each case claims stands in
// check.py.
#include <gtest/gtest.h>

#include "tests/support/oracle.h"

namespace etude::testing {
namespace {

void in_a_browser(const std::string& claim) {
  const ShellResult checked = run_shell("timeout -k 5 100 python3 -B " ETUDE_SOURCE_DIR "/tests/report/page/check.py " +
                                        claim + " --maker " ETUDE_BINARY_DIR "/tests/report/page/report_page_maker");
  if (checked.exit_code == 77) GTEST_SKIP() << "no Chromium here: the Debian package 'chromium' is one";
  EXPECT_EQ(checked.exit_code, 0) << checked.output << checked.errors;
}

TEST(ReportPage, ShowsWhatTheModelHolds) { in_a_browser("shows"); }
TEST(ReportPage, NamesTheCopiesOfEverySeed) { in_a_browser("copies"); }
TEST(ReportPage, SortsAndFiltersItsTable) { in_a_browser("table"); }
TEST(ReportPage, HasCurvesToZoomSmoothAndRead) { in_a_browser("curves"); }
TEST(ReportPage, HasMatricesToRead) { in_a_browser("matrix"); }
TEST(ReportPage, PlaysItsPieces) { in_a_browser("player"); }
TEST(ReportPage, GivesItsFiguresAway) { in_a_browser("saved"); }
TEST(ReportPage, RunsNothingOfARun) { in_a_browser("hostile"); }
TEST(ReportPage, LeavesOutWhatIsNotKnown) { in_a_browser("bare"); }
TEST(ReportPage, FitsAPhone) { in_a_browser("phone"); }
TEST(ReportPage, Prints) { in_a_browser("paper"); }
TEST(ReportPage, HoldsTwoHundredRuns) { in_a_browser("many"); }

}  // namespace
}  // namespace etude::testing
