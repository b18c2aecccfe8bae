// Results in the hands of other programs: transformers, h5py, symusic.
#include <cmath>
#include <fstream>

#include <gmock/gmock.h>

#include "tests/system/program.h"

namespace etude::testing {
namespace {

using ::testing::HasSubstr;

/// One small trained run for all of these tests.
class MeasureAndPlay : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shop_ = new Workshop;
    ASSERT_EQ(etude(shop_->train("run", 60)).exit_code, 0);
  }
  static void TearDownTestSuite() {
    delete shop_;
    shop_ = nullptr;
  }
  static std::string run() { return shop_->run("run").string(); }
  static Workshop* shop_;
};
Workshop* MeasureAndPlay::shop_ = nullptr;

TEST_F(MeasureAndPlay, TransformersFindsTheSameLossOnTheTestSplit) {
  if (!oracle_python()) GTEST_SKIP() << "no oracle Python: script/setup --test makes one";
  const ShellResult result = etude("evaluate " + run() + " --split test");
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const auto ours = nlohmann::json::parse(slurp(shop_->run("run") / "evaluation.json"))["test"];

  const auto theirs = nlohmann::json::parse(run_python(R"(
import sys, json, glob, h5py, torch
from transformers import GPT2LMHeadModel
run, pack = sys.argv[1:]
model = GPT2LMHeadModel.from_pretrained(run + "/checkpoints/final").eval()
names = json.load(open(pack + "/pack.json"))["vocabulary"]
total = count = notes = top1 = 0
for name in sorted(glob.glob(pack + "/test*.h5")):
    with h5py.File(name) as shard:
        tokens, offsets = shard["tokens"][:].astype("int64"), shard["offsets"][:]
    for begin, end in zip(offsets[:-1], offsets[1:]):
        piece = torch.tensor(tokens[begin:end])
        for at in range(0, len(piece) - 1, 48):
            part = piece[at:at + 49]
            with torch.no_grad():
                logits = model(part[None, :-1]).logits[0].double()
            total += torch.nn.functional.cross_entropy(logits, part[1:], reduction="sum").item()
            top1 += (logits.argmax(-1) == part[1:]).sum().item()
            notes += sum(names[t].startswith("Pitch_") for t in part[1:].tolist())
            count += len(part) - 1
print(json.dumps({"loss": total / count, "loss_per_note": total / notes, "tokens": count, "notes": notes, "top1": top1 / count}))
)",
                                                       {run(), shop_->pack().string()}));
  EXPECT_EQ(ours["tokens"], theirs["tokens"]);
  EXPECT_EQ(ours["notes"], theirs["notes"]);
  EXPECT_NEAR(ours["loss"].get<double>(), theirs["loss"].get<double>(), 1e-4);
  EXPECT_NEAR(ours["loss_per_note"].get<double>(), theirs["loss_per_note"].get<double>(), 5e-4);
  EXPECT_NEAR(ours["top1"].get<double>(), theirs["top1"].get<double>(), 1e-3);
  EXPECT_NEAR(ours["perplexity"].get<double>(), std::exp(theirs["loss"].get<double>()), 0.05);
}

TEST_F(MeasureAndPlay, TheResultIsTheSameOnAnyNumberOfRanksAndAddsUp) {
  ETUDE_NEEDS_MPIRUN();
  ASSERT_EQ(etude("evaluate " + run() + " --split validation").exit_code, 0);
  const auto alone = nlohmann::json::parse(slurp(shop_->run("run") / "evaluation.json"))["validation"];
  ASSERT_EQ(etude_on(3, "evaluate " + run() + " --split validation").exit_code, 0);
  EXPECT_EQ(nlohmann::json::parse(slurp(shop_->run("run") / "evaluation.json"))["validation"], alone);

  std::int64_t confusions = 0, tokens = 0;
  for (const auto& row : alone["confusion"]["families"]["counts"]) {
    for (const auto& count : row) confusions += count.get<std::int64_t>();
  }
  for (const auto& family : alone["by_family"]) tokens += family["tokens"].get<std::int64_t>();
  EXPECT_EQ(confusions, alone["tokens"]);
  EXPECT_EQ(tokens, alone["tokens"]);
  std::int64_t pitches = 0;
  for (const auto& row : alone["confusion"]["pitches"]["counts"]) {
    for (const auto& count : row) pitches += count.get<std::int64_t>();
  }
  EXPECT_EQ(pitches, alone["notes"]);
}

