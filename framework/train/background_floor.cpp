#include "framework/train/background_floor.h"

#include <chrono>
#include <exception>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include "analysis/floor.h"
#include "framework/comm/thread_signals.h"
#include "framework/files/files.h"

namespace etude::train {
namespace {

constexpr std::chrono::milliseconds kLastSecond{1000}, kPoll{10};
constexpr int kNiceness = 10;  ///< a tenth of a core where all are busy

/// Whether the file tells of this pack; one that was cut off or is of another program's making does not.
bool tells_of(const std::filesystem::path& file, const data::Pack& pack) {
  if (!std::filesystem::exists(file)) return false;
  try {
    return analysis::read_floor(file).pack == pack.hash();
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace

BackgroundFloor::BackgroundFloor(const data::Pack& pack, const run::RunFolder& folder, RunLog& log) {
  if (pack.pieces(data::Split::kTrain).empty() || pack.pieces(data::Split::kValidation).empty()) return;
  if (tells_of(folder.floor(), pack)) return;
  thread_ = std::thread([this, &pack, folder, &log] { work(pack, folder, log); });
}

BackgroundFloor::~BackgroundFloor() {
  if (!thread_.joinable()) return;
  for (auto left = kLastSecond; working() && left.count() > 0; left -= kPoll) std::this_thread::sleep_for(kPoll);
  called_off_ = true;
  thread_.join();
}

void BackgroundFloor::work(const data::Pack& pack, const run::RunFolder& folder, RunLog& log) {
  comm::be_a_helper_thread("floor");
  // On Linux this is of the thread alone. Where it is refused the floor is only less polite.
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNiceness);
  try {
    const auto floor = analysis::make_floor(pack, data::Split::kValidation, {}, [this] { return called_off_.load(); });
    if (floor) {
      files::write_atomically(folder.floor(), analysis::to_json(*floor).dump(1) + "\n");
      log.info(analysis::in_words(*floor));
    }
  } catch (const std::exception& problem) {
    log.warning(fmt::format("no n-gram floor to compare with: {}", problem.what()));
  }
  done_ = true;
}

}  // namespace etude::train
