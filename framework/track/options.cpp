#include "framework/track/options.h"

#include <fmt/format.h>

#include "framework/http/client.h"

namespace etude::track {

void describe(config::Section& section, TrackOptions& options) {
  section.boolean("tensorboard", options.tensorboard,
                  "Whether curves, confusion matrices and weights are written into the run folder's tensorboard/.");
  section.integer(
      "piece_tokens", options.piece_tokens, {0, 100'000},
      "After each evaluation the model makes a piece of at most so many tokens, to be seen in TensorBoard as "
      "a piano roll and, where there is a soundfont, heard; training waits for it. 0: none.");
  section.text(
      "url", options.url,
      "Where figures are sent to, as HTTP POSTs of JSON (docs/tracking.md); a token in the environment variable "
      "ETUDE_TRACK_TOKEN goes along. Empty: nowhere.");
  section.integer("batch", options.batch, {1, 1000},
                  "How many messages one such POST may carry: with 1 each is a JSON object, with more a list of them.");
  section.path("file", options.file,
               "A file or named pipe that the same messages are appended to, one a line. Empty: none.");
  section.text("mlflow", options.mlflow,
               "The address of an MLflow tracking server, such as http://node1:5000; MLFLOW_TRACKING_TOKEN, or "
               "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, of the environment go along. Empty: none.");
  section.text("experiment", options.experiment,
               "MLflow's experiment that runs are put into; made where there is none.");
}

std::vector<std::string> complaints(const TrackOptions& options) {
  std::vector<std::string> found;
  const auto check = [&](const char* name, const std::string& url) {
    try {
      if (!url.empty()) http::parse_url(url);
    } catch (const UsageError& error) {
      found.push_back(fmt::format("track.{}: {}", name, error.what()));
    }
  };
  check("url", options.url);
  check("mlflow", options.mlflow);
  if (!options.mlflow.empty() && options.experiment.empty()) {
    found.emplace_back("track.experiment is empty, but track.mlflow needs it");
  }
  if (options.piece_tokens > 0 && !options.tensorboard) {
    found.emplace_back("track.piece_tokens makes pieces for TensorBoard alone, and track.tensorboard is false");
  }
  return found;
}

}  // namespace etude::track
