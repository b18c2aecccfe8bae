#include "report/blind/preferences.h"

#include <functional>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/report/blind/session.h"
#include "tests/support/oracle.h"

namespace etude::blind {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

using Choose = std::function<Choice(std::size_t listener, const std::string& first, const std::string& second)>;

/// Every listener answers every comparison.
Answers everybody(const Key& key, std::size_t listeners, const Choose& choose) {
  Answers answers;
  for (std::size_t i = 0; i < listeners; ++i) {
    Sheet sheet;
    sheet.listener = fmt::format("listener {}", i);
    for (std::size_t k = 0; k < key.comparisons.size(); ++k) {
      const auto& [first, second] = key.comparisons[k];
      sheet.answers.push_back({k, first, second, {choose(i, first, second)}, false, false});
    }
    answers.sheets.push_back(std::move(sheet));
  }
  return answers;
}

const PairRate& only_pair(const Preferences& all) { return all.opinions.at(0).pairs.at(0); }

std::string summary(const Preferences& all) { return to_json(all).at("sentence"); }

// m1 is preferred whenever a coin that falls its way in 3 of 4 says so.
TEST(WinRates, GiveThePlantedPreferenceBack) {
  const Key key = key_of(2, 10, 10);
  std::mt19937 random(7);
  const auto all = win_rates(key, everybody(key, 30, [&](std::size_t, const std::string& first, const std::string&) {
                               const bool m1_wins = random() % 4 != 0;
                               return (model_of(key, first) == 1) == m1_wins ? Choice::kFirst : Choice::kSecond;
                             }));
  const PairRate& pair = only_pair(all);
  EXPECT_EQ(pair.wins_a + pair.wins_b, 300u);
  EXPECT_NEAR(pair.rate, 0.25, 0.075);  // three deviations of 300 throws
  EXPECT_EQ(pair.verdict, Verdict::kB);
  EXPECT_LT(pair.shown.high, 0.5);
  EXPECT_EQ(all.opinions[0].ranking.at(0).model, 1u);
  EXPECT_THAT(summary(all), HasSubstr("m1 was preferred over m0"));
}

TEST(WinRates, CountWinsAndTiesByHand) {
  const Key key = key_of(2, 4, 4);
  // Of eight answers m0 gets 4, m1 2, and 2 are ties: (4 + 1) / 8.
  std::size_t number = 0;
  const auto all = win_rates(key, everybody(key, 2, [&](std::size_t, const std::string& first, const std::string&) {
                               const std::size_t k = number++;
                               if (k >= 6) return Choice::kNeither;
                               return (model_of(key, first) == 0) == (k < 4) ? Choice::kFirst : Choice::kSecond;
                             }));
  const PairRate& pair = only_pair(all);
  EXPECT_EQ(pair.wins_a, 4u);
  EXPECT_EQ(pair.wins_b, 2u);
  EXPECT_EQ(pair.ties, 2u);
  EXPECT_DOUBLE_EQ(pair.rate, 5.0 / 8);
  const auto json = to_json(all);
  EXPECT_EQ(json["pairs"][0]["a"], "m0");
  EXPECT_EQ(json["pairs"][0]["wins_a"], 4);
  EXPECT_EQ(json["listeners"], 2);
  EXPECT_EQ(json["answers"], 8);
}

TEST(WinRates, OfCoinsNameNoWinner) {
  const Key key = key_of(2, 10, 10);
  int named = 0;
  for (unsigned seed = 0; seed < 40; ++seed) {
    std::mt19937 random(seed);
    const auto all = win_rates(key, everybody(key, 8, [&](std::size_t, const std::string&, const std::string&) {
                                 return random() % 2 ? Choice::kFirst : Choice::kSecond;
                               }));
    named += only_pair(all).verdict != Verdict::kWithinNoise;
  }
  EXPECT_LE(named, 5);  // 5 % of 40 are 2
}

// Ten listeners with a taste of their own each: 100 answers, but only ten opinions, of which 7 are for m0. As if they
// were independent, 70 of 100 would be far from chance (Wilson: 60 to 78 %); of ten throws 7 are not.
TEST(WinRates, AnswersOfOneListenerAreNotIndependent) {
  const Key key = key_of(2, 10, 10);
  const auto all =
      win_rates(key, everybody(key, 10, [&](std::size_t listener, const std::string& first, const std::string&) {
                  return (model_of(key, first) == 0) == (listener < 7) ? Choice::kFirst : Choice::kSecond;
                }));
  const PairRate& pair = only_pair(all);
  EXPECT_DOUBLE_EQ(pair.rate, 0.7);
  EXPECT_GT(pair.independent.low, 0.59);
  EXPECT_LT(pair.shown.low, 0.5);
  EXPECT_EQ(pair.verdict, Verdict::kWithinNoise);
  EXPECT_THAT(pair.why, HasSubstr("bootstrap over listeners and pieces"));
  EXPECT_THAT(summary(all), HasSubstr("no preference can be told from chance"));
}

// The same with pieces: everybody agrees that m0's pieces 0 to 6 are good and its others bad.
TEST(WinRates, AnswersOnOnePieceAreNotIndependent) {
  const Key key = key_of(2, 10, 10);
  const auto all =
      win_rates(key, everybody(key, 10, [&](std::size_t, const std::string& first, const std::string& second) {
                  const std::string& of_m0 = model_of(key, first) == 0 ? first : second;
                  const std::string& file = key.pieces.at(of_m0).file;
                  const bool good = file < "generated/7.mid";
                  return (of_m0 == first) == good ? Choice::kFirst : Choice::kSecond;
                }));
  EXPECT_DOUBLE_EQ(only_pair(all).rate, 0.7);
  EXPECT_LT(only_pair(all).shown.low, 0.5);
  EXPECT_EQ(only_pair(all).verdict, Verdict::kWithinNoise);
}

// One answer a listener, no piece twice: nothing in common, and Wilson's interval it is.
TEST(WinRates, IndependentAnswersHaveWilsonsInterval) {
  const Key key = key_of(2, 10, 10);
  Answers answers;
  for (std::size_t i = 0; i < 10; ++i) {
    const auto& [first, second] = key.comparisons[i];
    Sheet sheet;
    sheet.listener = fmt::format("{}", i);
    sheet.answers = {{i, first, second, {model_of(key, first) == 0 ? Choice::kFirst : Choice::kSecond}, false, false}};
    answers.sheets.push_back(sheet);
  }
  const PairRate pair = only_pair(win_rates(key, answers));
  EXPECT_NEAR(pair.shown.low, 0.7225, 5e-5);  // 10 of 10: 10 / (10 + 1.96²)
  EXPECT_DOUBLE_EQ(pair.shown.high, 1);
  EXPECT_THAT(pair.why, HasSubstr("Wilson: every answer is by another listener"));
  EXPECT_EQ(pair.verdict, Verdict::kA);
}

TEST(WinRates, SayNothingOfAlmostNothing) {
  const Key key = key_of(2, 4, 4);
  const auto first_model = [&](std::size_t, const std::string& first, const std::string&) {
    return model_of(key, first) == 0 ? Choice::kFirst : Choice::kSecond;
  };
  const auto few = win_rates(key, everybody(key, 1, first_model));  // four answers, all for m0
  EXPECT_EQ(only_pair(few).verdict, Verdict::kTooFew);
  EXPECT_THAT(summary(few), HasSubstr("too little to say anything"));
  EXPECT_THAT(summary(few), Not(HasSubstr("preferred over")));
  EXPECT_THAT(summary(win_rates(key, {})), HasSubstr("Nobody has answered"));
  EXPECT_THAT(summary(win_rates(key, everybody(key, 3, first_model))), HasSubstr("taste of 3 listeners"));
}

// Whoever knows a piece is not blind to where it comes from.
TEST(WinRates, KnownPiecesDoNotCount) {
  const Key key = key_of(2, 10, 10);
  Answers answers = everybody(key, 6, [&](std::size_t, const std::string& first, const std::string&) {
    return model_of(key, first) == 0 ? Choice::kFirst : Choice::kSecond;
  });
  const std::string famous = key.comparisons[0][0];
  for (Sheet& sheet : answers.sheets) sheet.answers[0].knew_first = true;
  const auto all = win_rates(key, answers);
  EXPECT_EQ(all.answers, 54u);
  EXPECT_EQ(all.left_out, 6u);
  ASSERT_EQ(all.known.size(), 1u);
  EXPECT_EQ(all.known[0].id, famous);
  EXPECT_EQ(all.known[0].listeners, 6u);
  EXPECT_EQ(to_json(all)["known"][0]["model"], key.models[model_of(key, famous)].name);
  EXPECT_THAT(summary(all), HasSubstr("6 answers more do not count"));
}

TEST(WinRates, NoticeThatTheFirstIsAlwaysLiked) {
  const Key key = key_of(2, 10, 10);
  const auto all = win_rates(
      key, everybody(key, 5, [](std::size_t, const std::string&, const std::string&) { return Choice::kFirst; }));
  EXPECT_EQ(all.position.first, 50u);
  EXPECT_DOUBLE_EQ(only_pair(all).rate, 0.5);  // the design has every pair in both orders
  EXPECT_THAT(all.sentences, Contains(HasSubstr("heard first was preferred in 100 %")));
}

// Three listeners, of whom two always say the same and the third always the contrary: of three pairs of answers to each
// comparison one agrees; by chance it would be half, (1/3 - 1/2) / (1/2) = -1/3.
TEST(WinRates, SayHowFarListenersAgree) {
  const Key key = key_of(2, 6, 6);
  const auto all =
      win_rates(key, everybody(key, 3, [&](std::size_t listener, const std::string& first, const std::string&) {
                  return (model_of(key, first) == 0) == (listener < 2) ? Choice::kFirst : Choice::kSecond;
                }));
  EXPECT_EQ(all.agreement.pairs, 18u);
  EXPECT_EQ(all.agreement.agreed, 6u);
  EXPECT_NEAR(*all.agreement.kappa, -1.0 / 3, 1e-12);
}

// The same two pieces, heard in different orders by two listeners, who prefer the same piece.
TEST(WinRates, AgreementIsOnPiecesNotOnPlaces) {
  const Key key = key_of(2, 4, 4);
  Answers answers = everybody(key, 2, [&](std::size_t, const std::string& first, const std::string&) {
    return model_of(key, first) == 0 ? Choice::kFirst : Choice::kSecond;
  });
  for (Answer& answer : answers.sheets[1].answers) {
    std::swap(answer.first, answer.second);
    answer.choices[0] = *answer.choices[0] == Choice::kFirst ? Choice::kSecond : Choice::kFirst;
  }
  const auto all = win_rates(key, answers);
  EXPECT_EQ(all.agreement.agreed, all.agreement.pairs);
  EXPECT_DOUBLE_EQ(only_pair(all).rate, 1);
}

TEST(WinRates, RankThreeModels) {
  const Key key = key_of(3, 8, 8);
  std::mt19937 random(3);
  const auto all = win_rates(
      key, everybody(key, 12, [&](std::size_t, const std::string& first, const std::string& second) {
        // Strengths 2, 1, 0: won with probability 1 / (1 + exp(difference)).
        const double ahead = static_cast<double>(model_of(key, second)) - static_cast<double>(model_of(key, first));
        return std::bernoulli_distribution(1 / (1 + std::exp(-ahead)))(random) ? Choice::kFirst : Choice::kSecond;
      }));
  const auto& ranking = all.opinions[0].ranking;
  ASSERT_EQ(ranking.size(), 3u);
  const double truth[]{1, 0, -1};
  // expected_rates of 2, 1, 0 by hand: the mean of 1/(1+e⁻¹) = .7311 and 1/(1+e⁻²) = .8808; of .2689 and .7311; …
  const double rates[]{0.8060, 0.5, 0.1940};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(ranking[i].model, i);
    EXPECT_NEAR(ranking[i].strength, truth[i], 0.5);
    ASSERT_TRUE(ranking[i].interval);
    EXPECT_LT(ranking[i].interval->low, rates[i]);
    EXPECT_GT(ranking[i].interval->high, rates[i]);
  }
  EXPECT_THAT(summary(all), HasSubstr("From the most to the least liked"));
}

