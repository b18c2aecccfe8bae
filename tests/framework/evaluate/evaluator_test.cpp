#include "framework/evaluate/evaluator.h"

#include <fstream>
#include <mutex>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "framework/comm/single_process.h"
#include "framework/config/error.h"
#include "framework/evaluate/metrics.h"
#include "framework/evaluate/of_pieces.h"
#include "models/gpt2.h"
#include "models/safetensors.h"
#include "tests/data/pack/music.h"
#include "tests/models/support.h"
#include "tests/support/oracle.h"
#include "tests/support/thread_ranks.h"

namespace etude::evaluate {
namespace {

constexpr std::int64_t kLength = 32;

class Evaluator : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new testing::TemporaryFolder;
    for (unsigned i = 0; i < 8; ++i) {
      testing::write_midi(folder_->path() / "music" / (std::to_string(i) + ".mid"),
                          testing::melody(i, 20 + static_cast<int>(i) * 3));
    }
    data::PackRequest request = testing::request(folder_->path() / "music", folder_->path() / "pack");
    request.validation = 0.6;
    request.test = 0;
    data::build_pack(request);
    pack_ = new data::Pack(data::Pack::open(folder_->path() / "pack"));
    model_ = new models::Gpt2({.layers = 2, .width = 16, .heads = 2, .dropout = 0.3}, pack_->vocabulary().size(),
                              kLength, 1);
    testing::shake(*model_, 5);
  }
  static void TearDownTestSuite() {
    delete model_;
    delete pack_;
    delete folder_;
  }

  static Tally run(comm::Communicator& communicator, int threads,
                   Selection selection = {.sequence_length = kLength, .rows = 3}) {
    parallel::WorkerPool workers(threads);
    std::vector<std::unique_ptr<models::Model>> replicas;
    std::vector<models::Model*> models{model_};
    for (int i = 1; i < threads; ++i) {
      replicas.push_back(model_->replica());
      models.push_back(replicas.back().get());
    }
    return evaluate(models, *pack_, selection, communicator, workers);
  }

  static inline testing::TemporaryFolder* folder_ = nullptr;
  static inline data::Pack* pack_ = nullptr;
  static inline models::Gpt2* model_ = nullptr;
};

/// Everything that is counted, from transformers' logits of the same weights.
constexpr const char* kOracle = R"(
import json, sys, torch
from transformers import GPT2LMHeadModel
folder, length = sys.argv[1], int(sys.argv[2])
model = GPT2LMHeadModel.from_pretrained(folder + '/model').eval().double()
given = json.load(open(folder + '/pieces.json'))
tokens, top1, top5, nll, notes, families, pitches = 0, 0, 0, 0.0, 0, {}, {}
intervals, durations, banned, mass, sure, per_piece = {}, {}, 0, 0.0, [], [0.0 for _ in given['pieces']]

def allowed(before):
    """What REMI lets follow: a bar's time signature, positions that go forward within 4/4 of 8 positions a beat, at each
    of them notes, each key at most twice, and a note's three tokens in their order."""
    last = before[-1].split('_')[0]
    bar = next((i for i in reversed(range(len(before))) if before[i] == 'Bar_None'), -1)
    positions = [i for i in range(len(before)) if i > bar and before[i].startswith('Position_')]
    here = before[positions[-1]:] if positions else []
    between = last in ('TimeSig', 'Duration')
    def may(token):
        family, value = token.split('_', 1)
        if family == 'Velocity': return last == 'Pitch'
        if family == 'Duration': return last == 'Velocity'
        if family == 'TimeSig': return last == 'Bar'
        if family == 'Bar': return last == 'BOS' or between
        if family == 'EOS': return between
        if family == 'Pitch': return last in ('Position', 'Duration') and here.count(token) < 2
        if family == 'Position': return between and int(value) < 32 and (not positions or int(value) > int(before[positions[-1]][9:]))
        return False
    return may

for number, piece in enumerate(given['pieces']):
    for begin in range(0, len(piece) - 1, length):
        part = torch.tensor(piece[begin:begin + length + 1])
        with torch.no_grad():
            scores = model(part[None, :-1]).logits[0].log_softmax(-1)
        for index, (score, target) in enumerate(zip(scores, part[1:].tolist()), begin):
            name, guess = given['names'][target], given['names'][int(score.argmax())]
            family, guessed = name.split('_')[0], guess.split('_')[0]
            likelier = int((score > score[target]).sum())
            tokens += 1
            nll -= score[target].item()
            top1 += likelier == 0
            top5 += likelier < 5
            notes += family == 'Pitch'
            entry = families.setdefault(family, [0, 0.0, {}])
            entry[0] += 1
            entry[1] -= score[target].item()
            entry[2][guessed] = entry[2].get(guessed, 0) + 1
            if family == guessed == 'Pitch':
                key = name[6:] + ' ' + guess[6:]
                pitches[key] = pitches.get(key, 0) + 1
            if family == 'Pitch':
                before = [int(each[6:]) for each in (given['names'][t] for t in piece[:index + 1]) if each.startswith('Pitch_')]
                if before and guessed == 'Pitch':
                    key = ' '.join(str(max(-24, min(24, int(each[6:]) - before[-1]))) for each in (name, guess))
                    intervals[key] = intervals.get(key, 0) + 1
            if family == guessed == 'Duration':
                key = name[9:] + ' ' + guess[9:]
                durations[key] = durations.get(key, 0) + 1
            may = allowed([given['names'][t] for t in piece[:index + 1]])
            banned += not may(guess)
            mass += sum(score[i].exp().item() for i, each in enumerate(given['names']) if not may(each))
            sure.append((score.max().exp().item(), likelier == 0))
            per_piece[number] -= score[target].item()
