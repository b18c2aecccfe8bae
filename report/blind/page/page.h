#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace etude::blind {

/// What a piece sounds like, as it stands in the page.
struct Clip {
  std::string id;
  std::string type;     ///< "audio/flac", or "application/json" for notes
  std::string content;  ///< base64, or JSON
};

/// The listening page. `session` is JSON: questions, rounds of pairs of ids, seconds.
std::string listening_page(const std::string& session, const std::vector<Clip>& clips);

std::string base64(std::string_view bytes);

}  // namespace etude::blind
