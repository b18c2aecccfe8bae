#include <gtest/gtest.h>

#include "tests/report/blind/session.h"
#include "tests/support/damage.h"
#include "tests/support/oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace etude::blind {
namespace {

/// A key and what two listeners saved.
std::vector<std::string> session() {
  const testing::TemporaryFolder folder;
  Key key = key_of(2, 2, 2);
  key.questions.push_back("Which is more of a piece?");
  write_key(folder.path() / "key.json", key);
  std::vector<std::string> files{testing::slurp(folder.path() / "key.json")};
  for (const char* listener : {"3f", "4e"}) {
    auto sheet = sheet_of(key, listener, [&](const std::string& first, const std::string&) {
      return model_of(key, first) == 0 ? "first" : "second";
    });
    for (auto& answer : sheet["answers"]) answer["choices"].push_back(listener[0] == '3' ? "neither" : "first");
    sheet["answers"][0]["known"] = {"second"};
    files.push_back(sheet.dump());
  }
  return files;
}

void run(const std::vector<std::string>& files) {
  std::string input = files.front();
  for (std::size_t i = 1; i < files.size(); ++i) input += '\0' + files[i];
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

// The bounded run of the fuzz target: it aborts when what is made of answers is no rate.
TEST(PreferencesFuzz, DamagedAnswersAreRefusedOrCounted) {
  const std::vector<std::string> good = session();
  std::vector<std::string> pieces = testing::json_pieces();
  pieces.insert(pieces.end(), {"\"first\"", "\"neither\"", "null", "2", "3", "\"known\":[\"first\"],"});
  testing::Damage damage(1, pieces);
  constexpr int kRounds = 300;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::string> files = good;
    // Of a session whose key is damaged nothing counts; so that is seldom the one.
    std::string& one = files[round % 5 == 0 ? 0 : 1 + static_cast<std::size_t>(round % 2)];
    one = damage(one);
    run(files);
  }
}

TEST(PreferencesFuzz, DepthIsNoDanger) {
  const std::vector<std::string> good = session();
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  run({deep, good[1]});
  run({good[0], deep, "{\"format\":" + deep + "}"});
}

}  // namespace
}  // namespace etude::blind