TEST_F(MeasureAndPlay, PiecesThatItMakesAreMeasuredBesideTheSplit) {
  const ShellResult result =
      etude("evaluate " + run() + " --split test --only-music --generate 3 --max-tokens 200 --seed 5");
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("3 pieces from"));
  const auto measured = [&] { return nlohmann::json::parse(slurp(shop_->run("run") / "music.json")); };
  const nlohmann::json made = measured();
  ASSERT_EQ(made["pieces"].size(), 3);
  EXPECT_EQ(made["seed"], 5);
  EXPECT_EQ(made["reference"]["split"], "test");
  const auto file = shop_->run("run") / "generated" / "piece-002.mid";
  ASSERT_TRUE(std::filesystem::exists(file));

  // The same files measured as if somebody else had made them; a training piece among them is found out.
  const auto others = shop_->path() / "others";
  std::filesystem::create_directory(others);
  std::filesystem::copy_file(file, others / "b.mid");
  const auto manifest = nlohmann::json::parse(slurp(shop_->pack() / "pack.json"));
  std::string longest;
  std::int64_t notes = 0;
  for (const auto& piece : manifest["pieces"]) {
    if (piece["split"] == "train" && piece["notes"] > notes) {
      notes = piece["notes"];
      longest = piece["file"];
    }
  }
  ASSERT_FALSE(longest.empty());
  std::ofstream(others / "note.txt") << "no music";
  ASSERT_EQ(etude("evaluate " + run() + " --split test --only-music --music " + others.string()).exit_code, 0);
  EXPECT_EQ(measured()["pieces"][0]["measures"], made["pieces"][1]["measures"]);
  EXPECT_TRUE(measured()["copying"]["copies"].empty());
  EXPECT_TRUE(std::filesystem::exists(file)) << "pieces made before are kept";

  const std::string book = longest.substr(0, longest.find('#'));
  std::filesystem::copy_file(std::filesystem::path(ETUDE_SOURCE_DIR) / "data" / "corpus" / book, others / "stolen.abc");
  const ShellResult told = etude("evaluate " + run() + " --split test --only-music --music " + others.string());
  ASSERT_EQ(told.exit_code, 0) << told.errors;
  EXPECT_THAT(told.output, HasSubstr(longest));
  bool named = false;
  const nlohmann::json copies = measured()["copying"]["copies"];
  for (const auto& copy : copies) {
    named = named || (copy["source"] == longest && copy["file"] == "stolen.abc" + longest.substr(longest.find('#')) &&
                      copy["source_bar"] == 1 && copy["semitones"] == 0);
  }
  EXPECT_TRUE(named) << copies;

  EXPECT_EQ(etude("evaluate " + run() + " --only-music").exit_code, 2);
  EXPECT_EQ(etude("evaluate " + run() + " --only-music --music " + (shop_->path() / "none").string()).exit_code, 2);
}

TEST_F(MeasureAndPlay, MusicOpensInSymusicAndIsAFunctionOfTheSeed) {
  const auto make = [&](const std::string& name, const std::string& more) {
    const auto file = shop_->path() / name;
    const ShellResult result = etude("generate " + run() + " --output " + file.string() + " --max-tokens 300 " + more);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return std::filesystem::exists(file) ? slurp(file) : "";
  };
  const std::string seven = make("a.mid", "--seed 7");
  EXPECT_GT(seven.size(), 100u);
  EXPECT_TRUE(make("b.mid", "--seed 7") == seven);
  EXPECT_FALSE(make("c.mid", "--seed 8") == seven);
  EXPECT_FALSE(make("d.mid", "--seed 7 --temperature 0.5") == seven);

  if (!oracle_python()) GTEST_SKIP() << "no oracle Python: script/setup --test makes one";
  const auto seen = nlohmann::json::parse(run_python(R"(
import sys, json, symusic
score = symusic.Score(sys.argv[1])
print(json.dumps({"notes": score.note_num(), "tempo": score.tempos[0].qpm, "tracks": len(score.tracks)}))
)",
                                                     {(shop_->path() / "a.mid").string()}));
  EXPECT_GT(seen["notes"], 5);
  EXPECT_NEAR(seen["tempo"].get<double>(), 120.0, 0.01);
}

TEST_F(MeasureAndPlay, BarsAndCountAreWhatWasAskedFor) {
  const auto output = shop_->path() / "new.mid";
  const ShellResult result = etude("generate " + run() + " --bars 3 --count 3 --seed 2 --output " + output.string());
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  for (const int i : {1, 2, 3}) {
    const auto file = shop_->path() / ("new-" + std::to_string(i) + ".mid");
    ASSERT_TRUE(std::filesystem::exists(file));
  }
  EXPECT_THAT(result.output, ::testing::AnyOf(HasSubstr("3 bars"), HasSubstr("2 bars"), HasSubstr("1 bar,")));
  EXPECT_THAT(result.output, ::testing::Not(HasSubstr("4 bars")));
}

