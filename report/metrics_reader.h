#pragma once

#include <cstddef>
#include <string_view>

#include "report/run.h"

namespace etude::report {

/// Reads the text of a metrics.jsonl (docs/formats.md). Lines that are no whole JSON object are counted and passed
/// over. Curves are thinned to `most` points; nothing else is.
History read_history(std::string_view text, std::size_t most);

/// At most about `most` points of a curve: the first, the last, and of each of even stretches between them the lowest
/// and the highest, so that no peak disappears.
Series thinned(const Series& whole, std::size_t most);

}  // namespace etude::report
