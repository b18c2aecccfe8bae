#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/log/listener.h"
#include "framework/track/options.h"

namespace etude::track {

/// Everybody that the options name. `card`: the run's track.json. `warn`: says what is wrong with a tracker; may be
/// called from other threads, for as long as the listeners live. Tokens and passwords are taken from the environment
/// and go nowhere but to the server that they are for. Throws Error where the card cannot be read or written,
/// UsageError for an address that is none.
std::vector<std::unique_ptr<log::Listener>> make_trackers(const TrackOptions& options,
                                                          const std::filesystem::path& card,
                                                          const std::function<void(const std::string&)>& warn);

}  // namespace etude::track
