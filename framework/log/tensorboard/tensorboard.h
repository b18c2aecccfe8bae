#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "framework/log/listener.h"
#include "framework/log/tensorboard/event_file.h"

namespace etude::tensorboard {

/// Writes event files that TensorBoard shows while the run goes on: figures, what was confused with what, weights, and
/// the configuration. docs/tracking.md lists the names. Where the disk does not take them it says so once and is silent
/// from then on; a run does not fail for its pictures.
class TensorBoard final : public log::Listener {
 public:
  /// `folder`: the run's tensorboard/.
  TensorBoard(std::filesystem::path folder, std::function<void(const std::string&)> warn);

  void begin(const log::RunFacts& facts) override;
  void step(const log::Figures& figures) override;
  void evaluation(const log::Figures& figures, const nlohmann::json& whole) override;
  void end(log::State state) override;
  bool wants_pieces() const override { return file_.has_value(); }
  void piece(std::int64_t step, double time, const log::PlayedPiece& piece) override;
  bool wants_weights() const override { return file_.has_value(); }
  void weights(std::int64_t step, double time, const std::map<std::string, log::Distribution>& groups) override;

 private:
  /// Does what is to be done with the file, if there is one yet.
  void attempt(const std::function<void()>& action);

  std::filesystem::path folder_;
  std::function<void(const std::string&)> warn_;
  std::optional<EventFile> file_;
  std::int64_t last_step_ = 0;
};

}  // namespace etude::tensorboard
