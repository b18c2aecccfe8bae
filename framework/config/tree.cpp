#include "framework/config/tree.h"

#include <algorithm>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/node/convert.h>
#include <yaml-cpp/node/node.h>
#include <yaml-cpp/parser.h>

#include "framework/config/values.h"

namespace etude::config {
namespace {

// Aliases let a few lines stand for billions of values, and for values as deep as the file is long.
constexpr std::size_t kMostValues = 100'000;
constexpr std::size_t kDeepest = 64;

std::size_t count(const Node& node) {
  std::size_t total = 1;
  for (const Node& child : node.list) total += count(child);
  for (const Node::Entry& entry : node.map) total += count(entry.node);
  return total;
}

std::size_t depth(const Node& node) {
  std::size_t below = 0;
  for (const Node& child : node.list) below = std::max(below, depth(child));
  for (const Node::Entry& entry : node.map) below = std::max(below, depth(entry.node));
  return below + 1;
}

/// Builds the tree from the parser's events. YAML::Node would do it too, but forgets where aliases stand and expands
/// them without end.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::size_t source) : source_(source) {}

  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node = make(mark, Value::Kind::kNull);
    finish(std::move(node), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    Node node = make(mark, Value::Kind::kScalar);
    node.scalar = text;
    node.quoted = tag == "!";
    finish(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) throw TreeError{place(mark), "an alias stands inside the value that it refers to"};
    values_ += count(known->second);
    if (values_ > kMostValues) {
      throw TreeError{place(mark), fmt::format("aliases make this more than {} values", kMostValues)};
    }
    if (open_.size() + depth(known->second) > kDeepest) throw too_deep(place(mark));
    finish(known->second, YAML::NullAnchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, Value::Kind::kList, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, Value::Kind::kMap, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  /// A list or map whose end has not been seen.
  struct Open {
    Node node;
    YAML::anchor_t anchor = YAML::NullAnchor;
    bool has_key = false;  // of the map's next entry, which waits in `key`
    std::string key;
    Place key_place;
  };

  Place place(const YAML::Mark& mark) const { return {source_, mark.line + 1, mark.column + 1}; }

  static TreeError too_deep(Place place) {
    return {place, fmt::format("lists and maps nest more than {} deep", kDeepest)};
  }

  Node make(const YAML::Mark& mark, Value::Kind kind) {
    ++values_;
    Node node;
    node.place = place(mark);
    node.kind = kind;
    return node;
  }

  void open(const YAML::Mark& mark, Value::Kind kind, YAML::anchor_t anchor) {
    if (open_.size() >= kDeepest) throw too_deep(place(mark));
    Open opened;
    opened.node = make(mark, kind);
    opened.anchor = anchor;
    open_.push_back(std::move(opened));
  }

  void close() {
    Open closed = std::move(open_.back());
    open_.pop_back();
    finish(std::move(closed.node), closed.anchor);
  }

  /// Hands a complete value to the list or map around it.
  void finish(Node node, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Value::Kind::kList) {
      parent.node.list.push_back(std::move(node));
    } else if (!parent.has_key) {
      if (node.kind != Value::Kind::kScalar) throw TreeError{node.place, "a key must be plain text"};
      parent.has_key = true;
      parent.key = std::move(node.scalar);
      parent.key_place = node.place;
    } else {
      // Where a value is left out, the parser's mark is already at whatever comes next.
      if (node.kind == Value::Kind::kNull) node.place = parent.key_place;
      parent.node.map.push_back({std::move(parent.key), parent.key_place, std::move(node)});
      parent.has_key = false;
    }
  }

  std::size_t source_;
  std::size_t values_ = 0;
  Node root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Node> anchors_;
};

}  // namespace

Node::Entry* Node::find(const std::string& key) {
  const auto entry = std::find_if(map.rbegin(), map.rend(), [&](const Entry& known) { return known.key == key; });
  return entry == map.rend() ? nullptr : &*entry;
}

const Node::Entry* Node::find(const std::string& key) const { return const_cast<Node*>(this)->find(key); }

Value Node::value() const {
  Value result;
  result.kind = kind;
  result.scalar = scalar;
  for (const Node& child : list) result.list.push_back(child.value());
  for (const Entry& entry : map) result.map.push_back({entry.key, entry.node.value()});
  return result;
}

Node parse_tree(const std::string& yaml, std::size_t source) {
  std::istringstream stream(yaml);
  TreeBuilder builder(source);
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    Node tree = builder.take();
    TreeBuilder next(source);
    if (parser.HandleNextDocument(next)) {
      throw TreeError{next.take().place, "a second document begins here ('---'); a configuration is a single one"};
    }
    return tree;
  } catch (const YAML::Exception& error) {
    const Place place =
        error.mark.is_null() ? Place{source} : Place{source, error.mark.line + 1, error.mark.column + 1};
    throw TreeError{place, "not valid YAML: " + error.msg};
  }
}

Node parse_assignment(const std::string& assignment, std::size_t source) {
  const Place place{source};
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos) throw TreeError{place, "expected KEY=VALUE, such as train.lr=0.001"};

  const std::string text = assignment.substr(equals + 1);
  Node node = parse_tree(text, source);
  if (text.empty()) node.kind = Value::Kind::kScalar;  // "name=" means the empty text

  std::string_view keys = std::string_view(assignment).substr(0, equals);
  while (true) {  // from the innermost key outwards
    const std::size_t dot = keys.rfind('.');
    const std::string key(keys.substr(dot == std::string_view::npos ? 0 : dot + 1));
    if (key.empty()) throw TreeError{place, "a key is empty; expected KEY=VALUE, such as train.lr=0.001"};
    Node parent;
    parent.place = place;
    parent.kind = Value::Kind::kMap;
    parent.map.push_back({key, place, std::move(node)});
    node = std::move(parent);
    if (dot == std::string_view::npos) return node;
    keys = keys.substr(0, dot);
  }
}

std::string flow_text(const Node& node) {
  std::vector<std::string> parts;
  switch (node.kind) {
    case Value::Kind::kNull:
      return "null";
    case Value::Kind::kScalar: {
      double number = 0;
      bool truth = false;
      const bool plain = !node.quoted && (parse_number(node.scalar, number) == Parse::kGood ||
                                          YAML::convert<bool>::decode(YAML::Node(node.scalar), truth));
      return plain ? node.scalar : yaml_text(node.scalar);
    }
    case Value::Kind::kList:
      for (const Node& child : node.list) parts.push_back(flow_text(child));
      return fmt::format("[{}]", fmt::join(parts, ", "));
    case Value::Kind::kMap:
      for (const Node::Entry& entry : node.map) parts.push_back(yaml_text(entry.key) + ": " + flow_text(entry.node));
      return fmt::format("{{{}}}", fmt::join(parts, ", "));
  }
  return "";
}

void lay_over(Node& below, Node above) {
  using Kind = Value::Kind;
  const bool replaces = above.kind != Kind::kMap || above.map.empty() || below.kind == Kind::kNull;
  if (replaces) {
    below = std::move(above);
    return;
  }
  if (below.kind != Kind::kMap) return;
  for (Node::Entry& entry : above.map) {
    if (Node::Entry* known = below.find(entry.key)) {
      lay_over(known->node, std::move(entry.node));
    } else {
      below.map.push_back(std::move(entry));
    }
  }
}

}  // namespace etude::config
