#include "framework/log/tensorboard/summary.h"

#include "framework/config/values.h"
#include "framework/log/tensorboard/canvas.h"

namespace etude::tensorboard {
namespace {

// Fields of tensorflow.Summary.Value.
constexpr int kTag = 1, kSimpleValue = 2, kImage = 4, kHistogram = 5, kAudio = 6, kTensor = 8, kMetadata = 9;
// Of tensorflow.TensorProto, and its types.
constexpr int kType = 1, kShape = 2, kTexts = 8;
constexpr std::int64_t kFloat = 1, kText = 7;

Message summary(const Message& value) { return Message().message(1, value); }

Message value(std::string_view tag) { return Message().text(kTag, tag); }

/// A value that a plugin of TensorBoard shows: SummaryMetadata {plugin_data {plugin_name, content}}.
Message of_plugin(std::string_view tag, std::string_view plugin, const Message& content, const Message& tensor) {
  const Message data = Message().text(1, plugin).message(2, content);
  return summary(value(tag).message(kTensor, tensor).message(kMetadata, Message().message(1, data)));
}

Message shape_of(std::int64_t size) { return Message().message(2, Message().integer(1, size)); }

/// google.protobuf.Value.
Message typed(const std::string& text) {
  double number = 0;
  if (config::parse_number(text, number) == config::Parse::kGood) return Message().number(2, number);
  if (text == "true" || text == "false") return Message().integer(4, text == "true" ? 1 : 0);
  return Message().text(3, text);
}

Message of_hparams(std::string_view tag, const Message& content) {
  return of_plugin(tag, "hparams", content, Message().integer(kType, kFloat).message(kShape, shape_of(0)));
}

}  // namespace

Message scalar(std::string_view tag, double number) {
  return summary(value(tag).short_number(kSimpleValue, static_cast<float>(number)));
}

Message histogram(std::string_view tag, const log::Distribution& distribution) {
  std::vector<double> ends, counts;
  const auto buckets = distribution.buckets();
  // A reader takes a bucket's lower end from the one before it.
  if (!buckets.empty()) {
    ends.push_back(buckets.front().low);
    counts.push_back(0);
  }
  for (const auto& bucket : buckets) {
    ends.push_back(bucket.high);
    counts.push_back(static_cast<double>(bucket.count));
  }
  const Message histogram = Message()
                                .number(1, distribution.min())
                                .number(2, distribution.max())
                                .number(3, static_cast<double>(distribution.count()))
                                .number(4, distribution.sum())
                                .number(5, distribution.sum_of_squares())
                                .numbers(6, ends)
                                .numbers(7, counts);
  return summary(value(tag).message(kHistogram, histogram));
}

Message image(std::string_view tag, const Canvas& canvas) {
  constexpr std::int64_t kRgb = 3;
  return summary(value(tag).message(
      kImage, Message().integer(1, canvas.height()).integer(2, canvas.width()).integer(3, kRgb).text(4, canvas.png())));
}

Message text(std::string_view tag, std::string_view text) {
  return of_plugin(tag, "text", Message(),
                   Message().integer(kType, kText).message(kShape, shape_of(1)).text(kTexts, text));
}

Message sound(std::string_view tag, const log::Sound& sound) {
  return summary(value(tag).message(kAudio, Message()
                                                .short_number(1, static_cast<float>(sound.rate))
                                                .integer(2, sound.channels)
                                                .integer(3, sound.frames)
                                                .text(4, sound.wav)
                                                .text(5, "audio/wav")));
}

Message hyperparameters(const std::vector<std::pair<std::string, std::string>>& settings, std::string_view name,
                        double time) {
  Message start;
  for (const auto& [key, text] : settings) start.message(1, Message().text(1, key).message(2, typed(text)));
  start.text(4, name).number(5, time);
  return of_hparams("_hparams_/session_start_info", Message().message(3, start));
}

Message session_end(bool well, double time) {
  constexpr std::int64_t kSuccess = 1, kFailure = 2;
  const Message end = Message().integer(1, well ? kSuccess : kFailure).number(2, time);
  return of_hparams("_hparams_/session_end_info", Message().message(4, end));
}

}  // namespace etude::tensorboard
