#include "generation/generator.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <stdexcept>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "data/loader/random.h"
#include "framework/config/error.h"
#include "tests/data/tokenizer/words.h"

namespace etude::generation {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::SizeIs;
using Tokens = std::vector<data::TokenId>;
using History = std::vector<std::int64_t>;

/// A model whose logits are any function of what its decoder was fed, and which keeps the books on that.
class FakeModel : public models::Model {
 public:
  using Logits = std::function<void(const History& heard, float* logits)>;

  FakeModel(std::int64_t vocabulary, std::int64_t context, Logits logits)
      : vocabulary_(vocabulary), context_(context), logits_(std::move(logits)) {}

  std::string kind() const override { return "fake"; }
  const std::vector<models::Parameter>& parameters() const override { return none_; }
  std::int64_t context() const override { return context_; }
  std::int64_t vocabulary_size() const override { return vocabulary_; }
  at::Tensor hidden(const at::Tensor&, models::Memory&, const models::DropoutKey*) override { throw unused(); }
  at::Tensor logits(const at::Tensor&) override { throw unused(); }
  std::unique_ptr<Model> replica() const override { throw unused(); }
  nlohmann::json hugging_face_config() const override { return nlohmann::json::object(); }
  double training_flops_per_token(std::int64_t) const override { return 0; }
  std::unique_ptr<models::Decoder> decoder(std::int64_t batch) override {
    return std::make_unique<Decoder>(*this, batch);
  }

  /// What the first row had been fed each time the decoder was reset or taken away, and is now.
  std::vector<History> windows;

 private:
  static std::logic_error unused() { return std::logic_error("not needed to make music"); }

  class Decoder : public models::Decoder {
   public:
    Decoder(FakeModel& model, std::int64_t batch) : model_(model), batch_(batch) { reset(); }

    at::Tensor advance(const at::Tensor& tokens) override {
      EXPECT_EQ(tokens.size(0), std::ssize(heard_));
      EXPECT_LE(tokens.size(1), room());
      at::Tensor logits = at::zeros({tokens.size(0), model_.vocabulary_});
      for (std::size_t row = 0; row < heard_.size(); ++row) {
        const auto index = static_cast<std::int64_t>(row);
        for (std::int64_t i = 0; i < tokens.size(1); ++i) heard_[row].push_back(tokens[index][i].item<std::int64_t>());
        model_.logits_(heard_[row], logits.data_ptr<float>() + index * model_.vocabulary_);
      }
      model_.windows.back() = heard_.front();
      return logits;
    }
    std::int64_t room() const override { return model_.context_ - std::ssize(heard_.front()); }
    void reset() override {
      heard_.assign(static_cast<std::size_t>(heard_.empty() ? batch_ : std::ssize(heard_)), {});
      model_.windows.emplace_back();
    }
    void select(const at::Tensor& rows) override {
      std::vector<History> kept;
      for (std::int64_t i = 0; i < rows.numel(); ++i) {
        kept.push_back(heard_.at(static_cast<std::size_t>(rows[i].item<std::int64_t>())));
      }
      EXPECT_LT(kept.size(), heard_.size());
      heard_ = kept;
    }

   private:
    FakeModel& model_;
    std::int64_t batch_;
    std::vector<History> heard_;
  };

  std::vector<models::Parameter> none_;
  std::int64_t vocabulary_, context_;
  Logits logits_;
};

class Generator : public ::testing::Test {
 protected:
  data::TokenId id(const std::string& token) const { return tokenizer_->vocabulary().id(token); }
  Tokens ids(const std::string& words) const { return testing::ids(*tokenizer_, words); }