bins = [[each for each in sure if min(19, int(each[0] * 20)) == i] for i in range(20)]
error = sum(abs(sum(c for c, _ in b) - sum(r for _, r in b)) for b in bins) / tokens
print(json.dumps({'intervals': intervals, 'durations': durations, 'banned': banned, 'mass': mass, 'calibration': error, 'per_piece': per_piece,
                  'tokens': tokens, 'loss': nll / tokens, 'per_note': nll / notes, 'top1': top1 / tokens,
                  'top5': top5 / tokens, 'notes': notes, 'families': families, 'pitches': pitches}))
)";

TEST_F(Evaluator, CountsWhatTransformersAndLogSoftmaxCount) {
  if (!testing::oracle_python()) GTEST_SKIP() << "no oracle Python: script/setup --test makes one";
  const auto folder = folder_->path() / "model";
  std::filesystem::create_directory(folder);
  std::ofstream(folder / "config.json") << model_->hugging_face_config();
  models::write_safetensors(folder / "model.safetensors", testing::weights_of(*model_));
  nlohmann::json given{{"names", pack_->vocabulary().tokens()}, {"pieces", nlohmann::json::array()}};
  for (std::size_t i = 0; i < pack_->pieces(data::Split::kValidation).size(); ++i) {
    given["pieces"].push_back(testing::tokens_of(*pack_, data::Split::kValidation, i));
  }
  ASSERT_GE(given["pieces"].size(), 2);
  std::ofstream(folder_->path() / "pieces.json") << given;
  const auto expected =
      nlohmann::json::parse(testing::run_python(kOracle, {folder_->path().string(), std::to_string(kLength)}));

  comm::SingleProcess alone;
  const Tally tally = run(alone, 1);
  const Metrics found = metrics(tally);
  EXPECT_EQ(found.tokens, expected["tokens"]);
  EXPECT_EQ(found.notes, expected["notes"]);
  EXPECT_EQ(found.non_finite, 0);
  EXPECT_NEAR(found.loss, expected["loss"].get<double>(), 1e-5);
  EXPECT_NEAR(found.loss_per_note, expected["per_note"].get<double>(), 1e-4);
  EXPECT_NEAR(found.top1, expected["top1"].get<double>(), 1e-9);
  EXPECT_NEAR(found.top5, expected["top5"].get<double>(), 1e-9);

  const auto& families = pack_->vocabulary().families();
  const Tally::Matrix confused = tally.confusion(Tally::Confusion::kFamilies);
  for (int target = 0; target < tally.families(); ++target) {
    const auto entry = expected["families"].find(families[static_cast<std::size_t>(target)]);
    const bool occurs = entry != expected["families"].end();
    ASSERT_EQ(tally.family(target).tokens, occurs ? (*entry)[0].get<std::int64_t>() : 0);
    if (!occurs) continue;
    EXPECT_NEAR(tally.family(target).nll, (*entry)[1].get<double>(), 1e-2);
    for (int guess = 0; guess < tally.families(); ++guess) {
      EXPECT_EQ(confused.at(target, guess), (*entry)[2].value(families[static_cast<std::size_t>(guess)], 0));
    }
  }
  const int lowest = pack_->vocabulary().pitch_range().first;
  const Tally::Matrix pitches = tally.confusion(Tally::Confusion::kPitches);
  for (int target = 0; target < pitches.rows; ++target) {
    for (int guess = 0; guess < pitches.rows; ++guess) {
      const std::string key = std::to_string(lowest + target) + " " + std::to_string(lowest + guess);
      EXPECT_EQ(pitches.at(target, guess), expected["pitches"].value(key, 0)) << key;
    }
  }

  const nlohmann::json told = to_json(tally, pack_->vocabulary());
  EXPECT_EQ(told["grammar"]["errors"], expected["banned"].get<double>() / static_cast<double>(found.tokens));
  EXPECT_GT(told["grammar"]["errors"], 0);  // the weights are random
  EXPECT_NEAR(tally.forbidden_mass(), expected["mass"].get<double>(), 1e-3);
  EXPECT_NEAR(tally.calibration_error(), expected["calibration"].get<double>(), 1e-4);
  for (const char* kind : {"intervals", "durations"}) {
    const nlohmann::json& matrix = told["confusion"][kind];
    for (std::size_t due = 0; due < matrix["names"].size(); ++due) {
      for (std::size_t guess = 0; guess < matrix["names"].size(); ++guess) {
        const auto name = [&](std::size_t of) {
          const std::string text = matrix["names"][of];
          return kind == std::string("intervals") ? std::to_string(std::stoi(text)) : text;
        };
        const auto count = matrix["counts"][due][guess].get<std::int64_t>();
        EXPECT_EQ(count, expected[kind].value(name(due) + " " + name(guess), 0)) << kind << name(due) << name(guess);
      }
    }
  }
  const Tally::Matrix durations = tally.confusion(Tally::Confusion::kDurations);
  EXPECT_EQ(std::accumulate(durations.counts, durations.counts + durations.rows * durations.columns, std::int64_t{0}),
            expected["families"]["Duration"][0]);
  for (std::int64_t piece = 0; piece < tally.pieces(); ++piece) {
    EXPECT_NEAR(tally.piece(piece).nll, expected["per_piece"][static_cast<std::size_t>(piece)].get<double>(), 1e-3);
  }
}

