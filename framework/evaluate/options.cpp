#include "framework/evaluate/options.h"

namespace etude::evaluate {

void describe(config::Section& section, EvaluateOptions& options) {
  section.integer("every", options.every, {0, 1'000'000'000},
                  "Steps between evaluations on the validation split; 0 evaluates only at the end.");
  section.integer("batches", options.batches, {0, 1'000'000'000},
                  "Micro-batches of the validation split to evaluate on while training; 0 takes the whole split.");
}

}  // namespace etude::evaluate
