#include "data/loader/transposition.h"

#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/document.h"
#include "framework/config/error.h"
#include "tests/data/loader/memory_pack.h"

namespace etude::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Piece piece(const std::string& composer, int low, int high) {
  Piece result;
  result.composer = composer;
  result.title = "Prelude in E minor";
  result.file = "Op28/No4.mid";
  result.labels = {{"genre", "romantic"}};
  result.tokens = 1000;
  result.pitch_low = low;
  result.pitch_high = high;
  return result;
}

/// What the sequences of each piece were transposed by over many epochs.
std::map<std::int64_t, std::set<int>> drawn(const std::vector<Piece>& pieces, const TransposeOptions& transpose) {
  DataOptions options;
  options.sequence_length = 100;
  options.transpose = transpose;
  const auto plan = make_training_plan(pieces, Vocabulary({"Pitch_21", "Pitch_108"}), options, 10, 1);
  std::map<std::int64_t, std::set<int>> found;
  for (std::int64_t step = 0; step < 200; ++step) {
    for (const SequenceRef& sequence : plan->batch(step)) found[sequence.piece].insert(sequence.semitones);
  }
  return found;
}

TEST(Transposition, EveryIntervalIsDrawnThatKeepsThePieceInRange) {
  auto found =
      drawn({piece("a", 40, 80), piece("b", 22, 107), piece("c", 21, 108), piece("d", 40, 106)}, {{-3, 4}, {}});
  EXPECT_THAT(found[0], ElementsAre(-3, -2, -1, 0, 1, 2, 3, 4));
  EXPECT_THAT(found[1], ElementsAre(-1, 0, 1));
  EXPECT_THAT(found[2], ElementsAre(0));
  EXPECT_THAT(found[3], ElementsAre(-3, -2, -1, 0, 1, 2));
}

TEST(Transposition, APieceThatFitsNowhereStaysAsItIs) {
  auto found = drawn({piece("a", 40, 107), piece("b", 0, -1)}, {{2, 4}, {}});
  EXPECT_THAT(found[0], ElementsAre(0));
  EXPECT_THAT(found[1], ElementsAre(0));
}

TEST(Transposition, OnlyWhatIsAskedFor) {
  auto found =
      drawn({piece("Frédéric CHOPIN", 40, 80), piece("J. S. Bach", 40, 80)}, {{-1, 1}, {{"composer", "chopin"}}});
  EXPECT_THAT(found[0], ElementsAre(-1, 0, 1));
  EXPECT_THAT(found[1], ElementsAre(0));
  EXPECT_THAT(drawn({piece("a", 40, 80)}, {})[0], ElementsAre(0));
}

TEST(Transposition, SaysWhatCannotBeMeant) {
  const auto complaint = [](const TransposeOptions& options) {
    try {
      drawn({piece("Chopin", 40, 80)}, options);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  EXPECT_THAT(complaint({{-1}, {}}), HasSubstr("data.transpose.semitones"));
  EXPECT_THAT(complaint({{1, -1}, {}}), HasSubstr("data.transpose.semitones"));
  EXPECT_THAT(complaint({{-1, 1}, {{"composer", "bach"}}}), HasSubstr("data.transpose.where"));
  EXPECT_THAT(complaint({{-1, 1}, {{"composer", "bach"}}}), HasSubstr("'bach' in its composer"));
  EXPECT_THAT(complaint({{}, {{"composer", "chopin"}}}), HasSubstr("data.transpose.semitones"));
}

TEST(DataOptions, AreReadFromAnExperiment) {
  DataOptions options;
  config::Section root;
  describe(root.section("data", "What to train on."), options);
  config::load_text(root,
                    "data: {pack: packs/piano, sequence_length: 256,\n"
                    "       transpose: {semitones: [-5, 6], where: {composer: chopin}}}\n",
                    "chopin.yaml");
  EXPECT_EQ(options.pack, "packs/piano");
  EXPECT_EQ(options.sequence_length, 256);
  EXPECT_THAT(options.transpose.semitones, ElementsAre(-5, 6));
  EXPECT_THAT(options.transpose.where, ElementsAre(std::pair("composer", "chopin")));
  EXPECT_THROW(config::load_text(root, "data: {sequence_length: 1}", "chopin.yaml"), config::ConfigError);
}

TEST(DataOptions, WhatIsWrittenWithoutTranspositionReadsBack) {
  DataOptions options;
  config::Section root;
  describe(root, options);
  EXPECT_NO_THROW(config::load_text(root, config::to_yaml(root), "config.yaml"));
}

}  // namespace
}  // namespace etude::data
