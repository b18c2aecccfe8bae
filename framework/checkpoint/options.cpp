#include "framework/checkpoint/options.h"

namespace etude::checkpoint {

void describe(config::Section& section, CheckpointOptions& options) {
  section.integer("every", options.every, {0, 1'000'000'000},
                  "Steps between checkpoints; 0 writes one only when the run ends or is interrupted.");
  section.integer("keep_last", options.keep_last, {1, 1'000'000}, "How many of the newest checkpoints are kept.");
  section.integer("keep_best", options.keep_best, {0, 1'000'000},
                  "How many of the best checkpoints by stop.metric are kept, whatever their age.");
}

}  // namespace etude::checkpoint
