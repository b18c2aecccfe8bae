#include "launch/launcher.h"

#include <algorithm>
#include <cstdlib>
#include <random>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include "framework/config/error.h"
#include "framework/files/files.h"
#include "framework/files/posix.h"
#include "framework/log/format.h"
#include "framework/run/run_folder.h"
#include "launch/job_list.h"

namespace etude::launch {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestName = 32;  ///< of a name within a token
constexpr double kSilence = 60;           ///< seconds without a sign of life that are worth a word

/// A folder for as long as this object lives.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (fs::temp_directory_path() / "etude-launch-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw Error(fmt::format("{}: no folder can be made there", pattern));
    path_ = pattern;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Keeps two launchers from submitting the same run.
class LaunchLock {
 public:
  explicit LaunchLock(const fs::path& folder) : file_(folder / ".launch", O_RDWR | O_CREAT, 0644) {
    ::flock(file_.get(), LOCK_EX);
  }

 private:
  files::Descriptor file_;
};

std::string without_oddities(const std::string& name) {
  std::string plain;
  for (const char c : name) {
    const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (letter) plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (!letter && !plain.empty() && plain.back() != '-') plain += '-';
  }
  plain.resize(std::min(plain.size(), kLongestName));
  while (plain.ends_with('-')) plain.pop_back();
  return plain.empty() ? "run" : plain;
}

std::string new_token(const std::string& name) {
  std::random_device random;
  return fmt::format("etude-{}-{:08x}", without_oddities(name), random());
}

/// What a person may call it in a shell: no slash, no leading dot or dash.
std::string job_name(const std::string& name) {
  std::string fit;
  for (const char c : name) fit += std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' ? c : '-';
  fit.erase(0, fit.find_first_not_of(".-"));
  return fit.empty() ? "run" : fit;
}

/// As it was when first asked: a program that is built anew while this one runs stands at the same place.
std::string own_program() {
  static const std::string program = fs::read_symlink("/proc/self/exe").string();
  return program;
}

Job new_job(Cluster& cluster, const Request& request, const Wishes& wishes) {
  const Engine& engine = cluster.engine_in_use();
  Job job;
  job.name = job_name(request.name);
  job.token = new_token(request.name);
  const fs::path here = fs::absolute(request.run).lexically_normal();
  job.folder = run::RunFolder(here).job();
  job.run = engine.shares_files() ? here : request.run;
  job.order = job.folder;
  job.output = job.folder / "output.txt";
  job.program = cluster.program;
  job.supervisor = engine.shares_files() ? own_program() : cluster.program;
  job.limits = wishes.limits;
  job.submitted = utc(now());
  engine.place(cluster, job);
  return job;
}

Jobs pointers(std::vector<Job>& jobs) {
  Jobs all;
  for (Job& job : jobs) all.push_back(&job);
  return all;
}

/// Everything that the nodes need to know, on disk before anything is submitted.
void write_order(Cluster& cluster, const Job& job, const std::string& experiment) {
  files::write_atomically(job.folder / "experiment.yaml", experiment);
  files::write_atomically(job.folder / "cluster.yaml", to_yaml(cluster));
  save(job);
}

void submit(Cluster& cluster, std::vector<Job>& jobs) {
  if (jobs.empty()) return;
  const std::string script = cluster.engine_in_use().script(cluster, pointers(jobs));
  for (const Job& job : jobs) files::write_atomically(job.script_file(), script);
  cluster.engine_in_use().submit(cluster, pointers(jobs));
  for (const Job& job : jobs) save(job);
}

/// A job that this folder holds and that is not over; nothing where there is none. One whose submission was cut off is
/// completed with the id under which the engine holds it.
std::optional<Job> under_way(const fs::path& folder) {
  if (!fs::exists(folder / "job.json")) return std::nullopt;
  Job job = load_job(folder);
  if (job.id.empty()) {
    const auto cluster = cluster_of(job);
    const auto id = cluster->engine_in_use().find(job);
    if (!id) return std::nullopt;
    job.id = *id;
    save(job);
  }
  const State state = look(job).state;
  if (is_over(state) || state == State::kEnded) return std::nullopt;
  return job;
}

void refuse_used_folder(const run::RunFolder& run, const Wishes& wishes) {
  if (!run.exists() || wishes.resume || wishes.overwrite) return;
  throw UsageError(
      fmt::format("{}: holds a run already. --resume goes on with it, --overwrite throws it away, --set "
                  "run=… puts this one elsewhere",
                  run.root().string()));
}

/// What an earlier job of this run said of its end holds no more; its attempts stay, for the cost.
void forget_the_end(const fs::path& folder) {
  auto status = load_status(folder);
  if (!status) return;
  status->state = State::kQueued;
  status->words.clear();
  save(*status, folder);
}

}  // namespace

