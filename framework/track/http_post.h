#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "framework/http/client.h"
#include "framework/track/json_message.h"

namespace etude::track {

/// Sends each message as an HTTP POST to one address; docs/tracking.md has the form. Whatever a server answers with a
/// status of 200 to 299 is a yes; without an answer, and with 408, 429 or 500 and above, the same is sent again later.
class HttpPost final : public Channel {
 public:
  /// `batch`: how many messages one POST may carry. With 1 its body is a JSON object, with more a list of them.
  HttpPost(const http::ClientOptions& server, std::size_t batch, std::string id);

  void begin(const log::RunFacts& facts) override;
  void tell(const std::vector<Message>& messages) override;
  void end(log::State state, double time) override;
  std::size_t most_at_once() const override { return batch_; }
  void interrupt() override { client_.interrupt(); }

 private:
  void post(const nlohmann::json& message);

  http::Client client_;
  const std::string url_;
  const std::size_t batch_;
  Sender sender_;
  std::int64_t last_step_ = 0;
};

}  // namespace etude::track
