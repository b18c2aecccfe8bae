// The listening page in a headless Chromium, and its files through the statistics. What each case claims stands in
// check.py.
#include <cmath>
#include <optional>

#include <gtest/gtest.h>

#include "render/audio.h"
#include "report/blind/listening.h"
#include "report/blind/preferences.h"
#include "tests/report/blind/music.h"
#include "tests/report/blind/session.h"
#include "tests/support/oracle.h"

namespace etude::blind {
namespace {

/// A second of a tone: no soundfont is needed to see whether a browser plays FLAC.
std::string tone(const data::Score&, double seconds) {
  render::Audio audio;
  audio.rate = 22'050;
  for (int i = 0; i < static_cast<int>(seconds * audio.rate); ++i) {
    audio.samples.resize(audio.samples.size() + 2, 0.1F * std::sin(static_cast<float>(i) * 0.1F));
  }
  return render::encode(audio, render::AudioFormat::kFlac);
}

class ListeningInBrowser : public ::testing::Test {
 protected:
  /// Lets a browser take the test, and gives what comes of the file that it saved; nothing without a browser.
  std::optional<Preferences> taken(const std::string& name, const Record& record) {
    ListeningOptions options;
    options.seconds = 1.5;
    options.hear = 0.8;
    options.seed = 4;
    options.questions = {
        "Which is <b>livelier</b>, and if you had to hear one of them once more in a long night, would that be it?"};
    const Listening made = make_listening({source_of("low", 4, 9, 1), source_of("high", 4, 9, 20)}, options, record);
    const auto page = write(folder_.path() / "listening.html", made.page), key = folder_.path() / "listening.key.json";
    write_key(key, made.key);
    const auto saved = folder_.path() / "saved";
    std::filesystem::create_directory(saved);
    const char* pictures = std::getenv("ETUDE_TEST_PICTURES");
    const testing::ShellResult checked = testing::run_shell(fmt::format(
        "timeout -k 5 100 python3 -B {}/tests/report/blind/check.py {} {} {} {}{}", ETUDE_SOURCE_DIR, name,
        page.string(), key.string(), saved.string(), pictures ? fmt::format(" --pictures {}", pictures) : ""));
    if (checked.exit_code == 77) return std::nullopt;
    EXPECT_EQ(checked.exit_code, 0) << checked.output << checked.errors;
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(saved)) files.push_back(entry.path());
    const Answers answers = collect(files, read_key(key));
    EXPECT_TRUE(answers.refused.empty()) << answers.refused[0].reason;
    return win_rates(made.key, answers);
  }

  testing::TemporaryFolder folder_;
};

constexpr const char* kNoBrowser = "no Chromium here: the Debian package 'chromium' is one";

TEST_F(ListeningInBrowser, ByMouseGivesThePlantedPreferenceBack) {
  const auto found = taken("mouse", tone);
  if (!found) GTEST_SKIP() << kNoBrowser;
  EXPECT_EQ(found->listeners, 1u);
  EXPECT_EQ(found->answers, 3u);
  EXPECT_EQ(found->left_out, 1u);  // of a piece that was known
  EXPECT_EQ(found->opinions.at(0).pairs.at(0).wins_b, 3u);
  EXPECT_EQ(found->opinions.at(1).pairs.at(0).ties, 3u);
}

TEST_F(ListeningInBrowser, ByKeyboardGivesThePlantedPreferenceBack) {
  const auto found = taken("keyboard", {});
  if (!found) GTEST_SKIP() << kNoBrowser;
  EXPECT_EQ(found->answers, 3u);
  EXPECT_EQ(found->opinions.at(0).pairs.at(0).wins_b, 3u);
}

TEST_F(ListeningInBrowser, FitsAPhone) {
  if (!taken("phone", {})) GTEST_SKIP() << kNoBrowser;
}

}  // namespace
}  // namespace etude::blind
