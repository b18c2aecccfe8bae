#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "framework/checkpoint/options.h"
#include "framework/checkpoint/snapshot.h"

namespace etude::checkpoint {

/// The checkpoints of one run: folders step-00000200, …, and links `last`, `best`, `best-2`, … to them. A checkpoint
/// appears whole, under its final name, before anything older is removed.
class Store {
 public:
  /// `more_is_better`: how the metric of the checkpoints is compared.
  Store(std::filesystem::path folder, CheckpointOptions options, bool more_is_better);

  /// Writes the snapshot, moves the links, removes what need not be kept. A step that is there already is left as it
  /// is. Throws Error (full disk, read-only folder) with nothing lost.
  void save(const Snapshot& snapshot);

  /// The newest checkpoint that is whole; newer ones that are damaged are told to `damaged` and set aside, as
  /// step-….damaged, with the links moved off them. Nothing when none is whole. Also removes what a killed process left
  /// half-written.
  std::optional<Snapshot> load_newest(const std::function<void(const std::string& why)>& damaged);

  /// Whether a checkpoint with this metric would be among the best that are kept.
  bool would_be_kept(double metric) const;

  std::filesystem::path folder_of(std::int64_t step) const;
  /// Folders of the checkpoints, newest first.
  std::vector<std::filesystem::path> newest_first() const;
  /// Best metric first; those without a metric are left out.
  std::vector<std::filesystem::path> best_first() const;

 private:
  void move_links() const;
  void remove_old() const;

  std::filesystem::path folder_;
  CheckpointOptions options_;
  bool more_is_better_;
};

/// The checkpoint a person means by `which`: "last", "best", "final" (what the run ended with) or a step's number. An
/// empty word means final where there is one, else last. Throws UsageError naming what there is.
std::filesystem::path find_checkpoint(const std::filesystem::path& checkpoints, const std::string& which);

/// Makes the link `name` in `folder` point to `target` (a sibling), replacing an old one in one step.
void point_link(const std::filesystem::path& folder, const std::string& name, const std::filesystem::path& target);

}  // namespace etude::checkpoint