TEST(WinRates, FurtherQuestionsStandByThemselves) {
  Key key = key_of(2, 6, 6);
  key.questions.push_back("Which is more surprising?");
  Answers answers = everybody(key, 4, [&](std::size_t, const std::string& first, const std::string&) {
    return model_of(key, first) == 0 ? Choice::kFirst : Choice::kSecond;
  });
  for (Sheet& sheet : answers.sheets) {
    for (Answer& answer : sheet.answers) {
      answer.choices.push_back(answer.comparison % 2 == 0             ? std::optional<Choice>()
                               : *answer.choices[0] == Choice::kFirst ? Choice::kSecond
                                                                      : Choice::kFirst);
    }
  }
  const auto json = to_json(win_rates(key, answers));
  EXPECT_EQ(json["pairs"][0]["rate"], 1);
  EXPECT_EQ(json["questions"][0]["question"], "Which is more surprising?");
  EXPECT_EQ(json["questions"][0]["answers"], 12);
  EXPECT_EQ(json["questions"][0]["pairs"][0]["rate"], 0);
}

TEST(WinRates, AreTheSameEachTime) {
  const Key key = key_of(3, 5, 6);
  std::mt19937 random(1);
  const Answers answers = everybody(key, 7, [&](std::size_t, const std::string&, const std::string&) {
    return random() % 3 ? Choice::kFirst : Choice::kSecond;
  });
  EXPECT_EQ(to_json(win_rates(key, answers)), to_json(win_rates(key, answers)));
}

}  // namespace
}  // namespace etude::blind