TEST_F(Evaluator, KnowsWhatARunLearnedFromWhenItIsMeasuredOnAnotherPack) {
  const std::string known = pack_->pieces(data::Split::kTrain).front().id;
  nlohmann::json result{{"train_hash", "another pack's"}, {"pieces", {{{"id", known}}, {{"id", "other"}}}}};
  set_learned_from(result, pack_);
  EXPECT_EQ(result["train_hash"], music_hash(*pack_, data::Split::kTrain));
  EXPECT_EQ(result["learned"], 1);
  set_learned_from(result, nullptr);
  EXPECT_FALSE(result.contains("train_hash"));
}

TEST_F(Evaluator, TellsOfPiecesComposersAndSeconds) {
  comm::SingleProcess alone;
  const Tally tally = run(alone, 1);
  nlohmann::json result = to_json(tally, pack_->vocabulary());
  add_pieces(result, tally, *pack_, data::Split::kValidation);
  const auto& pieces = pack_->pieces(data::Split::kValidation);
  ASSERT_EQ(result["pieces"].size(), pieces.size());
  double nll = 0, seconds = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_EQ(result["pieces"][i]["id"], pieces[i].id);
    EXPECT_EQ(result["pieces"][i]["notes"], pieces[i].notes);
    EXPECT_EQ(result["pieces"][i]["whole"], true);
    nll += result["pieces"][i]["nll"].get<double>();
    seconds += pieces[i].seconds;
  }
  EXPECT_NEAR(result["loss_per_second"].get<double>(), nll / seconds, 1e-9);
  EXPECT_NEAR(result["loss_per_note"].get<double>() * result["notes"].get<double>(), nll, 1e-6);
  EXPECT_EQ(result["by_composer"].size(), 1);  // all lie in one folder
  EXPECT_EQ(result["by_composer"].front()["pieces"], pieces.size());
  EXPECT_EQ(result["split_hash"], music_hash(*pack_, data::Split::kValidation));
  EXPECT_NE(result["split_hash"], result["train_hash"]);

  const Tally part = run(alone, 1, {.sequence_length = kLength, .rows = 1, .batches = 1});
  nlohmann::json half = to_json(part, pack_->vocabulary());
  add_pieces(half, part, *pack_, data::Split::kValidation);
  ASSERT_EQ(half["pieces"].size(), 1);
  EXPECT_EQ(half["pieces"][0]["whole"], false);
  EXPECT_NEAR(half["seconds"].get<double>(), pieces[0].seconds * kLength / static_cast<double>(pieces[0].tokens - 1),
              1e-9);
}

TEST_F(Evaluator, TheSameOnAnyNumberOfWorkersAndRanks) {
  comm::SingleProcess alone;
  const std::vector<std::int64_t> one = run(alone, 1).values();
  EXPECT_EQ(run(alone, 3).values(), one);
  for (const int ranks : {2, 3}) {
    std::mutex mutex;
    testing::ThreadWorld(ranks).run([&](comm::Communicator& communicator) {
      const std::vector<std::int64_t> mine = run(communicator, 1).values();
      const std::lock_guard lock(mutex);
      EXPECT_EQ(mine, one);
    });
  }
}

TEST_F(Evaluator, TakesAsManyBatchesAsItIsTold) {
  comm::SingleProcess alone;
  const auto tokens = [&](std::int64_t batches) {
    return run(alone, 1, {.sequence_length = kLength, .rows = 1, .batches = batches}).all().tokens;
  };
  EXPECT_EQ(tokens(2), 2 * kLength);  // the first piece is longer than two sequences
  EXPECT_EQ(tokens(1'000'000), tokens(0));
}

TEST_F(Evaluator, AnEmptySplitIsRefusedWithAWayOut) {
  comm::SingleProcess alone;
  try {
    run(alone, 1, {.split = data::Split::kTest});
    FAIL() << "an empty split was evaluated";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("test split"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace etude::evaluate
