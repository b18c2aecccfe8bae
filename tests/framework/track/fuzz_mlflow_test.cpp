#include "tests/framework/track/fuzz_mlflow.h"

#include <gtest/gtest.h>

#include "tests/support/damage.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace etude::track {
namespace {

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

// The bounded run of the fuzz target: it aborts when something else is thrown than that a server is away or refuses.
TEST(MlflowFuzz, DamagedAnswersAreTakenCalmly) {
  std::vector<std::string> pieces = testing::json_pieces();
  pieces.insert(pieces.end(), {"\r\n", "\r\n\r\n", "Transfer-Encoding: chunked\r\n", "Content-Encoding: gzip\r\n",
                               "404", "500", "301", "Location: /\r\n", "ffffffff\r\n"});
  testing::Damage damage(1, pieces);
  constexpr int kRounds = 300;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::string> answers = testing::good_answers();
    std::string& one = answers[damage.below(4)];
    if (round % 2 == 0) {
      one = damage(one);
    } else {  // a whole answer whose content is damaged
      const int status = one.find(" 404 ") == one.npos ? 200 : 404;
      one = testing::with_head(damage(one.substr(one.find("\r\n\r\n") + 4)), status);
    }
    run(testing::joined(answers));
  }
}

TEST(MlflowFuzz, DepthIsNoDanger) {
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  for (std::size_t at = 0; at < 4; ++at) {
    std::vector<std::string> answers = testing::good_answers();
    answers[at] =
        testing::with_head("{\"runs\":" + deep + ",\"experiment\":" + deep + ",\"experiment_id\":" + deep + "}");
    run(testing::joined(answers));
  }
}

}  // namespace
}  // namespace etude::track
