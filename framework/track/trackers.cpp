#include "framework/track/trackers.h"

#include <cstdlib>
#include <utility>

#include "framework/track/card.h"
#include "framework/track/courier.h"
#include "framework/track/http_post.h"
#include "framework/track/lines_file.h"
#include "framework/track/mlflow.h"

namespace etude::track {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

http::ClientOptions server(const std::string& url) { return {.url = url, .connect_seconds = 5, .answer_seconds = 10}; }

}  // namespace

std::vector<std::unique_ptr<log::Listener>> make_trackers(const TrackOptions& options,
                                                          const std::filesystem::path& card,
                                                          const std::function<void(const std::string&)>& warn) {
  std::vector<std::unique_ptr<log::Listener>> trackers;
  if (options.url.empty() && options.file.empty() && options.mlflow.empty()) return trackers;
  const auto known = std::make_shared<Card>(card);
  const auto add = [&](const char* name, std::unique_ptr<Channel> channel) {
    trackers.push_back(std::make_unique<Courier>(name, std::move(channel), warn));
  };
  if (!options.url.empty()) {
    http::ClientOptions to = server(options.url);
    to.token = variable("ETUDE_TRACK_TOKEN");
    add("track.url", std::make_unique<HttpPost>(to, static_cast<std::size_t>(options.batch), known->id()));
  }
  if (!options.file.empty()) add("track.file", std::make_unique<LinesFile>(options.file, known->id()));
  if (!options.mlflow.empty()) {
    http::ClientOptions to = server(options.mlflow);
    to.token = variable("MLFLOW_TRACKING_TOKEN");
    to.user = variable("MLFLOW_TRACKING_USERNAME");
    to.password = variable("MLFLOW_TRACKING_PASSWORD");
    to.certificate = variable("MLFLOW_TRACKING_SERVER_CERT_PATH");
    add("track.mlflow", std::make_unique<Mlflow>(to, options.experiment, known));
  }
  return trackers;
}

}  // namespace etude::track
