#include "sweep/trial.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::sweep {
namespace {

constexpr std::array<const char*, 5> kNames{"RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING"};

bool before(const Parameter& parameter, const std::string& name) { return parameter.name < name; }

}  // namespace

bool is_over(TrialState state) { return state != TrialState::kRunning && state != TrialState::kWaiting; }

const char* name_of(TrialState state) { return kNames.at(static_cast<std::size_t>(state)); }

TrialState state_of(const std::string& name) {
  const auto* const found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) throw Error(fmt::format("'{}' is no state of a trial", name));
  return static_cast<TrialState>(found - kNames.begin());
}

const Parameter* Trial::parameter(const std::string& name) const {
  const auto found = std::lower_bound(parameters.begin(), parameters.end(), name, before);
  return found != parameters.end() && found->name == name ? &*found : nullptr;
}

void Trial::set_parameter(Parameter parameter) {
  const auto place = std::lower_bound(parameters.begin(), parameters.end(), parameter.name, before);
  if (place != parameters.end() && place->name == parameter.name) {
    *place = std::move(parameter);
  } else {
    parameters.insert(place, std::move(parameter));
  }
}

void Trial::set_report(Report report) {
  const auto place = std::lower_bound(reports.begin(), reports.end(), report,
                                      [](const Report& a, const Report& b) { return a.step < b.step; });
  if (place != reports.end() && place->step == report.step) {
    *place = report;
  } else {
    reports.insert(place, report);
  }
}

}  // namespace etude::sweep
