#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "framework/http/client.h"
#include "framework/track/card.h"
#include "framework/track/channel.h"

namespace etude::track {

/// Tells a run to an MLflow tracking server, through its REST API (mlflow.org, "REST API", version 2.0): configuration
/// as parameters, figures as metrics, circumstances as tags. The run's name there is kept on its Card, so that a
/// resumed run goes on where it was: what the server has already is not sent again, and what it lacks is taken from
/// metrics.jsonl.
class Mlflow final : public Channel {
 public:
  Mlflow(const http::ClientOptions& server, std::string experiment, std::shared_ptr<Card> card);

  void begin(const log::RunFacts& facts) override;
  void tell(const std::vector<Message>& messages) override;
  void end(log::State state, double time) override;
  std::size_t most_at_once() const override { return 50; }
  void interrupt() override { client_.interrupt(); }

 private:
  void introduce(const log::RunFacts& facts);
  std::string find_experiment();
  /// The run of an earlier session, as the server has it; null where there is none that may go on.
  nlohmann::json find_run(const std::string& experiment);
  nlohmann::json create_run(const std::string& experiment, const log::RunFacts& facts);
  void send_parameters(const log::RunFacts& facts, const std::map<std::string, std::string>& known);
  /// What earlier sessions measured and could not tell before they ended.
  void send_past(const log::RunFacts& facts);
  void send_tags(const std::vector<std::pair<std::string, std::string>>& tags);

  nlohmann::json get(const std::string& what, const std::string& query);
  nlohmann::json post(const std::string& what, const nlohmann::json& body);
  nlohmann::json understood(const http::Answer& answer, const std::string& what) const;

  http::Client client_;
  const std::string url_, experiment_;
  const std::shared_ptr<Card> card_;
  std::string run_;
  std::map<std::string, std::int64_t> told_;  ///< by metric, up to which step the server knew it when we began
};

}  // namespace etude::track
