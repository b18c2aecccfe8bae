#pragma once

#include <atomic>
#include <filesystem>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "framework/files/posix.h"
#include "framework/track/json_message.h"

namespace etude::track {

/// Appends each message as a line of JSON to a file or a named pipe. A pipe that nobody reads, or not fast enough, is
/// tried again later.
class LinesFile final : public Channel {
 public:
  LinesFile(std::filesystem::path file, std::string id) : path_(std::move(file)), sender_{"", std::move(id)} {}

  void begin(const log::RunFacts& facts) override;
  void tell(const std::vector<Message>& messages) override;
  void end(log::State state, double time) override;
  std::size_t most_at_once() const override { return 1; }
  void interrupt() override { hurry_ = true; }

 private:
  void write(const nlohmann::json& message);
  void open();
  /// Takes what could be written off the front of the text.
  void push(std::string& text);

  const std::filesystem::path path_;
  Sender sender_;
  std::int64_t last_step_ = 0;
  std::optional<files::Descriptor> file_;
  std::string unfinished_;  ///< the rest of a line that a pipe took a part of
  std::atomic<bool> hurry_ = false;
};

}  // namespace etude::track