  FakeModel model(FakeModel::Logits logits, std::int64_t context = 1 << 20) const {
    return {tokenizer_->vocabulary().size(), context, std::move(logits)};
  }
  /// Logits that look like noise but are a function of what was heard. EOS is as likely as `end` makes it.
  FakeModel noise(float end, std::int64_t context = 1 << 20) const {
    const auto eos = static_cast<std::size_t>(id("EOS_None"));
    const auto size = static_cast<std::size_t>(tokenizer_->vocabulary().size());
    return model(
        [=](const History& heard, float* logits) {
          std::uint64_t state = heard.size();
          for (const std::int64_t token : heard) state = data::mix(state ^ static_cast<std::uint64_t>(token));
          for (std::size_t i = 0; i < size; ++i) {
            state = data::mix(state + i);
            logits[i] = static_cast<float>(state % 1000) / 250.0f;
          }
          logits[eos] = end;
        },
        context);
  }
  /// A model that always wants the tokens named most, the first of them most of all.
  FakeModel wanting(const std::vector<std::string>& tokens, std::int64_t context = 1 << 20) const {
    std::vector<std::size_t> wanted;
    for (const std::string& token : tokens) wanted.push_back(static_cast<std::size_t>(id(token)));
    return model(
        [wanted](const History&, float* logits) {
          for (std::size_t i = 0; i < wanted.size(); ++i) logits[wanted[i]] = 100.0f - static_cast<float>(i);
        },
        context);
  }
  std::int64_t bars(const Tokens& tokens) const { return std::count(tokens.begin(), tokens.end(), id("Bar_None")); }

