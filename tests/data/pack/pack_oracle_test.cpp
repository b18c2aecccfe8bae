// Packs whose shards others rewrite, and real music against MidiTok by way of the files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/data/pack/music.h"
#include "tests/support/oracle.h"

namespace etude::data {
namespace {

constexpr const char* kRewriteShards = R"(
import glob, os, sys, h5py, torch
for file in glob.glob(sys.argv[1] + '/*.h5'):
    with h5py.File(file) as f:
        attributes = {k: v.decode() if isinstance(v, bytes) else int(v) for k, v in f.attrs.items()}
        data = {k: f[k].asstr()[:].tolist() if f[k].dtype.kind in 'SO' else f[k][:] for k in f}
    os.remove(file)
    with h5py.File(file, 'w') as f:
        f.attrs.update(attributes)
        for k, v in data.items():
            f.create_dataset(k, data=v, dtype=h5py.string_dtype() if isinstance(v, list) else None)
for file in glob.glob(sys.argv[2] + '/*.pt'):
    data = torch.load(file, weights_only=True)
    torch.save(data, file)
)";

TEST(PackOracle, ShardsRewrittenByH5pyAndTorchVerify) {
  if (!testing::oracle_python()) GTEST_SKIP() << "no Python with h5py and torch: script/setup --test makes one";
  const testing::TemporaryFolder folder;
  for (unsigned i = 0; i < 20; ++i) {
    testing::write_midi(folder.path() / "music" / (std::to_string(i) + ".mid"), testing::melody(i));
  }
  const auto hdf5 = folder.path() / "hdf5", torch = folder.path() / "torch";
  PackRequest request = testing::request(folder.path() / "music", hdf5);
  build_pack(request);
  request.output = torch;
  request.format = ShardFormat::kTorch;
  build_pack(request);
  const std::string before = testing::slurp(hdf5 / "train.h5");
  testing::run_python(kRewriteShards, {hdf5.string(), torch.string()});
  ASSERT_NE(testing::slurp(hdf5 / "train.h5"), before);
  for (const auto& pack : {hdf5, torch}) {
    const Pack opened = Pack::open(pack);
    opened.verify();
    EXPECT_EQ(testing::tokens_of(opened, Split::kTrain, 0), testing::tokens_of(Pack::open(hdf5), Split::kTrain, 0));
  }
}

constexpr const char* kTokenize = R"(
import h5py, json, sys
from miditok import REMI
from symusic import Score
folder, music = sys.argv[1:3]
pack = json.load(open(folder + '/pack.json'))
tokenizer = REMI()
assert pack['vocabulary'] == [t for t, _ in sorted(tokenizer.vocab.items(), key=lambda i: i[1])]
compared = 0
for split in pack['splits']:
    shard = h5py.File(folder + '/' + split['file'])
    tokens, offsets = shard['tokens'][:], shard['offsets'][:]
    pieces = [p for p in pack['pieces'] if p['split'] == split['name']]
    assert len(pieces) == len(offsets) - 1 == split['pieces']
    for i, piece in enumerate(pieces[:8]):
        score = Score(music + '/' + piece['file'])
        ours = tokens[offsets[i]:offsets[i + 1]].tolist()
        assert len(ours) == piece['tokens']
        names = [pack['vocabulary'][t] for t in ours]
        assert names[0] == 'BOS_None' and names[-1] == 'EOS_None'
        if len(score.tracks) == 1:
            assert names[1:-1] == tokenizer(score)[0].tokens, piece['file']
            compared += 1
print(compared)
)";

TEST(PackOracle, RealMusicIsMidiToksTokensInH5py) {
  if (!testing::oracle_python()) GTEST_SKIP() << "no Python with miditok: script/setup --test makes one";
  const auto music = testing::real_music();
  if (!music) GTEST_SKIP() << "no real music beside the project";
  const testing::TemporaryFolder folder;
  build_pack(testing::request(*music / "emopia" / "midis", folder.path() / "pack"));
  EXPECT_GE(std::stoi(testing::run_python(kTokenize,
                                          {(folder.path() / "pack").string(), (*music / "emopia" / "midis").string()})),
            12);
}

}  // namespace
}  // namespace etude::data
