#include "data/shard/checksum.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

namespace etude::data {

struct Checksum::State {
  XXH3_state_t hash;
};

Checksum::Checksum() : state_(std::make_unique<State>()) { XXH3_128bits_reset(&state_->hash); }
Checksum::~Checksum() = default;

void Checksum::add(std::span<const std::byte> bytes) { XXH3_128bits_update(&state_->hash, bytes.data(), bytes.size()); }

std::string Checksum::digits() const {
  const XXH128_hash_t value = XXH3_128bits_digest(&state_->hash);
  return fmt::format("{:016x}{:016x}", value.high64, value.low64);
}

}  // namespace etude::data
