#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/shard/pack.h"
#include "framework/evaluate/tally.h"
#include "framework/log/console.h"
#include "framework/log/json_lines.h"
#include "framework/log/listener.h"
#include "framework/log/log_file.h"
#include "framework/run/run_folder.h"
#include "framework/train/memorising.h"
#include "framework/train/rank_times.h"

namespace etude::train {

/// The figures of one step, as they go to the screen and into metrics.jsonl.
struct StepFigures {
  std::int64_t step = 0;  ///< steps done, this one included
  double epoch = 0;
  double loss = 0;                    ///< mean over the targets of the global batch
  std::optional<double> memory_loss;  ///< what forming memories cost, per target, where that is learned from
  double padding = 0;                 ///< share of the global batch's grids that is no target
  double norm = 0;                    ///< of the gradient, before clipping
  double lr = 0;
  std::int64_t tokens = 0;       ///< targets learned from since the run began
  double seconds = 0;            ///< of training since the run began, over all its sessions
  double tokens_per_second = 0;  ///< since the last line, over all ranks
  /// Model FLOPs utilisation: what the model needs for that, as a share of what all devices could do.
  std::optional<double> mfu;
  std::optional<RankSeconds> ranks;  ///< where there are several
  double data_wait = 0;              ///< share of that time this rank waited for data
  double communication_wait = 0;     ///< share of that time this rank waited for gradients of others
};

/// Everything a run says: to the screen, to metrics.jsonl, to log.txt and to whoever else listens. Ranks other than 0
/// say nothing.
class RunLog {
 public:
  /// `folder` empty: says nothing at all.
  explicit RunLog(const std::optional<run::RunFolder>& folder);
  ~RunLog();

  /// Has others told of the run, from begin() on until this log goes. Their "steps" and "done" are those of begin().
  void tell(std::vector<std::unique_ptr<log::Listener>> listeners, log::RunFacts facts);
  /// How the run ended, for them; without a word it failed.
  void ended(log::State state) { state_ = state; }

  void info(const std::string& line);
  void warning(const std::string& line);
  void error(const std::string& line);
  /// `done`: steps that an earlier session of the run did; what metrics.jsonl has of them counts as seen.
  void begin(std::int64_t steps, std::int64_t done);
  void step(const StepFigures& figures);
  void evaluation(std::int64_t step, double epoch, const evaluate::Tally& tally, const data::Pack& pack, bool best);
  /// Whether somebody wants piece() after an evaluation.
  bool wants_pieces() const;
  void piece(std::int64_t step, const log::PlayedPiece& piece);
  /// Whether somebody wants weights() after an evaluation.
  bool wants_weights() const;
  void weights(std::int64_t step, const std::map<std::string, log::Distribution>& groups);
  void end();

 private:
  void recall();

  std::optional<run::RunFolder> folder_;
  std::unique_ptr<log::LogFile> log_;
  std::unique_ptr<log::JsonLines> metrics_;
  std::unique_ptr<log::Progress> progress_;
  std::int64_t steps_ = 0;  ///< that the run will have
  MemorisingWatch memorising_;
  log::RunFacts facts_;
  std::vector<std::unique_ptr<log::Listener>> listeners_;
  log::State state_ = log::State::kFailed;
};

}  // namespace etude::train
