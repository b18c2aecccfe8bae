#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "framework/config/error.h"
#include "report/blind/preferences.h"
#include "tests/support/damage.h"
#include "tests/support/oracle.h"

namespace {

using namespace etude::blind;
using etude::testing::require;

bool within(const Interval& interval, double rate) {
  return interval.low >= 0 && interval.low <= rate && rate <= interval.high && interval.high <= 1;
}

void check(const Opinion& opinion, std::size_t models) {
  std::size_t answers = 0;
  for (const PairRate& pair : opinion.pairs) {
    require(pair.a < pair.b && pair.b < models, "a pair is of two models");
    require(within(pair.shown, pair.rate) && within(pair.independent, pair.rate), "an interval holds its rate");
    answers += pair.wins_a + pair.wins_b + pair.ties;
  }
  require(answers <= opinion.answers, "no answer counts twice");
  for (const Rank& rank : opinion.ranking) {
    require(rank.model < models && rank.rate >= 0 && rank.rate <= 1, "a model's rate is one");
  }
}

}  // namespace

/// Whatever stands in a key and in what listeners saved (all behind one another, with a zero byte between them): the
/// key is refused, or each file of answers counts or is refused, and what is made of them are rates.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const etude::testing::TemporaryFolder folder;
  std::vector<std::filesystem::path> files;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  for (std::size_t begin = 0; begin <= input.size() && files.size() < 6;) {
    const std::size_t end = std::min(input.find('\0', begin), input.size());
    files.push_back(folder.path() / (std::to_string(files.size()) + ".json"));
    std::ofstream(files.back(), std::ios::binary) << input.substr(begin, end - begin);
    begin = end + 1;
  }
  try {
    const Key key = read_key(files.front());
    files.erase(files.begin());
    const Answers answers = collect(files, key);
    require(answers.sheets.size() + answers.refused.size() <= files.size(), "a file counts or is refused");
    for (const Refused& refused : answers.refused) require(!refused.reason.empty(), "a refusal has a reason");
    const Preferences found = win_rates(key, answers);
    require(found.opinions.size() == key.questions.size(), "each question has its opinion");
    for (const Opinion& opinion : found.opinions) check(opinion, key.models.size());
    require(within(found.position.interval, found.position.rate), "how often the first was preferred is a rate");
    require(!to_json(found).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).empty(),
            "it can be written");
  } catch (const etude::Error& error) {
    require(std::string(error.what()).find(".json") != std::string::npos, "a refusal names the file");
  }
  return 0;
}
