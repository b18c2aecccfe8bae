// Weights that go from `etude train` to transformers and back.
#include <fstream>

#include <gmock/gmock.h>

#include "tests/system/program.h"

namespace etude::testing {
namespace {

// Loads a checkpoint as any user of transformers would, lets it hear each piece of a shard in segments of 48, and
// prints the mean loss of all tokens; then writes the model as transformers does.
constexpr const char* kOracle = R"(
import sys, warnings
warnings.filterwarnings('ignore', category=FutureWarning)
import h5py, torch
from transformers import TransfoXLLMHeadModel

checkpoint, shard, saved = sys.argv[1:]
model = TransfoXLLMHeadModel.from_pretrained(checkpoint).eval()
shard = h5py.File(shard)
loss = count = 0
for begin, end in zip(shard['offsets'][:-1], shard['offsets'][1:]):
    piece = torch.tensor(shard['tokens'][begin:end].astype('int64'))
    mems = [torch.zeros(0, 1, model.config.d_model) for _ in range(model.config.n_layer)]
    for first in range(0, len(piece) - 1, 48):
        targets = piece[first + 1:first + 49]
        with torch.no_grad():
            output = model(piece[first:first + len(targets)][None], mems=mems)
        mems = output.mems
        loss -= output.prediction_scores[0].gather(1, targets[:, None]).double().sum().item()
        count += len(targets)
print(loss / count, count)
model.save_pretrained(saved)
)";

nlohmann::json evaluation_of(const std::filesystem::path& run) {
  const ShellResult measured = etude("evaluate " + run.string() + " --split validation");
  EXPECT_EQ(measured.exit_code, 0) << measured.errors;
  return nlohmann::json::parse(std::ifstream(run / "evaluation.json"))["validation"];
}

TEST(Exchange, TransformersOpensATransformerXlAndGivesItBack) {
  const auto oracle = transformer_xl_oracle();
  if (!oracle) GTEST_SKIP() << "no .deps/oracle-xl (script/setup --test makes it)";
  const Workshop workshop;
  const auto train = [&](const std::string& name, int steps, const std::string& more) {
    const std::string file = (workshop.path() / (name + ".yaml")).string();
    std::ofstream(file) << "name: " << name << "\ndata: {pack: " << workshop.pack().string()
                        << ", sequence_length: 48}\n"
                           "model: {kind: transformer_xl, layers: 2, width: 32, heads: 2, clamp_length: 60}\n"
                           "train: {steps: "
                        << steps << ", global_batch: 8, micro_batch: 4, lr: 5.0e-3, threads: 1, device: cpu}\n"
                        << "evaluate: {every: 0}\n";
    return etude("train " + file + " --set run=" + workshop.run(name).string() + " " + more);
  };
  const ShellResult teacher = train("teacher", 20, "");
  ASSERT_EQ(teacher.exit_code, 0) << teacher.errors;
  const nlohmann::json ours = evaluation_of(workshop.run("teacher"));

  const std::string saved = (workshop.path() / "saved").string();
  std::istringstream theirs(run_python(
      kOracle,
      {(workshop.run("teacher") / "checkpoints/final").string(), (workshop.pack() / "validation.h5").string(), saved},
      *oracle));
  double loss = 0;
  std::int64_t tokens = 0;
  theirs >> loss >> tokens;
  EXPECT_EQ(ours["tokens"].get<std::int64_t>(), tokens);
  EXPECT_NEAR(ours["loss"].get<double>(), loss, 1e-5 * loss);
  EXPECT_LT(loss, 5.5) << "nothing was learned, so nothing was compared (a guess costs log 357 = 5.9)";

  const ShellResult pupil = train("pupil", 1, "--set train.lr=0 --set train.init_from=" + saved);
  ASSERT_EQ(pupil.exit_code, 0) << pupil.errors;
  EXPECT_EQ(evaluation_of(workshop.run("pupil"))["loss"], ours["loss"]);
}

}  // namespace
}  // namespace etude::testing
