// transformers' logits processors, as generate() lines them up, say what is kept and how likely each token is.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "generation/sampler.h"
#include "tests/support/oracle.h"

namespace etude::generation {
namespace {

struct Case {
  std::vector<float> logits;
  std::vector<data::TokenId> context;
  SamplingOptions options;
};

std::vector<Case> cases() {
  std::mt19937 random(11);
  const auto unit = [&random] { return static_cast<double>(random()) / 4294967296.0; };
  std::vector<Case> made;
  for (int i = 0; i < 120; ++i) {
    Case one;
    for (std::size_t size = 3 + random() % 60; one.logits.size() < size;) {
      one.logits.push_back(static_cast<float>((unit() - 0.5) * (i % 3 == 0 ? 30 : 6)));
    }
    for (int n = 0; n < i % 10; ++n) one.context.push_back(static_cast<data::TokenId>(random() % one.logits.size()));
    if (i % 2 == 0) one.options.temperature = 0.3 + 2 * unit();
    if (i % 3 != 0) one.options.top_k = 1 + static_cast<std::int64_t>(random() % 40);
    if (i % 4 != 0) one.options.top_p = 0.05 + 0.95 * unit();
    if (i % 5 != 0) one.options.repetition_penalty = 1 + unit();
    made.push_back(one);
  }
  return made;
}

constexpr const char* kOracle = R"(
import json, sys, torch
from transformers import (LogitsProcessorList, RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper,
                          TopKLogitsWarper, TopPLogitsWarper)
result = []
for case in json.load(open(sys.argv[1])):
    processors = LogitsProcessorList()
    if case['penalty'] != 1 and case['context']:
        processors.append(RepetitionPenaltyLogitsProcessor(case['penalty']))
    processors.append(TemperatureLogitsWarper(case['temperature']))
    if case['top_k'] > 0: processors.append(TopKLogitsWarper(case['top_k']))
    if case['top_p'] < 1: processors.append(TopPLogitsWarper(case['top_p']))
    scores = processors(torch.tensor([case['context']], dtype=torch.long), torch.tensor([case['logits']]).double())
    result.append(scores.softmax(-1)[0].tolist())
print(json.dumps(result))
)";

TEST(SamplerOracle, KeepsAndWeighsTokensAsTransformersDoes) {
  if (!testing::oracle_python()) GTEST_SKIP() << "no oracle Python: script/setup --test makes one";
  const testing::TemporaryFolder folder;
  nlohmann::json given = nlohmann::json::array();
  for (const Case& one : cases()) {
    given.push_back({{"logits", one.logits},
                     {"context", one.context},
                     {"temperature", one.options.temperature},
                     {"top_k", one.options.top_k},
                     {"top_p", one.options.top_p},
                     {"penalty", one.options.repetition_penalty}});
  }
  std::ofstream(folder.path() / "cases.json") << given;
  const auto expected = nlohmann::json::parse(testing::run_python(kOracle, {(folder.path() / "cases.json").string()}));

  const std::vector<Case> all = cases();
  for (std::size_t i = 0; i < all.size(); ++i) {
    SCOPED_TRACE(given[i].dump());
    const auto probabilities = expected[i].get<std::vector<double>>();
    std::vector<data::TokenId> order(probabilities.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](data::TokenId a, data::TokenId b) {
      return probabilities[static_cast<std::size_t>(a)] > probabilities[static_cast<std::size_t>(b)];
    });
    Sampler sampler(all[i].options);
    // In the middle of a token's share it must be that token, at either end of it too, but for rounding.
    double begin = 0;
    for (const data::TokenId token : order) {
      const double share = probabilities[static_cast<std::size_t>(token)];
      if (share < 1e-5) continue;
      for (const double within : {0.02, 0.5, 0.98}) {
        std::vector<float> logits = all[i].logits;
        EXPECT_EQ(sampler.draw(logits, {}, all[i].context, begin + within * share), token);
      }
      begin += share;
    }
    EXPECT_GT(begin, 0.999);
  }
}

}  // namespace
}  // namespace etude::generation
