#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/music/score.h"
#include "report/blind/key.h"
#include "report/blind/sources.h"

namespace etude::blind {

struct ListeningOptions {
  double seconds = 30;                 ///< of each piece; less where pieces are shorter
  double hear = 5;                     ///< of both pieces, before an answer can be given
  std::size_t pieces = 0;              ///< of each model; 0: all, at most forty of all models
  std::size_t rounds = 0;              ///< see balanced_design(); 0: default_rounds()
  std::vector<std::string> questions;  ///< beside which piece is preferred
  std::uint64_t seed = 0;              ///< of ids, pieces and their order; whoever knows it knows the key
  std::string made;                    ///< by which program
};

/// FLAC of a score, exactly so many seconds long.
using Record = std::function<std::string(const data::Score& excerpt, double seconds)>;

/// A listening test: a page that says nothing of models, and the key to it.
struct Listening {
  Key key;
  std::string page;  ///< HTML, complete in itself
  std::vector<std::string> remarks;
};

/// Draws the pieces, cuts them to one length and makes the page. Without `record`, the page plays the notes itself.
/// Every model gives as many pieces as every other. Throws UsageError when they are too few or too short, naming the
/// model and the way out.
Listening make_listening(std::vector<Source> sources, const ListeningOptions& options, const Record& record);

}  // namespace etude::blind
