#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "framework/config/error.h"
#include "framework/files/files.h"
#include "tests/framework/checkpoint/example.h"

namespace {

using namespace etude;

/// The first byte of the input chooses one; the rest is put in its place.
constexpr std::array kFiles{"manifest.json", "state.json", "config.json", "model.safetensors"};

/// A checkpoint whose files are damaged one at a time.
struct Victim {
  Victim() { checkpoint::write_snapshot(folder.path(), etude::testing::snapshot_at(7, 1.5)); }
  etude::testing::TemporaryFolder folder;
};

const std::filesystem::path& victim() {
  static const Victim one;
  return one.folder.path();
}

/// A manifest that vouches for the damaged file, as a program gone wrong would write: what reads the file itself must
/// be as careful as what compares hashes.
std::string vouching(const std::string& manifest, const std::filesystem::path& file) {
  nlohmann::json changed = nlohmann::json::parse(manifest);
  changed["files"][file.filename().string()] = {{"bytes", std::filesystem::file_size(file)},
                                                {"hash", files::hash_file(file)}};
  return changed.dump();
}

void read_everything() {
  try {
    checkpoint::read_manifest(victim());
    checkpoint::read_weights(victim());
    checkpoint::read_snapshot(victim());
  } catch (const Error&) {
  }
}

}  // namespace

std::filesystem::path fuzzed_file(std::uint8_t which) { return victim() / kFiles.at(which % kFiles.size()); }

/// Whatever the bytes of one of its files, a checkpoint is read or refused with an Error, and nothing else happens.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto file = fuzzed_file(data[0]), manifest = victim() / "manifest.json";
  const std::string good = etude::testing::slurp(file), good_manifest = etude::testing::slurp(manifest);
  etude::testing::overwrite(file, std::string(reinterpret_cast<const char*>(data) + 1, size - 1));
  read_everything();
  if (file != manifest) {
    etude::testing::overwrite(manifest, vouching(good_manifest, file));
    read_everything();
  }
  etude::testing::overwrite(file, good);
  etude::testing::overwrite(manifest, good_manifest);
  return 0;
}
