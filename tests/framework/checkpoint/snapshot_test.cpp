#include "framework/checkpoint/snapshot.h"

#include <limits>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/files/files.h"
#include "models/safetensors.h"
#include "tests/framework/checkpoint/example.h"

namespace etude::checkpoint {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::error_of;
using ::testing::HasSubstr;
using testing::overwrite;
using testing::slurp;

const std::set<std::string> kFiles{"model.safetensors", "config.json", "optimizer.safetensors",
                                   "lanes.safetensors", "state.json",  "manifest.json"};

void expect_same(const models::NamedTensors& read, const models::NamedTensors& written) {
  ASSERT_EQ(read.size(), written.size());
  for (const auto& [name, tensor] : written) {
    const auto found = std::find_if(read.begin(), read.end(), [&](const auto& entry) { return entry.first == name; });
    ASSERT_NE(found, read.end()) << name;
    EXPECT_EQ(found->second.scalar_type(), tensor.scalar_type()) << name;
    ASSERT_EQ(found->second.sizes(), tensor.sizes()) << name;
    // Bytes, so that NaNs and the sign of zero count too.
    EXPECT_EQ(std::memcmp(found->second.data_ptr(), tensor.data_ptr(), tensor.nbytes()), 0) << name;
  }
}

TEST(Snapshot, ComesBackAsItWas) {
  const testing::TemporaryFolder folder;
  Snapshot written = testing::snapshot_at(12345678901, 0.1 + 0.2);
  const at::Tensor odd = at::tensor(
      {0.1f, -0.0f, 1e-42f, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -3.4e38f});
  for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16}) {
    written.model.emplace_back(std::string("transformer.") + at::toString(type), odd.to(type));
  }
  for (const at::ScalarType type : {at::kByte, at::kChar, at::kShort, at::kInt, at::kLong, at::kBool}) {
    written.optimizer.emplace_back(at::toString(type), at::arange(5).to(type).view({5, 1}));
  }
  written.optimizer.emplace_back("scalar", at::full({}, 7.5f));
  written.optimizer.emplace_back("empty", at::empty({0, 3}));
  written.state = {{"nested", {{"list", {1, 2.5, nullptr, "ü\n\""}}}}, {"large", 9007199254740993}};
  write_snapshot(folder.path(), written);

  const Snapshot read = read_snapshot(folder.path());
  EXPECT_EQ(read.step, written.step);
  EXPECT_EQ(read.metric, written.metric);
  EXPECT_EQ(read.state, written.state);
  EXPECT_EQ(read.model_config, written.model_config);
  expect_same(read.model, written.model);
  expect_same(read.optimizer, written.optimizer);
  expect_same(read.lanes, written.lanes);
  expect_same(read_weights(folder.path()), written.model);
  EXPECT_EQ(read_manifest(folder.path()).step, written.step);
  EXPECT_EQ(read_manifest(folder.path()).metric, written.metric);
}

TEST(Snapshot, WhatWasNotThereIsNotThereAfterwards) {
  const testing::TemporaryFolder folder;
  Snapshot written = testing::snapshot_at(3);
  written.model_config = nullptr;
  written.lanes.clear();
  write_snapshot(folder.path(), written);
  EXPECT_FALSE(fs::exists(folder.path() / "config.json"));
  EXPECT_FALSE(fs::exists(folder.path() / "lanes.safetensors"));
  const Snapshot read = read_snapshot(folder.path());
  EXPECT_FALSE(read.metric.has_value());
  EXPECT_TRUE(read.model_config.is_null());
  EXPECT_TRUE(read.lanes.empty());
}

TEST(Snapshot, AMetricThatIsNoNumberCountsAsNone) {
  for (const double metric : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    const testing::TemporaryFolder folder;
    write_snapshot(folder.path(), testing::snapshot_at(3, metric));
    EXPECT_FALSE(read_snapshot(folder.path()).metric.has_value());
  }
}

/// What hurts a file: a bit flipped in its middle, its end cut off, a byte too many, the file gone.
TEST(Snapshot, EveryDamagedFileIsFoundAndNamed) {
  const testing::TemporaryFolder folder;
  write_snapshot(folder.path(), testing::snapshot_at(3, 1.5));
  std::set<std::string> seen;
  for (const auto& entry : fs::directory_iterator(folder.path())) seen.insert(entry.path().filename().string());
  EXPECT_EQ(seen, kFiles);
  for (const std::string& name : kFiles) {
    SCOPED_TRACE(name);
    const fs::path file = folder.path() / name;
    const std::string good = slurp(file);
    const auto refused = [&](const std::string& fact) {
      for (const auto& said :
           {error_of([&] { verify(folder.path()); }), error_of([&] { read_snapshot(folder.path()); })}) {
        EXPECT_THAT(
            said, AllOf(HasSubstr(name == "manifest.json" ? folder.path().string() : file.string()), HasSubstr(fact)));
      }
    };
    if (name != "manifest.json") {
      // A manifest has no hash of its own: it is held to the files instead.
      for (const std::size_t at : {std::size_t{0}, good.size() / 2, good.size() - 1}) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 1);
        overwrite(file, bad);
        refused("hash differs");
      }
      overwrite(file, good + " ");
      refused("manifest.json says " + std::to_string(good.size()));
      overwrite(file, "");
      refused("has 0 bytes");
    }
    overwrite(file, good.substr(0, good.size() / 2));
    refused("damaged");
    fs::remove(file);
    refused(name == "manifest.json" ? "is no checkpoint" : "is missing");
    overwrite(file, good);
    EXPECT_EQ(error_of([&] { verify(folder.path()); }), "no error");
  }
}

TEST(Snapshot, DamageOfTheOptimizerDoesNotKeepWeightsFromBeingRead) {
  const testing::TemporaryFolder folder;
  write_snapshot(folder.path(), testing::snapshot_at(3));
  overwrite(folder.path() / "optimizer.safetensors", "");
  EXPECT_EQ(read_weights(folder.path()).size(), 1);
  overwrite(folder.path() / "model.safetensors", "");
  EXPECT_THAT(error_of([&] { read_weights(folder.path()); }), HasSubstr("model.safetensors: has 0 bytes"));
}

TEST(Snapshot, AManifestOfALaterFormatAsksForANewerProgram) {
  const testing::TemporaryFolder folder;
  write_snapshot(folder.path(), testing::snapshot_at(3));
  auto manifest = nlohmann::json::parse(slurp(folder.path() / "manifest.json"));
  manifest["format"] = 2;
  overwrite(folder.path() / "manifest.json", manifest.dump());
  EXPECT_THAT(error_of([&] { read_manifest(folder.path()); }), HasSubstr("newer etude"));
}

}  // namespace
}  // namespace etude::checkpoint
