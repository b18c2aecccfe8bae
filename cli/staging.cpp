#include "cli/staging.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "data/shard/staging.h"
#include "framework/files/posix.h"
#include "framework/log/format.h"

namespace etude::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// What this rank has to tell of staging: nothing, unless it is the one that did it for its node.
json stage_here(const comm::Communicator& communicator, const data::Pack& pack, const fs::path& stage) {
  if (stage.empty() || communicator.local_rank() != 0) return nullptr;
  const data::StagedPack staged = data::stage_pack(pack, stage, [&](const std::string& what) {
    if (communicator.rank() == 0) std::fputs(fmt::format("etude: {}\n", what).c_str(), stderr);
  });
  return {{"host", files::host_name()},
          {"bytes", staged.bytes},
          {"copied", staged.copied},
          {"seconds", staged.seconds},
          {"damage", staged.damage}};
}

std::string nodes(std::int64_t count) { return fmt::format("{} node{}", count, count == 1 ? "" : "s"); }

std::string in_words(const std::vector<json>& reports, const fs::path& folder) {
  std::int64_t copied = 0;
  double longest = 0;
  for (const json& report : reports) {
    copied += report.at("copied").get<bool>() ? 1 : 0;
    longest = std::max(longest, report.at("seconds").get<double>());
  }
  const std::int64_t found = std::ssize(reports) - copied;
  std::string text = fmt::format("reading the pack from {} ({}; ", folder.string(),
                                 log::bytes(reports.front().at("bytes").get<std::uint64_t>()));
  if (copied > 0) text += fmt::format("copied to {}", nodes(copied));
  if (found > 0) text += fmt::format("{}found whole on {}", copied > 0 ? ", " : "", nodes(found));
  return text + fmt::format(", in {})", log::duration(longest));
}

}  // namespace

OpenedPack open_pack(comm::Communicator& communicator, const fs::path& folder, const fs::path& stage) {
  OpenedPack opened{data::Pack::open(folder), "", {}};
  const json mine = stage_here(communicator, opened.pack, stage);
  // Where the ranks of a node wait for the one that copies. Without a folder too: were the ranks not given the same
  // arguments, they must still meet in the same collectives to find out.
  std::vector<json> reports;
  const std::string text_of_mine = mine.dump(-1, ' ', false, json::error_handler_t::replace);
  for (const std::string& text : comm::all_gather_text(communicator, text_of_mine)) {
    if (json report = json::parse(text); !report.is_null()) reports.push_back(std::move(report));
  }
  if (stage.empty()) return opened;
  const fs::path copy = data::staged_folder(opened.pack, stage);
  opened.pack = data::Pack::open(copy);
  if (communicator.rank() != 0 || reports.empty()) return opened;
  opened.remark = in_words(reports, copy);
  for (const json& report : reports) {
    const auto damage = report.at("damage").get<std::string>();
    if (damage.empty()) continue;
    opened.warnings.push_back(fmt::format("the copy that {} had of the pack was damaged, and was made anew: {}",
                                          report.at("host").get<std::string>(), damage));
  }
  return opened;
}

}  // namespace etude::cli
