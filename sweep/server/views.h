#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sweep/desk.h"

namespace etude::sweep {

/// A trial as it was at one moment, to be shown when others go on changing it.
struct TrialView {
  Trial trial;
  std::vector<Stint> stints;
  std::uint64_t revision = 0;
};

Json trial_as_json(const TrialView& view, const std::string& folder);
/// All of it but the program's version.
Json study_as_json(const View& view);

/// For what is not ours: numbers that JSON has not become texts, bytes that are no UTF-8 are replaced.
std::string to_text(const Json& json);

}  // namespace etude::sweep
