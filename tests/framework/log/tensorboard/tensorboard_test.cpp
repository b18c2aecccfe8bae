// What needs no TensorBoard to be told right or wrong; TensorBoard itself reads our files in
// tests/system/tracking_test.
#include "framework/log/tensorboard/tensorboard.h"

#include <cmath>
#include <filesystem>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "framework/config/error.h"
#include "framework/log/tensorboard/crc32c.h"
#include "framework/log/tensorboard/heat_map.h"
#include "framework/log/tensorboard/message.h"
#include "tests/support/oracle.h"

namespace etude::tensorboard {
namespace {

using etude::testing::slurp;
using etude::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += static_cast<char>(value);
  return text;
}

// RFC 3720, appendix B.4, "CRC Examples"; there the bytes stand in the order in which they are sent.
TEST(Crc32c, AgreesWithTheStandardsExamples) {
  std::string rising(32, '\0');
  std::iota(rising.begin(), rising.end(), '\0');
  const std::string falling(rising.rbegin(), rising.rend());
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(crc32c(rising), 0x46dd794eU);
  EXPECT_EQ(crc32c(falling), 0x113fdb5cU);
  const std::string command =
      bytes({0x01, 0xc0, 0, 0,    0, 0, 0, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 4, 0,
             0,    0,    0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(crc32c(command), 0xd9963a56U);
}

// protobuf.dev/programming-guides/encoding.
TEST(Message, IsEncodedAsTheGuideShows) {
  EXPECT_EQ(Message().integer(1, 150).bytes(), bytes({0x08, 0x96, 0x01}));
  EXPECT_EQ(Message().text(2, "testing").bytes(), bytes({0x12, 0x07}) + "testing");
  EXPECT_EQ(Message().message(3, Message().integer(1, 150)).bytes(), bytes({0x1a, 0x03, 0x08, 0x96, 0x01}));
  EXPECT_EQ(Message().integer(1, -2).bytes(),
            bytes({0x08, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}));
  EXPECT_EQ(Message().number(16, 1.0).bytes(), bytes({0x81, 0x01, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f}));
  EXPECT_EQ(Message().short_number(1, -2.0F).bytes(), bytes({0x0d, 0, 0, 0, 0xc0}));
  const double pair[] = {0, 1};
  EXPECT_EQ(Message().numbers(6, pair).bytes(),
            bytes({0x32, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f}));
}

TEST(EventFile, BeginsAsTensorFlowsDo) {
  const TemporaryFolder folder;
  EventFile(folder.path(), 0, 1234567890.25);
  const auto file = std::filesystem::directory_iterator(folder.path())->path();
  EXPECT_THAT(file.filename().string(), ::testing::StartsWith("events.out.tfevents.1234567890."));
  // So does each file that TensorFlow has ever written: 24 bytes, their length's CRC, the time.
  const std::string content = slurp(file);
  EXPECT_EQ(content.substr(0, 13), bytes({0x18, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22, 0x09}));
  EXPECT_EQ(content.size(), 8U + 4 + 24 + 4);
  EXPECT_THAT(content, HasSubstr("brain.Event:2"));
}

TEST(EventFile, IsReadAfterThoseThatWereThereWhateverTheClockSays) {
  const TemporaryFolder folder;
  for (const double time : {2000000000., 1000000000., 1000000000.}) EventFile(folder.path(), 7, time);
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  for (std::string& name : names) name = name.substr(20, 10);
  EXPECT_THAT(names, ElementsAre("2000000000", "2000000001", "2000000002"));
}

TEST(Distribution, PutsEachNumberWhereItLies) {
  log::Distribution found;
  const float values[] = {1.0F, 1.24F, 1.25F, -3.0F, 0.0F, std::nanf(""), INFINITY};
  found.add(values);
  EXPECT_EQ(found.count(), 5);
  EXPECT_EQ(found.non_finite(), 2);
  EXPECT_EQ(found.min(), -3);
  EXPECT_EQ(found.max(), 1.25);
  EXPECT_DOUBLE_EQ(found.sum(), 0.0 + 1.0F + 1.24F + 1.25F - 3.0F);
  std::vector<std::int64_t> counts;
  double end = -INFINITY;
  for (const auto& bucket : found.buckets()) {
    EXPECT_LT(bucket.low, bucket.high);
    EXPECT_TRUE(std::isinf(end) || bucket.low == end) << "a gap before " << bucket.low;
    end = bucket.high;
    if (bucket.count == 0) continue;
    counts.push_back(bucket.count);
    std::int64_t inside = 0;
    for (const float value : values) {
      const double wide = value;
      inside += bucket.high > 0 ? wide >= bucket.low && wide < bucket.high : wide > bucket.low && wide <= bucket.high;
    }
    EXPECT_EQ(inside, bucket.count) << bucket.low << " to " << bucket.high;
  }
  EXPECT_THAT(counts, ElementsAre(1, 1, 2, 1));  // -3; 0; 1 and 1.24; 1.25
}

TEST(HeatMap, OfSomethingElseSaysWhatItIsNot) {
  for (const char* other : {R"({"names": ["A"], "counts": []})", R"({"names": ["A"], "counts": [["x"]]})",
                            R"({"counts": [[1]]})", R"({"lowest": 21, "counts": [[1, 2], [3]]})", "[]"}) {
    EXPECT_THROW(heat_map("pitches", nlohmann::json::parse(other)), Error) << other;
  }
}

TEST(TensorBoard, ThatCannotWriteSaysSoOnceAndLetsTheRunGoOn) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "file") << "no folder";
  std::vector<std::string> warnings;
  TensorBoard listener(folder.path() / "file" / "tensorboard",
                       [&](const std::string& text) { warnings.push_back(text); });
  listener.begin({});
  listener.step({1, 0, {{"loss", 1}}});
  listener.evaluation({1, 0, {{"eval_loss", 1}}}, nlohmann::json::object());
  listener.end(log::State::kFinished);
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("tensorboard")));
}

}  // namespace
}  // namespace etude::tensorboard
