#include "sweep/server/api.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "sweep/importance.h"
#include "sweep/server/openapi.h"
#include "sweep/server/requests.h"

namespace etude::sweep {
namespace {

/// How many trials are copied while the controller waits: less than a millisecond's worth.
constexpr std::size_t kSlice = 512;

[[noreturn]] void nothing_there() { throw Refusal(404, "no such address; see /api/openapi.json"); }

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> words;
  for (std::size_t from = 1; from <= path.size();) {
    const auto to = std::min(path.find('/', from), path.size());
    words.push_back(path.substr(from, to - from));
    from = to + 1;
  }
  return words;
}

template <typename Number>
std::optional<Number> whole(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

std::int64_t trial_number(std::string_view text) {
  const auto number = whole<std::int64_t>(text);
  if (!number) throw Refusal(404, fmt::format("'{}' is no number of a trial", text.substr(0, 32)));
  return *number;
}

void allow(const Api::Query& query, const std::vector<std::string>& names) {
  for (const auto& [name, value] : query) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw Refusal(422, fmt::format("'{}' is nothing to ask for here", name.substr(0, 64)));
    }
  }
}

std::uint64_t number_of(const Api::Query& query, const std::string& name, std::uint64_t otherwise) {
  const auto found = query.find(name);
  if (found == query.end()) return otherwise;
  const auto number = whole<std::uint64_t>(found->second);
  if (!number) throw Refusal(422, fmt::format("'{}' has to be a whole number, 0 or more", name));
  return *number;
}

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kContinue:
      return "continue";
    case Verdict::kPrune:
      return "prune";
    case Verdict::kPause:
      return "pause";
    case Verdict::kFinish:
      return "finish";
  }
  return "continue";
}

Reply refused(int status, const std::string& what) { return {status, to_text({{"error", what}})}; }

}  // namespace

Api::Api(Desk& desk, ApiParts parts) : desk_(desk), parts_(std::move(parts)) {
  desk_.view([&](const View& view) {
    for (const Objective& objective : view.sweep.objectives) objectives_.push_back(objective.name);
  });
}

Reply Api::answer(const std::string& method, std::string_view path, const Query& query, const std::string& body) {
  try {
    const Words words = split(path);
    if (words.empty() || words.front() != "api") nothing_there();
    const Words inner(words.begin() + 1, words.end());
    if (method == "GET") return {200, to_text(get(inner, query))};
    if (method != "POST") return refused(405, "only GET and POST mean anything here");
    allow(query, {});
    return {200, to_text(post(inner, body))};
  } catch (const Refusal& refusal) {
    return refused(refusal.status(), refusal.what());
  } catch (const std::exception& error) {
    return refused(503, error.what());
  }
}

Json Api::get(const Words& path, const Query& query) {
  const std::string_view what = path.empty() ? "" : path[0];
  if (what == "trials" && path.size() == 1) return trials(query);
  if (what == "importance" && path.size() == 1) return importance(query);
  allow(query, {});
  if (what == "trials" && path.size() == 2) return shown(find(trial_number(path[1])));
  if (path.size() != 1) nothing_there();
  if (what == "study") {
    Json study;
    desk_.view([&](const View& view) { study = study_as_json(view); });
    study["version"] = parts_.version;
    return study;
  }
  if (what == "best") return best();
  if (what == "openapi.json") return openapi();
  nothing_there();
}

Json Api::post(const Words& path, const std::string& body) {
  const std::string_view what = path.empty() ? "" : path[0];
  if (what == "trials" && path.size() == 1) return ask(body);
  if (what == "trials" && path.size() == 3) {
    const std::int64_t number = trial_number(path[1]);
    if (path[2] == "reports") return report(number, body);
    if (path[2] == "end") {
      desk_.tell(number, parse_end(body, objectives_));
      return Json::object();
    }
    if (path[2] == "retry") return {{"number", desk_.retry(number, parse_request_word(body))}};
    if (path[2] == "prune") {
      parse_nothing(body);
      desk_.prune(number);
      return Json::object();
    }
  }
  if (what == "enqueue" && path.size() == 1) {
    const EnqueueRequest enqueue = parse_enqueue(body);
    return {{"number", desk_.enqueue(enqueue.parameters, enqueue.request)}};
  }
  if (what == "stop" && path.size() == 1) {
    parse_nothing(body);
    desk_.stop();
    return Json::object();
  }
  nothing_there();
}

