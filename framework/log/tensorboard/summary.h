#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/log/distribution.h"
#include "framework/log/listener.h"
#include "framework/log/tensorboard/message.h"

namespace etude::tensorboard {

class Canvas;

// Summaries of one value each (tensorflow.Summary), under a tag that TensorBoard groups by what stands before the
// slash. Scalars, histograms, images and sounds are written in the older form, which every version of TensorBoard
// reads.

/// Stored as float32, as TensorBoard does.
Message scalar(std::string_view tag, double value);
Message histogram(std::string_view tag, const log::Distribution& distribution);
Message image(std::string_view tag, const Canvas& canvas);
/// `text`: Markdown.
Message text(std::string_view tag, std::string_view text);
Message sound(std::string_view tag, const log::Sound& sound);

/// What the HPARAMS page compares runs by: each option as a number, as yes or no, or as text.
Message hyperparameters(const std::vector<std::pair<std::string, std::string>>& settings, std::string_view name,
                        double time);
Message session_end(bool well, double time);

}  // namespace etude::tensorboard
