#include "models/safetensors.h"

#include <cstring>
#include <fstream>
#include <random>
#include <string>

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "framework/config/error.h"
#include "tests/models/support.h"
#include "tests/support/oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace etude::models {
namespace {

using etude::testing::TemporaryFolder;

std::string file_of(const std::string& header, std::size_t data_size) {
  const std::uint64_t length = header.size();
  std::string bytes(sizeof(length), '\0');
  std::memcpy(bytes.data(), &length, sizeof(length));
  return bytes + header + std::string(data_size, '\1');
}

/// What read_safetensors says of these bytes.
std::string complaint(const std::string& bytes) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "broken.safetensors";
  std::ofstream(file, std::ios::binary) << bytes;
  try {
    read_safetensors(file);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

NamedTensors samples() {
  return {{"a", at::arange(6, at::kFloat).view({2, 3})},
          {"half", at::arange(3, at::kFloat).to(at::kBFloat16)},
          {"scalar", at::arange(1, at::kDouble).add(0.5).squeeze()},
          {"empty", at::zeros({0, 4}, at::kHalf)},
          {"bytes", at::arange(7, at::kLong).to(at::kByte)},
          {"ids", at::arange(-2, 3, at::kLong)},
          {"flags", at::arange(2, at::kLong).to(at::kBool)},
          {"transposed", at::arange(6, at::kInt).view({2, 3}).t()},
          {"nöte \"quoted\"", at::arange(2, at::kShort)}};
}

TEST(Safetensors, GivesBackWhatWasWritten) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "weights.safetensors";
  write_safetensors(file, samples());
  const NamedTensors read = read_safetensors(file);
  ASSERT_EQ(read.size(), samples().size());
  for (const auto& [name, tensor] : samples()) {
    const at::Tensor again = etude::testing::find(read, name);
    ASSERT_EQ(again.scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(again, tensor)) << name;
  }
}

TEST(Safetensors, IsReadAndWrittenByItsOwnLibrary) {
  if (!etude::testing::oracle_python()) GTEST_SKIP() << "no oracle Python";
  const TemporaryFolder folder;
  const auto ours = folder.path() / "ours.safetensors", theirs = folder.path() / "theirs.safetensors";
  write_safetensors(ours, samples(), {{"step", "12"}});
  const std::string seen = etude::testing::run_python(R"(
import sys
from safetensors import safe_open
from safetensors.torch import save_file
with safe_open(sys.argv[1], 'pt') as file:
    tensors = {name: file.get_tensor(name) for name in file.keys()}
    print(sorted(file.metadata().items()))
for name in sorted(tensors):
    print(name, tensors[name].dtype, tensors[name].tolist())
save_file(tensors, sys.argv[2], {'made': 'there'})
)",
                                                      {ours.string(), theirs.string()});
  EXPECT_EQ(seen, R"([('format', 'pt'), ('step', '12')]
a torch.float32 [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
bytes torch.uint8 [0, 1, 2, 3, 4, 5, 6]
empty torch.float16 []
flags torch.bool [False, True]
half torch.bfloat16 [0.0, 1.0, 2.0]
ids torch.int64 [-2, -1, 0, 1, 2]
nöte "quoted" torch.int16 [0, 1]
scalar torch.float64 0.5
transposed torch.int32 [[0, 3], [1, 4], [2, 5]]
)");
  const NamedTensors read = read_safetensors(theirs);
  ASSERT_EQ(read.size(), samples().size());
  for (const auto& [name, tensor] : samples()) EXPECT_TRUE(at::equal(etude::testing::find(read, name), tensor)) << name;
}

TEST(Safetensors, SaysWhatIsWrongWithADamagedFile) {
  using ::testing::HasSubstr;
  const auto one = [](const std::string& body) { return R"({"w":{)" + body + "}}"; };
  const std::string good = one(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])");
  EXPECT_EQ(complaint(file_of(good, 8)), "");
  EXPECT_THAT(complaint(file_of(good, 8)) + complaint("abc"), HasSubstr("too few"));
  EXPECT_THAT(complaint("abc"), HasSubstr("broken.safetensors"));
  EXPECT_THAT(complaint(file_of(good, 4)), HasSubstr("truncated"));
  EXPECT_THAT(complaint(file_of(good, 12)), HasSubstr("8 of the data but the file has 12"));
  EXPECT_THAT(complaint(file_of(good, 8).substr(0, 20)), HasSubstr("header claims"));
  EXPECT_THAT(complaint(std::string(8, '\xff') + good), HasSubstr("header claims"));
  EXPECT_THAT(complaint(file_of("[]", 0)), HasSubstr("not a JSON object"));
  EXPECT_THAT(complaint(file_of("{nonsense", 0)), HasSubstr("not JSON"));
  EXPECT_THAT(complaint(file_of(one(R"("dtype":"F32","shape":[2])"), 8)), HasSubstr("lacks"));
  EXPECT_THAT(complaint(file_of(one(R"("dtype":"F31","shape":[2],"data_offsets":[0,8])"), 8)),
              HasSubstr("unknown type"));
  EXPECT_THAT(complaint(file_of(one(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])"), 8)), HasSubstr("needs 12"));
  EXPECT_THAT(complaint(file_of(one(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"), 8)), HasSubstr("natural"));
  EXPECT_THAT(complaint(file_of(one(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"), 8)), HasSubstr("offsets"));
  EXPECT_THAT(complaint(file_of(one(R"("dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0])"), 0)),
              HasSubstr("impossible shape"));
  EXPECT_THAT(complaint(file_of(one(R"("dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,0])"), 0)),
              HasSubstr("impossible shape"));
  const std::string second = R"("v":{"dtype":"U8","shape":[4],"data_offsets":)";
  const std::string first = R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)";
  EXPECT_THAT(complaint(file_of(first + second + "[6,10]}}", 10)), HasSubstr("overlap"));
  EXPECT_THAT(complaint(file_of(first + second + "[9,13]}}", 13)), HasSubstr("gap"));
  EXPECT_THAT(complaint(file_of(first + R"("w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8)),
              HasSubstr("twice"));
}

TEST(Safetensors, RefusesTwoTensorsOfOneName) {
  const TemporaryFolder folder;
  EXPECT_THROW(write_safetensors(folder.path() / "f", {{"w", at::zeros({1})}, {"w", at::zeros({1})}}), Error);
}

TEST(Safetensors, SaysWhenItCannotWriteOrRead) {
  const TemporaryFolder folder;
  EXPECT_THROW(write_safetensors(folder.path() / "none" / "f", samples()), Error);
  EXPECT_THROW(write_safetensors("/dev/full", samples()), Error);
  EXPECT_THROW(read_safetensors(folder.path() / "none"), Error);
  EXPECT_THROW(read_safetensors(folder.path()), Error);
}

TEST(Safetensors, SurvivesAnyBytes) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "weights.safetensors";
  write_safetensors(file, samples());
  const std::string valid = etude::testing::slurp(file);
  std::mt19937 random(1);
  for (int round = 0; round < 4000; ++round) {
    std::string bytes = valid;
    for (unsigned edits = 1 + random() % 4; edits > 0; --edits) {
      const std::size_t place = random() % bytes.size();
      switch (random() % 4) {
        case 0:
          bytes[place] = static_cast<char>(random());
          break;
        case 1:
          bytes[place] = "0123456789[]{},:\"-"[random() % 18];
          break;
        case 2:
          bytes.erase(place, random() % 8);
          break;
        default:
          bytes.insert(place, 1, bytes[random() % bytes.size()]);
          break;
      }
    }
    if (random() % 8 == 0) bytes.resize(random() % bytes.size());
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }
}

}  // namespace
}  // namespace etude::models