Json Api::trials(const Query& query) {
  allow(query, {"since", "incarnation", "limit"});
  const std::uint64_t limit = number_of(query, "limit", std::numeric_limits<std::uint64_t>::max());
  std::uint64_t since = number_of(query, "since", 0);
  const auto known = query.find("incarnation");

  // The trials that changed, oldest change first, and no more than `limit` unless they changed together: whoever has
  // those asks for what changed since.
  std::string incarnation;
  std::uint64_t revision = 0;
  std::vector<std::pair<std::uint64_t, std::size_t>> changed;
  desk_.view([&](const View& view) {
    incarnation = view.incarnation;
    revision = view.revision;
    const bool all = known == query.end() || known->second != incarnation || !query.contains("since");
    if (all) since = 0;
    for (std::size_t i = 0; i < view.revisions.size(); ++i) {
      if (all || view.revisions[i] > since) changed.emplace_back(view.revisions[i], i);
    }
  });
  if (changed.size() > limit) {
    std::sort(changed.begin(), changed.end());
    auto end = changed.begin() + static_cast<std::ptrdiff_t>(std::max<std::uint64_t>(limit, 1));
    revision = std::prev(end)->first;
    while (end != changed.end() && end->first == revision) ++end;
    changed.erase(end, changed.end());
  }

  // In slices, so that nobody's report waits while 100,000 trials are copied. Who changes meanwhile is shown as it then
  // is, and again next time.
  Json list = Json::array();
  std::vector<TrialView> slice;
  for (std::size_t from = 0; from < changed.size(); from += kSlice) {
    slice.clear();
    desk_.view([&](const View& view) {
      for (std::size_t i = from; i < std::min(from + kSlice, changed.size()); ++i) {
        const std::size_t at = changed[i].second;
        slice.push_back({view.trials[at], view.stints[at], view.revisions[at]});
      }
    });
    for (const TrialView& one : slice) list.push_back(shown(one));
  }
  return {{"incarnation", incarnation}, {"revision", revision}, {"trials", std::move(list)}};
}

Json Api::importance(const Query& query) {
  allow(query, {"objective"});
  const std::uint64_t objective = number_of(query, "objective", 0);
  if (objective >= objectives_.size()) {
    throw Refusal(422, fmt::format("there is no objective {}: they are 0 to {}", objective, objectives_.size() - 1));
  }
  const std::lock_guard lock(importance_mutex_);
  Known& known = importances_[objective];
  std::vector<Trial> trials;
  std::vector<Direction> directions;
  bool fresh = false;
  desk_.view([&](const View& view) {
    fresh = known.incarnation == view.incarnation && known.revision == view.revision && !known.importances.is_null();
    if (fresh) return;
    known.incarnation = view.incarnation;
    known.revision = view.revision;
    known.importances = nullptr;
    directions = view.study.directions;
    std::copy_if(view.trials.begin(), view.trials.end(), std::back_inserter(trials),
                 [](const Trial& trial) { return trial.state == TrialState::kComplete; });
  });
  if (fresh) return known.importances;
  const Importances found = importances({directions, trials}, objective);
  Json list = Json::array();
  for (const Importance& one : found.parameters) {
    list.push_back({{"name", one.name}, {"importance", one.importance}, {"deviation", one.deviation}});
  }
  known.importances = {{"parameters", std::move(list)}, {"trials", found.trials}};
  return known.importances;
}

Json Api::best() {
  std::vector<TrialView> best;
  desk_.view([&](const View& view) {
    for (const std::int64_t number : view.best) {
      const auto at = static_cast<std::size_t>(number);
      best.push_back({view.trials.at(at), view.stints.at(at), view.revisions.at(at)});
    }
  });
  Json list = Json::array();
  for (const TrialView& one : best) list.push_back(shown(one));
  const std::string yaml = best.empty() || !parts_.yaml ? "" : parts_.yaml(best.front().trial);
  return {{"trials", std::move(list)}, {"yaml", yaml}};
}

Json Api::ask(const std::string& body) {
  const AskRequest request = parse_ask(body);
  const std::optional<Order> order = desk_.ask(request.worker, request.request);
  if (!order) {
    std::string over;
    desk_.view([&](const View& view) { over = view.over; });
    return {{"trial", nullptr}, {"over", over}};
  }
  return {{"trial",
           {{"number", order->number},
            {"parameters", order->parameters},
            {"parent", order->parent ? Json(*order->parent) : Json(nullptr)},
            {"resumed_at", order->resumed_at ? Json(*order->resumed_at) : Json(nullptr)},
            {"lease", order->lease}}}};
}

Json Api::report(std::int64_t number, const std::string& body) {
  const Answer answer = desk_.report(number, parse_reports(body, objectives_));
  return {{"verdict", name_of(answer.verdict)},
          {"reason", answer.reason},
          {"allowance", answer.allowance < 0 ? Json(nullptr) : number_as_json(answer.allowance)}};
}

Json Api::shown(const TrialView& view) const {
  return trial_as_json(view, parts_.folder ? parts_.folder(view.trial.number) : "");
}

TrialView Api::find(std::int64_t number) {
  std::optional<TrialView> found;
  desk_.view([&](const View& view) {
    const auto at = static_cast<std::size_t>(number);
    if (at < view.trials.size()) found = TrialView{view.trials[at], view.stints[at], view.revisions[at]};
  });
  if (!found) throw Refusal(404, fmt::format("there is no trial {}", number));
  return *std::move(found);
}

}  // namespace etude::sweep
