#pragma once

#include <map>
#include <string>

#include "framework/config/document.h"
#include "sweep/search_space.h"

namespace etude::sweep {

/// To whom a reader of a sweep file says what it thinks of a place.
struct Critic {
  const config::Remark& complain;
  const config::Remark& warn;
};

/// A value as YAML 1.2 means it: null, true, 12, 0.5, 1e-5, text. A list or a map is kept as text, as an assignment
/// takes it: "[-5, 6]".
Json value_of(const config::Node& node);
/// The same back.
config::Node tree_of(const Json& value);

/// "train.lr=0.001": a parameter's external value as the experiment's loader takes it.
std::string assignment(const std::string& name, const Json& value);

/// Reads the `parameters` of a sweep file: a map of flat names to {type, low, high, log, step}, {values} or a list of
/// values, each with an optional `when`.
SearchSpace read_parameters(const config::Node& tree, const Critic& critic);
/// The same back.
config::Node parameters_tree(const SearchSpace& space);

/// What an entry's conditions come to, those of the parameters that they name included: the internal values that each
/// may have while the entry is active. An empty list for one means that it never is.
std::map<std::string, std::vector<double>> conditions(const SearchSpace& space, const SearchSpace::Entry& entry);

}  // namespace etude::sweep
