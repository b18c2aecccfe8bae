#include "sweep/storage/journal_storage.h"

#include <algorithm>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "framework/config/error.h"
#include "launch/status.h"
#include "sweep/storage/changes.h"

namespace etude::sweep {
namespace {

/// The trial that a change is about; -1 for none that is there already.
std::int64_t trial_of(const Change& change) {
  return std::visit(
      [](const auto& one) -> std::int64_t {
        if constexpr (requires { one.id; }) {
          return one.id;
        } else {
          return -1;
        }
      },
      change);
}

bool ends_trial(const Change& change) {
  const auto* const next = std::get_if<StateChange>(&change);
  return next != nullptr && is_over(next->state);
}

}  // namespace

JournalStorage::JournalStorage(const std::filesystem::path& file, bool create)
    : file_(file), worker_(fmt::format("etude on {}, {}", this_process(), launch::now())) {
  if (create) files::Descriptor(file, O_WRONLY | O_CREAT | O_APPEND, 0644).close();
  read_on();
  others_wrote_ = false;
}

void JournalStorage::read_on() {
  file_.read_on([&](std::string_view line, std::int64_t number) {
    try {
      journal_.apply(line);
    } catch (const Error& error) {
      throw Error(fmt::format("{}: line {} is damaged: {}", file_.path().string(), number, error.what()));
    }
    others_wrote_ = true;
  });
}

void JournalStorage::append(const std::function<std::string()>& make) {
  bool others = others_wrote_;
  file_.append([&] {
    read_on();
    others = others_wrote_;
    return make();
  });
  read_on();
  others_wrote_ = others;
}

std::vector<StudyRecord> JournalStorage::studies() {
  read_on();
  std::vector<StudyRecord> all;
  for (const Journal::Study& study : journal_.studies()) {
    if (!study.removed) all.push_back(study.record);
  }
  return all;
}

std::optional<StudyRecord> JournalStorage::find(const std::string& name) {
  for (StudyRecord& study : studies()) {
    if (study.name == name) return std::move(study);
  }
  return std::nullopt;
}

StudyRecord JournalStorage::create(const std::string& name, const std::vector<Direction>& directions) {
  append([&] {
    for (const Journal::Study& study : journal_.studies()) {
      if (!study.removed && study.record.name == name) {
        throw UsageError(fmt::format("{}: there is a study '{}' already", file_.path().string(), name));
      }
    }
    return journal_line(worker_, StudyRecord{-1, name, directions, {}, {}}) + "\n";
  });
  return find(name).value();
}

std::vector<Trial> JournalStorage::load(std::int64_t study, std::int64_t after, const std::vector<std::int64_t>& also) {
  read_on();
  std::vector<Trial> found;
  const Journal::Study* const wanted = journal_.study(study);
  if (wanted == nullptr) return found;
  for (const std::int64_t id : wanted->trials) {
    if (id > after || std::find(also.begin(), also.end(), id) != also.end()) {
      found.push_back(journal_.trials()[static_cast<std::size_t>(id)]);
    }
  }
  return found;
}

void JournalStorage::apply(std::int64_t study, std::vector<Change>& changes) {
  if (changes.empty()) return;
  require_storable(changes);
  // After the line that ends a trial nobody takes in another of it: that one comes last.
  std::vector<Change*> ordered;
  for (Change& change : changes) ordered.push_back(&change);
  std::stable_partition(ordered.begin(), ordered.end(), [](const Change* change) { return !ends_trial(*change); });

  std::vector<std::pair<Trial*, std::int64_t>> made;
  append([&] {
    const Journal::Study* const owner = journal_.study(study);
    if (owner == nullptr) {
      throw Error(fmt::format("{}: the study is not there any more: somebody removed it", file_.path().string()));
    }
    auto next = static_cast<std::int64_t>(journal_.trials().size());
    auto number = static_cast<std::int64_t>(owner->trials.size());
    std::string lines;
    for (Change* const change : ordered) {
      const std::int64_t id = trial_of(*change);
      // Nobody who replays the journal takes in what stands behind the end of a trial.
      if (id >= 0 && id < next && is_over(journal_.trials()[static_cast<std::size_t>(id)].state)) continue;
      if (auto* const trial = std::get_if<NewTrial>(change)) {
        trial->trial.number = number++;
        made.emplace_back(&trial->trial, next + static_cast<std::int64_t>(made.size()));
      }
      lines += journal_line(worker_, study, *change, launch::now(), journal_.has_offsets()) + "\n";
    }
    return lines;
  });
  for (const auto& [trial, id] : made) trial->id = id;
}

bool JournalStorage::written_by_others() {
  if (file_.has_grown()) read_on();
  return std::exchange(others_wrote_, false);
}

void JournalStorage::claim(const StudyRecord& study) {
  if (!claims_.contains(study.id)) {
    claims_[study.id] = std::make_unique<FileClaim>(claim_file(file_.path(), study.id),
                                                    fmt::format("{}: study '{}'", file_.path().string(), study.name));
  }
}

}  // namespace etude::sweep