TEST_F(MeasureAndPlay, APromptIsContinuedAndTheWindowSlidesPastTheContext) {
  const auto first = shop_->path() / "first.mid", second = shop_->path() / "second.mid";
  ASSERT_EQ(etude("generate " + run() + " --seed 1 --max-tokens 200 --output " + first.string()).exit_code, 0);
  const ShellResult result = etude("generate " + run() + " --prompt " + first.string() +
                                   " --prompt-bars 2 --bars 40 --seed 5 --max-tokens 600 --output " + second.string());
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  if (!oracle_python()) GTEST_SKIP() << "no oracle Python: script/setup --test makes one";
  // What the prompt's first bar holds is how the new piece begins.
  EXPECT_EQ(run_python(R"(
import sys, symusic
def bar(name):
    score = symusic.Score(name)
    length = score.ticks_per_quarter
    notes = sorted((n.time * 8 // length, n.pitch) for t in score.tracks for n in t.notes)
    return [n for n in notes if n[0] < 8]
a, b = bar(sys.argv[1]), bar(sys.argv[2])
print("same" if a == b else f"{a} {b}")
)",
                       {first.string(), second.string()}),
            "same\n");
}

TEST_F(MeasureAndPlay, AnyTuneOfABookCanBeThePrompt) {
  const auto book = shop_->path() / "book.abc", output = shop_->path() / "tune.mid";
  std::ofstream(book) << "X:3\nT:low\nM:4/4\nL:1/4\nK:C\nC,D,E,F,|\n\nX:8\nT:high\nM:4/4\nL:1/4\nK:C\nc'd'e'f'|\n";
  for (const auto& [prompt, lowest] :
       {std::pair("book.abc", 48), std::pair("book.abc#3", 48), std::pair("book.abc#8", 84)}) {
    ASSERT_EQ(etude("generate " + run() + " --prompt '" + (shop_->path() / prompt).string() +
                    "' --prompt-bars 1 --bars 1 --precision bfloat16 --output " + output.string())
                  .exit_code,
              0);
    if (!oracle_python()) GTEST_SKIP() << "no oracle Python: script/setup --test makes one";
    EXPECT_EQ(run_python(R"(
import sys, symusic
score = symusic.Score(sys.argv[1])
print(min((n.time, n.pitch) for t in score.tracks for n in t.notes)[1])
)",
                         {output.string()}),
              std::to_string(lowest) + "\n");
  }
  const ShellResult missing =
      etude("generate " + run() + " --prompt '" + book.string() + "#5' --output " + output.string());
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_THAT(missing.errors, HasSubstr("no tune X:5 that can be read; there are 3, 8"));
}

TEST_F(MeasureAndPlay, InspectAndExplainKnowWhatIsThere) {
  EXPECT_THAT(etude("inspect " + shop_->pack().string() + " --verify").output, HasSubstr("every checksum is right"));
  EXPECT_THAT(etude("inspect " + run()).output, HasSubstr("step 60 of 60"));
  EXPECT_THAT(etude("inspect " + run() + "/checkpoints/last").output, HasSubstr("step 60"));
  EXPECT_EQ(etude("inspect " + shop_->path().string()).exit_code, 2);
  EXPECT_THAT(etude("explain train.lr").output, HasSubstr("0.0003"));
  const ShellResult unknown = etude("explain train.lrate");
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.errors, HasSubstr("train.lr"));
  EXPECT_THAT(etude("explain --sweep budget.gpu_hours").output, HasSubstr("GPU-hours over all trials"));
  EXPECT_THAT(etude("explain --sweep --json-schema").output, HasSubstr("\"max_concurrent_trials\""));
  EXPECT_EQ(etude("explain --sweep --cluster").exit_code, 2);
}

TEST_F(MeasureAndPlay, CompletionIsValidBashAndOffersSubcommands) {
  const ShellResult result =
      run_shell("bash -c 'source <(" + etude_program() +
                " completion); COMP_WORDS=(etude ev); COMP_CWORD=1; _etude; echo ${COMPREPLY[@]}; "
                "COMP_WORDS=(etude train --res); COMP_CWORD=2; _etude; echo ${COMPREPLY[@]}; "
                "COMP_WORDS=(etude sweep imp); COMP_CWORD=2; _etude; echo ${COMPREPLY[@]}; "
                "COMP_WORDS=(etude sweep run --clus); COMP_CWORD=3; _etude; echo ${COMPREPLY[@]}'");
  EXPECT_EQ(result.output, "evaluate\n--resume\nimportance\n--cluster --cluster-set\n") << result.errors;
}

}  // namespace
}  // namespace etude::testing
