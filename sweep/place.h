#pragma once

#include <filesystem>
#include <string>

#include "sweep/client.h"

namespace etude::sweep {

/// Where a controller is to be found: controller.json in the sweep's folder, written anew each time that it starts, so
/// that trials which outlived it find the new one.
struct Place {
  std::string url;  ///< "http://127.0.0.1:8080"
  std::string token;
  std::filesystem::path certificate;  ///< whom to trust, where it speaks HTTPS with one that nobody signed; or empty
};

/// How to speak with it.
ClientOptions connection_to(const Place& place);

/// For its owner alone to read. Throws Error.
void save(const Place& place, const std::filesystem::path& file);

/// `where`: such a file, or a URL; then the token is that of the environment, ETUDE_SWEEP_TOKEN, and so is the
/// certificate, ETUDE_SWEEP_CERTIFICATE. Throws Error.
Place find_controller(const std::string& where);

}  // namespace etude::sweep
