#include "data/loader/plan.h"

namespace etude::data {

void describe(config::Section& section, DataOptions& options) {
  section.path("pack", options.pack, "Folder of the packed music to train on, as 'etude pack' makes it.");
  section.integer("sequence_length", options.sequence_length, {2, 1 << 20},
                  "Tokens a sequence has at most; a model without memory sees no farther back than this.");
  section.choice(
      "order", options.order, {{"auto", Order::kAuto}, {"shuffled", Order::kShuffled}, {"lanes", Order::kLanes}},
      "Sequences of all pieces shuffled, or lanes: each row of the batch walks through whole pieces in order, "
      "so that a memory has something to remember; auto takes lanes for models that have one.");
  config::Section& transpose = section.section(
      "transpose",
      "Training pieces in other keys, drawn anew in each epoch, for each sequence or, in lanes, each piece.");
  transpose.integers(
      "semitones", options.transpose.semitones, {-127, 127}, 0,
      "[lowest, highest] transposition; [] for none. What would leave the vocabulary's pitches is not drawn.");
  transpose.texts(
      "where", options.transpose.where,
      "Only pieces whose composer, title, file or label contains this, as {composer: chopin}; all by default.");
}

}  // namespace etude::data
