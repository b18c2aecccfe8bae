// The real h5py and torch read our shards, and write them for us. One Python for all that it reads, one for all that it
// writes: importing torch takes longer than everything else here.
#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/data/shard/example.h"
#include "tests/support/oracle.h"

namespace etude::data {
namespace {

constexpr std::array kTypes{TokenType::kUint8, TokenType::kUint16, TokenType::kUint32};

// Torch shards are mapped as well, which finds the tensors by their place in the zip, and go through Python's own zip
// reader, which checks the CRCs.
constexpr const char* kRead = R"(
import h5py, json, sys, torch, zipfile

def read_hdf5(file):
    f = h5py.File(file, 'r')
    text = lambda name: f[name].asstr()[:].tolist()
    return {'dtype': str(f['tokens'].dtype), 'tokens': f['tokens'][:].tolist(), 'offsets': f['offsets'][:].tolist(),
            'composer': text('composer'), 'title': text('title'), 'labels': text('labels'),
            'version': int(f.attrs['version']), 'checksum': f.attrs['tokens_checksum'].decode()}

def read_torch(file):
    assert zipfile.ZipFile(file).testzip() is None
    d = torch.load(file, weights_only=True)
    m = torch.load(file, weights_only=True, mmap=True)
    assert torch.equal(d['tokens'].long(), m['tokens'].long()) and torch.equal(d['offsets'], m['offsets'])
    return {'dtype': str(d['tokens'].dtype).split('.')[1], 'tokens': d['tokens'].tolist(),
            'offsets': d['offsets'].tolist(), 'composer': d['composer'], 'title': d['title'], 'labels': d['labels'],
            'version': d['version'], 'checksum': d['tokens_checksum']}

print(json.dumps({t: {'h5': read_hdf5(f'{sys.argv[1]}/{t}.h5'), 'pt': read_torch(f'{sys.argv[1]}/{t}.pt')}
                  for t in sys.argv[2:]}))
)";

// As somebody would write the same content by hand: compressed, with strings of any length; from torch.save also with
// wider tokens that are a part of a larger tensor, as slicing gives them.
constexpr const char* kWrite = R"(
import h5py, sys, torch
for t in sys.argv[2:]:
    old = f'{sys.argv[1]}/{t}'
    f, g = h5py.File(old + '.h5', 'r'), h5py.File(old + '-theirs.h5', 'w')
    for name, value in f.attrs.items():
        g.attrs[name] = value.decode() if isinstance(value, bytes) else int(value)
    g.create_dataset('tokens', data=f['tokens'][:], compression='gzip', chunks=(2,))
    g['offsets'] = f['offsets'][:]
    for name in ('composer', 'title', 'labels'):
        g.create_dataset(name, data=f[name].asstr()[:].tolist(), dtype=h5py.string_dtype())
    g.close()

    d = torch.load(old + '.pt', weights_only=True)
    torch.save(d, old + '-theirs.pt')
    wide = d['tokens'].to(torch.int32)
    d['tokens'] = torch.cat([wide, wide])[wide.numel():]
    torch.save(d, old + '-wider.pt')

n = 70000  # beyond 65535 the pickle has other opcodes
torch.save({'version': 1, 'tokens': torch.zeros(n, dtype=torch.uint8), 'offsets': torch.arange(n + 1),
            'vocabulary_checksum': 'v', 'tokens_checksum': 't', 'offsets_checksum': 'o',
            'composer': [str(i) for i in range(n)], 'title': [''] * n, 'labels': ['{}'] * n}, sys.argv[1] + '/many.pt')
)";

class ShardOracle : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::oracle_python()) GTEST_SKIP() << "no Python with h5py and torch: script/setup --test makes one";
    for (const TokenType type : kTypes) {
      for (const char* extension : {".h5", ".pt"})
        write_shard(file(type, extension), testing::ExampleShard(type).content);
    }
  }
  std::filesystem::path file(TokenType type, const std::string& ending) const {
    return folder_.path() / (to_string(type) + ending);
  }
  std::string run(const char* script) const {
    std::vector<std::string> arguments{folder_.path().string()};
    for (const TokenType type : kTypes) arguments.push_back(to_string(type));
    return testing::run_python(script, arguments);
  }
  testing::TemporaryFolder folder_;
};

TEST_F(ShardOracle, H5pyAndTorchReadWhatWeWrite) {
  const auto seen = nlohmann::json::parse(run(kRead));
  const PieceTexts texts = testing::ExampleShard::texts();
  for (const TokenType type : kTypes) {
    const testing::ExampleShard example(type);
    for (const char* format : {"h5", "pt"}) {
      SCOPED_TRACE(to_string(type) + " " + format);
      const auto& one = seen[to_string(type)][format];
      EXPECT_EQ(one["dtype"], to_string(type));
      EXPECT_EQ(one["tokens"], example.tokens);
      EXPECT_EQ(one["offsets"], (std::vector{0, 3, 3, 5}));
      EXPECT_EQ(one["composer"], texts.composers);
      EXPECT_EQ(one["title"], texts.titles);
      EXPECT_EQ(one["labels"], texts.labels);
      EXPECT_EQ(one["version"], 1);
      EXPECT_EQ(one["checksum"], example.content.checksums.tokens);
    }
  }
}

TEST_F(ShardOracle, WeReadWhatH5pyAndTorchWrite) {
  run(kWrite);
  for (const TokenType type : kTypes) {
    const testing::ExampleShard example(type);
    for (const char* ending : {"-theirs.h5", "-theirs.pt", "-wider.pt"}) {
      SCOPED_TRACE(to_string(type) + ending);
      const auto shard = open_shard(file(type, ending));
      std::vector<TokenId> tokens(5);
      ASSERT_EQ(shard->size(), 5);
      shard->read(0, tokens);
      EXPECT_EQ(tokens, example.tokens);
      EXPECT_EQ(shard->offsets(), example.content.offsets);
      EXPECT_EQ(shard->texts(), testing::ExampleShard::texts());
      EXPECT_EQ(shard->checksums(), example.content.checksums);
    }
  }
  const auto many = open_shard(folder_.path() / "many.pt");
  EXPECT_EQ(many->size(), 70'000);
  EXPECT_EQ(many->offsets().back(), 70'000);
  EXPECT_EQ(many->texts().composers.back(), "69999");
}

}  // namespace
}  // namespace etude::data
