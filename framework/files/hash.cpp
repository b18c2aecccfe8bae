#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include "framework/files/files.h"
#include "framework/files/posix.h"

namespace etude::files {
namespace {

std::string digits(XXH128_hash_t hash) { return fmt::format("{:016x}{:016x}", hash.high64, hash.low64); }

}  // namespace

std::string hash(std::span<const std::byte> data) { return digits(XXH3_128bits(data.data(), data.size())); }

std::string hash(std::string_view data) { return digits(XXH3_128bits(data.data(), data.size())); }

std::string hash_file(const std::filesystem::path& file) {
  const Descriptor descriptor(file, O_RDONLY);
  std::vector<char> block(std::size_t{1} << 20);
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  while (true) {
    const ssize_t got = ::read(descriptor.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read", file);
    if (got == 0) return digits(XXH3_128bits_digest(&state));
    XXH3_128bits_update(&state, block.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace etude::files