std::unique_ptr<Cluster> cluster_of(const Job& job) { return load_cluster(job.folder / "cluster.yaml"); }

void settle(Cluster& cluster, const std::vector<Request>& requests) {
  if (cluster.program.empty()) {
    const bool same_here = cluster.engine_in_use().shares_files();
    cluster.program = same_here ? own_program() : "etude";
  }
  for (fs::path* path : {&cluster.setup, &cluster.stage}) {
    if (!path->empty() && cluster.engine_in_use().shares_files()) *path = fs::absolute(*path).lexically_normal();
  }
  cluster.engine_in_use().settle(cluster);
  for (const Request& request : requests) {
    const std::int64_t ranks = cluster.nodes * std::max<std::int64_t>(1, cluster.ranks_per_node);
    if (ranks > request.micro_batches) {
      throw UsageError(
          fmt::format("{}: {} ranks on {} node{}, but a step has {} micro-batches (train.global_batch / "
                      "train.micro_batch), and a rank needs one",
                      request.name, ranks, cluster.nodes, cluster.nodes == 1 ? "" : "s", request.micro_batches));
    }
    const std::int64_t most = request.micro_batches / cluster.nodes;
    if (cluster.ranks_per_node == 0 && cluster.ranks_on_each_node() > most) cluster.ranks_per_node = most;
  }
}

std::string preview(Cluster& cluster, const std::vector<Request>& requests, const Wishes& wishes) {
  std::vector<Job> jobs;
  for (const Request& request : requests) jobs.push_back(new_job(cluster, request, wishes));
  if (cluster.engine_in_use().shares_files()) return cluster.engine_in_use().script(cluster, pointers(jobs));
  // What the nodes do not see is part of what is submitted.
  const ScratchFolder scratch;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    jobs[i].folder = scratch.path() / std::to_string(i);
    fs::create_directories(jobs[i].folder);
    write_order(cluster, jobs[i], requests[i].experiment);
  }
  return cluster.engine_in_use().script(cluster, pointers(jobs));
}

std::vector<Launched> launch(Cluster& cluster, const std::vector<Request>& requests, const Wishes& wishes) {
  if (wishes.overwrite && !cluster.engine_in_use().shares_files()) {
    throw UsageError(
        fmt::format("--overwrite: the files of engine {} are not seen here; --set run=… puts this run "
                    "elsewhere",
                    cluster.engine));
  }
  JobList list;
  std::vector<Launched> launched;
  std::vector<std::unique_ptr<LaunchLock>> locks;
  std::vector<Job> fresh;
  std::vector<std::size_t> places;
  for (const Request& request : requests) {
    Job job = new_job(cluster, request, wishes);
    fs::create_directories(job.folder);
    locks.push_back(std::make_unique<LaunchLock>(job.folder));
    if (auto found = under_way(job.folder)) {
      found->name = list.enter(found->name, found->folder);
      launched.push_back({*found, true});
      continue;
    }
    refuse_used_folder(run::RunFolder(job.folder.parent_path()), wishes);
    places.push_back(launched.size());
    launched.push_back({job, false});
  }
  // Only now is it sure that all of them can be started.
  for (const std::size_t place : places) {
    Job& job = launched[place].job;
    const run::RunFolder run(job.folder.parent_path());
    if (wishes.overwrite) {
      run.clear();
      fs::remove(job.folder / "status.json");
      fs::remove(job.output);
    }
    forget_the_end(job.folder);
    job.name = list.enter(job.name, job.folder);
    write_order(cluster, job, requests[place].experiment);
    fresh.push_back(job);
  }
  submit(cluster, fresh);
  for (std::size_t i = 0; i < places.size(); ++i) launched[places[i]].job = fresh[i];
  return launched;
}

