#pragma once

#include <vector>

#include "render/notation/notation.h"

namespace etude::render {

/// Gives each staff of each measure the clef with the fewest ledger lines; a change is made only where it saves many.
void choose_clefs(std::vector<Measure>& measures);

}  // namespace etude::render
