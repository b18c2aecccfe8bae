#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sweep/distribution.h"
#include "sweep/trial.h"

namespace etude::sweep {

/// Internal values by name.
using Assignment = std::map<std::string, double>;

/// What is searched: parameters in the order of the sweep file, some of which exist only where others have certain
/// values.
struct SearchSpace {
  struct Entry {
    std::string name;
    std::shared_ptr<const Distribution> distribution;
    /// All of these earlier parameters must be active and have one of these internal values.
    std::map<std::string, std::vector<double>> when;
  };
  std::vector<Entry> entries;  ///< a condition names earlier ones only

  const Entry* find(const std::string& name) const;
  bool is_active(const Entry& entry, const Assignment& values) const;
  /// The active entries, given the values of those that decide.
  std::vector<const Entry*> active(const Assignment& values) const;
  /// As a trial keeps them; what is not active is left out.
  std::vector<Parameter> parameters(const Assignment& values) const;
};

}  // namespace etude::sweep