  std::unique_ptr<data::Tokenizer> tokenizer_ = data::make_tokenizer("remi");
};

TEST_F(Generator, EndsAfterTheBarsAskedForBesidesThoseOfThePrompt) {
  for (const auto& [prompt, there] : {std::pair("BOS", 0), std::pair("BOS Bar TimeSig_4/4 Bar TimeSig_4/4", 2)}) {
    FakeModel fake = wanting({"Bar_None", "TimeSig_4/4"});
    const auto pieces = generate(fake, *tokenizer_, ids(prompt), {.sampling = {.temperature = 0}, .bars = 3});
    ASSERT_THAT(pieces, SizeIs(1));
    EXPECT_EQ(bars(pieces[0].tokens), there + 3);
    EXPECT_EQ(pieces[0].tokens.back(), id("EOS_None"));
    EXPECT_FALSE(pieces[0].ended_by_itself);
    EXPECT_EQ(pieces[0].prompt, std::ssize(ids(prompt)));
    EXPECT_TRUE(std::equal(pieces[0].tokens.begin(), pieces[0].tokens.begin() + pieces[0].prompt, ids(prompt).begin()));
  }
}

TEST_F(Generator, EndsWhereTheModelEndsThePiece) {
  FakeModel fake = wanting({"EOS_None", "Bar_None", "TimeSig_4/4"});
  const auto pieces = generate(fake, *tokenizer_, ids("BOS"), {.sampling = {.temperature = 0}, .bars = 8});
  EXPECT_EQ(pieces[0].tokens, ids("BOS Bar TimeSig_4/4 EOS"));  // the grammar asks for a bar before
  EXPECT_TRUE(pieces[0].ended_by_itself);
}

TEST_F(Generator, StopsAtMostTokensWithoutAnEnd) {
  FakeModel fake = wanting({"Bar_None", "TimeSig_4/4"});
  std::vector<std::int64_t> told;
  const auto pieces = generate(fake, *tokenizer_, ids("BOS"), {.sampling = {.temperature = 0}, .most_tokens = 7},
                               [&](std::int64_t tokens) { told.push_back(tokens); });
  EXPECT_THAT(pieces[0].tokens, SizeIs(1 + 7));
  EXPECT_NE(pieces[0].tokens.back(), id("EOS_None"));
  EXPECT_FALSE(pieces[0].ended_by_itself);
  EXPECT_THAT(told, ElementsAre(1, 2, 3, 4, 5, 6, 7));
}

TEST_F(Generator, TheWindowSlidesToTheNewerHalf) {
  constexpr std::int64_t kContext = 16;
  FakeModel fake = noise(-100, kContext);
  const auto pieces = generate(fake, *tokenizer_, ids("BOS"), {.sampling = {}, .most_tokens = 60});
  const Tokens& all = pieces[0].tokens;
  ASSERT_THAT(all, SizeIs(61));
  // Full after 16 tokens; the 17th is drawn from them, and then the newest 8 are what the decoder starts on.
  std::int64_t end = kContext;
  for (std::size_t i = 1; i < fake.windows.size(); ++i) {  // the first is the decoder's own reset
    const History& window = fake.windows[i];
    const std::int64_t begin = i == 1 ? 0 : end + 1 - kContext / 2;
    if (i > 1) end = begin + kContext;
    const std::int64_t until = std::min<std::int64_t>(end, std::ssize(all) - 1);  // the last token is never heard
    EXPECT_EQ(window, History(all.begin() + begin, all.begin() + until)) << "window " << i;
  }
  EXPECT_THAT(fake.windows, SizeIs(1 + 6));  // 16 tokens, then 9 more in each window, up to the 60th
}

TEST_F(Generator, APromptLongerThanTheContextIsHeardFromItsNewerHalf) {
  std::string words = "BOS";
  for (int i = 0; i < 20; ++i) words += " Bar TimeSig_4/4";
  const Tokens prompt = ids(words);
  FakeModel fake = noise(-100, 10);
  const auto pieces = generate(fake, *tokenizer_, prompt, {.sampling = {}, .most_tokens = 1});
  EXPECT_EQ(fake.windows.back(), History(prompt.end() - 5, prompt.end()));
  EXPECT_THAT(pieces[0].tokens, SizeIs(prompt.size() + 1));
}

TEST_F(Generator, PiecesDoNotDependOnThoseBesideThem) {
  // With this end some of the eight end after few tokens and some after many, so rows leave at different times.
  const GenerationOptions eight{.sampling = {}, .seed = 4, .count = 8, .most_tokens = 120};
  FakeModel fake = noise(5.5f, 32);
  const auto together = generate(fake, *tokenizer_, ids("BOS"), eight);
  std::vector<std::size_t> lengths;
  for (const Piece& piece : together) lengths.push_back(piece.tokens.size());
  std::sort(lengths.begin(), lengths.end());
  ASSERT_GT(std::unique(lengths.begin(), lengths.end()) - lengths.begin(), 3);
  for (int count = 1; count < 8; ++count) {
    GenerationOptions fewer = eight;
    fewer.count = count;
    FakeModel another = noise(5.5f, 32);
    const auto apart = generate(another, *tokenizer_, ids("BOS"), fewer);
    for (std::size_t i = 0; i < apart.size(); ++i) EXPECT_EQ(apart[i].tokens, together[i].tokens) << i;
  }
  for (std::size_t i = 1; i < together.size(); ++i) EXPECT_NE(together[i].tokens, together[0].tokens);
}

TEST_F(Generator, TheSameSeedGivesTheSamePieceAndAnotherAnother) {
  const auto with_seed = [&](std::uint64_t seed) {
    FakeModel fake = noise(-100);
    return generate(fake, *tokenizer_, ids("BOS"), {.sampling = {}, .seed = seed, .most_tokens = 40})[0].tokens;
  };
  EXPECT_EQ(with_seed(1), with_seed(1));
  EXPECT_NE(with_seed(1), with_seed(2));
}

TEST_F(Generator, ValidOnlyNeverViolatesTheGrammar) {
  const auto violations = [&](bool valid_only) {
    FakeModel fake = noise(3.0f, 64);
    std::int64_t found = 0;
    for (const Piece& piece : generate(fake, *tokenizer_, ids("BOS"),
                                       {.sampling = {}, .count = 6, .most_tokens = 300, .valid_only = valid_only})) {
      const auto grammar = tokenizer_->grammar();
      for (const data::TokenId token : piece.tokens) found += grammar->advance(token) ? 0 : 1;
    }
    return found;
  };
  EXPECT_EQ(violations(true), 0);
  EXPECT_GT(violations(false), 100);  // or the noise would prove nothing
}

TEST_F(Generator, RefusesWhatCannotBeMeant) {
  FakeModel fake = noise(0);
  EXPECT_THROW(generate(fake, *tokenizer_, {}, {}), UsageError);
  EXPECT_THROW(generate(fake, *tokenizer_, ids("BOS"), {.sampling = {}, .count = 0}), UsageError);
  EXPECT_THROW(generate(fake, *tokenizer_, ids("BOS"), {.sampling = {.temperature = -1}}), UsageError);
}

}  // namespace
}  // namespace etude::generation
