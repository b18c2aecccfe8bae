#include "framework/train/step_profiler.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/files/files.h"

namespace etude::train {
namespace {

/// The first steps allocate, and find files in no cache.
constexpr std::int64_t kWarmUp = 2;
constexpr std::size_t kOperatorsShown = 12;

/// A table with a name and one column of shares per rank.
std::string table(const std::vector<std::pair<std::string, std::vector<double>>>& rows, std::size_t ranks) {
  std::string text = fmt::format("  {:<34}", "");
  for (std::size_t rank = 0; rank < ranks; ++rank) text += fmt::format("{:>9}", fmt::format("rank {}", rank));
  for (const auto& [name, shares] : rows) {
    text += fmt::format("\n  {:<34}", name.size() > 34 ? name.substr(0, 33) + "…" : name);
    for (const double share : shares) text += fmt::format("{:>7.1f} %", 100 * share);
  }
  return text;
}

/// Own seconds by name as shares of a rank's time.
nlohmann::json shares(const std::vector<profile::Total>& totals, double seconds) {
  nlohmann::json shares = nlohmann::json::object();
  for (const profile::Total& total : totals) shares[total.name] = total.own_seconds / seconds;
  return shares;
}

}  // namespace

StepProfiler::StepProfiler(std::int64_t steps, comm::Communicator& communicator, const run::RunFolder& folder,
                           RunLog& log)
    : wanted_(steps), communicator_(communicator), folder_(folder), log_(log) {}

void StepProfiler::step_begins() {
  if (told_) return;
  if (profile_) {
    if (++profiled_ == wanted_) tell();
  } else if (begun_++ == kWarmUp) {
    profile_ = std::make_unique<profile::Profile>();
  }
}

void StepProfiler::training_ends() {
  if (told_) return;
  if (profile_) {
    ++profiled_;
    tell();
  } else {
    log_.warning(fmt::format("--profile: training ended before step {}, so there is nothing to tell", kWarmUp + 1));
  }
}

void StepProfiler::tell() {
  profile_->stop();
  told_ = true;
  const std::filesystem::path traces = folder_.profile();
  std::filesystem::create_directories(traces);
  files::write_atomically(traces / fmt::format("rank-{}.json", communicator_.rank()),
                          profile_->chrome_trace(communicator_.rank()).dump());

  // Operators are told of rank 0 alone: they are the same on all.
  std::vector<nlohmann::json> by_rank;
  for (const std::string& text :
       comm::all_gather_text(communicator_, shares(profile_->spans(), profile_->seconds()).dump())) {
    by_rank.push_back(nlohmann::json::parse(text));
  }
  if (communicator_.rank() != 0) {
    profile_.reset();
    return;
  }
  std::vector<double> elsewhere(by_rank.size(), 1.0);
  std::map<std::string, std::vector<double>> by_name;
  for (std::size_t rank = 0; rank < by_rank.size(); ++rank) {
    for (const auto& [name, share] : by_rank[rank].items()) {
      auto& row = by_name[name];
      row.resize(by_rank.size());
      row[rank] = share.get<double>();
      elsewhere[rank] -= row[rank];
    }
  }
  std::vector<std::pair<std::string, std::vector<double>>> rows(by_name.begin(), by_name.end());
  std::ranges::sort(rows, [](const auto& a, const auto& b) { return a.second.front() > b.second.front(); });
  const bool alone = std::ranges::all_of(elsewhere, [](double share) { return share >= 0; });
  if (alone) rows.emplace_back("everything else", elsewhere);

  std::vector<std::pair<std::string, std::vector<double>>> operators;
  for (const profile::Total& total : profile_->operators()) {
    if (operators.size() == kOperatorsShown) break;
    operators.push_back({total.name, {total.own_seconds / profile_->seconds()}});
  }
  log_.info(fmt::format("profile of {} step{}, {:.1f} ms each; shares of that time{}:\n{}", profiled_,
                        profiled_ == 1 ? "" : "s", 1e3 * profile_->seconds() / static_cast<double>(profiled_),
                        alone ? "" : ", threads added up", table(rows, by_rank.size())));
  log_.info(fmt::format("the operators that took the most:\n{}", table(operators, 1)));
  log_.info(fmt::format("traces, one per rank, for https://ui.perfetto.dev or chrome://tracing: {}", traces.string()));
  profile_.reset();
}

}  // namespace etude::train