Job resume(Job job, const Limits& limits) {
  const LaunchLock lock(job.folder);
  if (const auto found = under_way(job.folder)) {
    throw UsageError(fmt::format("{} is under way: 'etude jobs follow {}' shows it", job.name, job.name));
  }
  const auto cluster = cluster_of(job);
  job.token = new_token(job.name);
  job.id.clear();
  if (limits.hours > 0) job.limits.hours = limits.hours;
  if (limits.cost > 0) job.limits.cost = limits.cost;
  job.submitted = utc(now());
  forget_the_end(job.folder);
  save(job);
  std::vector<Job> jobs{job};
  submit(*cluster, jobs);
  return jobs.front();
}

Overview look(const Job& job) {
  Overview overview{job, State::kQueued, "", "", "", std::nullopt};
  const auto cluster = cluster_of(job);
  Engine& engine = cluster->engine_in_use();
  overview.where = job.id.empty() || job.id == cluster->engine ? cluster->engine : cluster->engine + " " + job.id;
  overview.status = engine.status(job);
  if (overview.status) {
    overview.state = overview.status->state;
    overview.words = overview.status->words;
    if (is_over(overview.state)) return overview;
  }
  if (job.id.empty()) {
    overview.state = State::kEnded;
    overview.words = "was not submitted";
    overview.way_out = "'etude launch' does that";
    return overview;
  }
  const EngineState engine_state = engine.state(job);
  switch (engine_state.phase) {
    case Phase::kUnknown:
      overview.words = engine_state.words + "; as it was last seen";
      break;
    case Phase::kQueued:
      overview.state = State::kQueued;
      overview.words = engine_state.words;
      break;
    case Phase::kEnded:
    case Phase::kAbsent:
      // The supervisor may have ended between the two looks.
      if (const auto last = engine.status(job); last && is_over(last->state)) {
        overview.state = last->state;
        overview.words = last->words;
        overview.status = last;
        break;
      }
      overview.state = State::kEnded;
      overview.words = engine_state.words;
      overview.way_out = fmt::format("'etude jobs resume {}' goes on", job.name);
      break;
    case Phase::kRunning:
      if (overview.state == State::kRequeued) overview.state = State::kQueued;
      if (overview.status && now() - overview.status->updated > kSilence) {
        overview.words = fmt::format("no sign of life for {}", log::duration(now() - overview.status->updated));
      }
      break;
  }
  return overview;
}

std::string in_words(const Overview& overview) {
  return overview.way_out.empty() ? overview.words : fmt::format("{}; {}", overview.words, overview.way_out);
}

std::string stop(const Job& job, bool hard) {
  const auto cluster = cluster_of(job);
  Engine& engine = cluster->engine_in_use();
  const Overview overview = look(job);
  if (is_over(overview.state) || overview.state == State::kEnded) {
    return fmt::format("{} is not running ({})", job.name, in_words(overview.state));
  }
  const bool queued = overview.state == State::kQueued || overview.state == State::kRequeued;
  try {
    engine.ask_to_stop(job);  // also where it is queued, in case it begins just now
  } catch (const Error&) {
    if (!hard) throw;  // the engine is to end even what cannot be told
  }
  if (hard || (queued && engine.state(job).phase == Phase::kQueued)) {
    engine.cancel(job);
    return fmt::format("{}: {}", job.name, hard ? "its engine ends it" : "taken from the queue");
  }
  return fmt::format("{} writes a checkpoint and ends; 'etude jobs resume {}' goes on", job.name, job.name);
}

}  // namespace etude::launch
