#pragma once

#include <cstdint>
#include <string_view>

namespace etude::tensorboard {

/// CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), as iSCSI has it (RFC 3720, appendix B.4).
std::uint32_t crc32c(std::string_view bytes);

}  // namespace etude::tensorboard
