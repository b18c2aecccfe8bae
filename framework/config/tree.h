#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "framework/config/options.h"

namespace etude::config {

/// Where something was written: a line and column of the file (source 0), or the n-th assignment (source n).
struct Place {
  std::size_t source = 0;
  int line = 1;
  int column = 1;
};

/// A value with the places of everything in it. Keys may stand twice; whoever reads the tree complains.
struct Node {
  struct Entry;

  Place place;
  Value::Kind kind = Value::Kind::kNull;
  std::string scalar;
  bool quoted = false;  ///< a scalar that is text whatever it looks like
  std::vector<Node> list;
  std::vector<Entry> map;

  /// The last entry under that key, or nullptr.
  Entry* find(const std::string& key);
  const Entry* find(const std::string& key) const;
  Value value() const;
};

struct Node::Entry {
  std::string key;
  Place place;  ///< of the key
  Node node;
};

/// Text that is not YAML, or YAML that no configuration can be.
struct TreeError {
  Place place;
  std::string what;
};

/// Reads one YAML document. Throws TreeError.
Node parse_tree(const std::string& yaml, std::size_t source);

/// "a.b.c=value" as a tree of one leaf; the value is YAML. Throws TreeError.
Node parse_assignment(const std::string& assignment, std::size_t source);

/// The tree as YAML on one line (flow style), which reads back to the same tree but for its places.
std::string flow_text(const Node& node);

/// Lays one tree over another. Maps are merged key by key, an empty map empties, anything else replaces; but a map does
/// not cover up a value that is none, because that value is a mistake someone should hear of.
void lay_over(Node& below, Node above);

}  // namespace etude::config
