#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "framework/log/tensorboard/canvas.h"

namespace etude::tensorboard {

/// One of the confusion matrices of an evaluation (docs/formats.md), drawn: a row for what was due, a column for what
/// was guessed, the darker the larger the column's share of its row; a row of which nothing was due is grey. Few and
/// large cells also say their share in percent. `what`: the matrix' name, such as "pitches", which are named as notes.
/// Throws Error where the object is no such matrix.
Canvas heat_map(const std::string& what, const nlohmann::json& confusion);

}  // namespace etude::tensorboard
