#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "framework/config/error.h"
#include "tests/data/pack/music.h"
#include "tests/support/oracle.h"

namespace {

using namespace etude;

/// The first byte of the input chooses one; the rest is put in its place.
constexpr std::array kFiles{std::pair("hdf5", "pack.json"), std::pair("hdf5", "train.h5"),
                            std::pair("torch", "train.pt")};

std::vector<data::TokenId> all_tokens(const data::Pack& pack) {
  std::vector<data::TokenId> tokens;
  for (const data::Split split : data::kSplits) {
    for (std::size_t i = 0; i < pack.pieces(split).size(); ++i) {
      const auto piece = testing::tokens_of(pack, split, i);
      tokens.insert(tokens.end(), piece.begin(), piece.end());
    }
  }
  return tokens;
}

/// A pack in each format, whose files are damaged one at a time.
struct Victims {
  Victims() {
    for (unsigned i = 0; i < 3; ++i) {
      testing::write_midi(folder.path() / "music" / (std::to_string(i) + ".mid"), testing::melody(i));
    }
    data::PackRequest request = testing::request(folder.path() / "music", folder.path() / "hdf5");
    data::build_pack(request);
    request.output = folder.path() / "torch";
    request.format = data::ShardFormat::kTorch;
    data::build_pack(request);
    tokens = all_tokens(data::Pack::open(request.output));
  }
  testing::TemporaryFolder folder;
  std::vector<data::TokenId> tokens;
};

const Victims& victims() {
  static const Victims one;
  return one;
}

}  // namespace

std::filesystem::path fuzzed_file(std::uint8_t which) {
  const auto& [pack, file] = kFiles.at(which % kFiles.size());
  return victims().folder.path() / pack / file;
}

/// Whatever the bytes of one of its files: either an Error, or a pack that verifies and holds the very same tokens.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto file = fuzzed_file(data[0]);
  const std::string good = testing::slurp(file);
  std::filesystem::remove(file);
  testing::write_file(file, std::string(reinterpret_cast<const char*>(data) + 1, size - 1));
  try {
    const data::Pack pack = data::Pack::open(file.parent_path());
    pack.verify();
    if (all_tokens(pack) != victims().tokens) std::abort();
  } catch (const Error&) {
  }
  std::filesystem::remove(file);
  testing::write_file(file, good);
  return 0;
}
