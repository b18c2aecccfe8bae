#pragma once

#include <ctime>
#include <filesystem>
#include <string>

namespace etude::sweep {

/// Sees whether clients who trust a certificate (PEM) will accept it from a server that they reach as `host`, a name or
/// an address, at the time `now`. Throws UsageError where it names others, or is over, or has not begun.
void check_certificate(const std::filesystem::path& certificate, const std::string& host,
                       std::time_t now = std::time(nullptr));

}  // namespace etude::sweep
