#include "data/tokenizer/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "data/tokenizer/remi.h"
#include "framework/config/error.h"

namespace etude::data {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

void refuses(const json& description, const std::vector<std::string>& words) {
  try {
    make_tokenizer(description, "packs/a/pack.json");
  } catch (const Error& error) {
    for (const std::string& word : words) EXPECT_THAT(error.what(), HasSubstr(word));
    EXPECT_THAT(error.what(), HasSubstr("packs/a/pack.json: "));
    return;
  }
  ADD_FAILURE() << "took " << description;
}

TEST(MakeTokenizer, MakesAgainWhatItDescribes) {
  const auto remi = make_tokenizer("remi");
  const json description = json::parse(remi->to_json().dump());
  const auto again = make_tokenizer(description, "pack.json");
  EXPECT_EQ(again->name(), "remi");
  EXPECT_EQ(again->vocabulary().tokens(), remi->vocabulary().tokens());
  EXPECT_EQ(again->to_json(), description);
}

TEST(MakeTokenizer, KeepsSettingsOtherThanTheUsual) {
  RemiSettings settings;
  settings.lowest_pitch = 36;
  settings.highest_pitch = 84;
  settings.velocities = 8;
  settings.beat_resolutions = {{0, 2, 12}, {2, 8, 3}};
  settings.time_signatures = {{4, 4}, {9, 8}, {2, 2}};
  const Remi remi(settings);
  const auto again = make_tokenizer(remi.to_json(), "pack.json");
  EXPECT_EQ(again->vocabulary().tokens(), remi.vocabulary().tokens());
  EXPECT_TRUE(again->vocabulary().find("Duration_1.11.12").has_value());
  EXPECT_TRUE(again->vocabulary().find("TimeSig_9/8").has_value());
  EXPECT_FALSE(again->vocabulary().find("Pitch_35").has_value());
}

TEST(MakeTokenizer, NamesTheKnownOnes) {
  EXPECT_THAT([] { make_tokenizer("remix"); },
              ThrowsMessage<UsageError>(AllOf(HasSubstr("'remix'"), HasSubstr("remi"))));
}

TEST(MakeTokenizer, RefusesWhatItWouldMisread) {
  const json good = make_tokenizer("remi")->to_json();
  const auto with = [&](const std::string& key, const json& value) {
    json changed = good;
    changed[key] = value;
    return changed;
  };
  const auto without = [&](const std::string& key) {
    json changed = good;
    changed.erase(key);
    return changed;
  };
  refuses(json::array(), {"no tokenizer here"});
  refuses(without("kind"), {"no tokenizer here"});
  refuses(with("kind", "octuple"), {"unknown tokenizer \"octuple\"", "this etude knows: remi"});
  refuses(with("version", 2), {"version is 2", "knows version 1"});
  refuses(without("version"), {"'version' is missing"});
  refuses(with("swing", true), {"unknown 'swing'"});
  refuses(without("beat_res"), {"'beat_res' is missing"});
  refuses(with("num_velocities", "many"), {"'num_velocities'", "\"many\""});
  refuses(with("num_velocities", 8.5), {"'num_velocities'", "8.5"});
  refuses(with("num_velocities", std::int64_t{1} << 40), {"'num_velocities'"});
  refuses(with("num_velocities", 0), {"0 velocities"});
  refuses(with("pitch_range", {90, 20}), {"pitch range 90..20"});
  refuses(with("pitch_range", {1, 2, 3}), {"'pitch_range'", "[1,2,3]"});
  refuses(with("time_signatures", {{3, 4}}), {"4/4"});
}

}  // namespace
}  // namespace etude::data
