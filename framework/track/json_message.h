#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "framework/track/channel.h"

namespace etude::track {

/// Whose messages they are.
struct Sender {
  std::string run;  ///< its name
  std::string id;   ///< its Card's
};

// The messages of docs/tracking.md: {"run", "id", "event", "step", "time", "values": {…}}.
nlohmann::json begin_message(const Sender& sender, const log::RunFacts& facts, double time);
nlohmann::json figures_message(const Sender& sender, const Message& message);
nlohmann::json end_message(const Sender& sender, log::State state, std::int64_t step, double time);

}  // namespace etude::track
