#include "launch/slurm.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>
#include <string_view>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "framework/config/error.h"
#include "framework/files/files.h"
#include "launch/cluster.h"
#include "launch/job.h"

namespace etude::launch {
namespace slurm {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> split(const std::string& line, char separator) {
  std::vector<std::string> fields;
  std::istringstream stream(line);
  for (std::string field; std::getline(stream, field, separator);) fields.push_back(field);
  return fields;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// What to do about a refusal, by what sbatch says.
struct Advice {
  std::string_view words, advice;
};
constexpr Advice kAdvice[] = {
    {"account", "`sacctmgr show associations user=$USER` lists the accounts you may use; set account: (and qos:)"},
    {"artition", "choose another partition:"},
    {"qos", "`sacctmgr show associations user=$USER format=account,qos` lists them; set qos:"},
    {"QOS",
     "the limits of your account or quality of service do not let it in: fewer nodes:, less time:, another qos:"},
    {"not permitted", "ask the cluster's administrators for access, or choose another partition: or account:"},
    {"denied", "ask the cluster's administrators for access, or choose another partition: or account:"},
    {"feature", "`sinfo -o '%f'` lists the features that constraint: can name"},
    {"eservation", "`scontrol show reservation` lists them; mend reservation:, or leave it out"},
    {"emory", "`sinfo -o '%P %m'` tells how much a node has; mend memory:"},
    {"(gres)", "`sinfo -o '%P %G'` lists the GPUs; mend gpus_per_node: and gpu_type:"},
    {"node configuration",
     "no node has all of it: compare gpus_per_node:, cores_per_rank: and memory: with `sinfo -N -o '%N %c %m %G'`"},
    {"ode count", "`sinfo` tells how many nodes a partition has; mend nodes:"},
    {"time limit", "`sinfo -o '%P %l'` tells how long jobs may take; mend time:"},
    {"array",
     "the cluster takes no array of so many jobs (`scontrol show config | grep MaxArraySize`): launch fewer at once"},
    {"option", "this Slurm does not know an option of extra:"},
};

/// Reasons for which a job waits until somebody changes it, or the cluster.
constexpr Advice kHopeless[] = {
    {"PartitionTimeLimit", "longer than its partition allows; stop it, mend time: and launch again"},
    {"PartitionNodeLimit", "more nodes than its partition has; stop it, mend nodes: and launch again"},
    {"PartitionConfig", "not what its partition allows; stop it, and see 'etude launch doctor'"},
    {"BadConstraints", "no node is like that; stop it, mend constraint: and launch again"},
    {"InvalidAccount", "stop it, mend account: and launch again"},
    {"InvalidQOS", "stop it, mend qos: and launch again"},
    {"eld", "'scontrol release' with its number lets it go"},  // JobHeldUser, "launch failed requeued held"
};

struct Queue {
  process::Outcome answer;
  std::chrono::steady_clock::time_point asked;
};
/// The last answer of squeue: one for all jobs that are asked about, to spare the controller.
std::optional<Queue>& last_queue() {
  static std::optional<Queue> last;
  return last;
}

const process::Outcome& queue() {
  constexpr std::chrono::seconds kFresh{2};
  auto& last = last_queue();
  if (!last || std::chrono::steady_clock::now() - last->asked > kFresh) {
    last = Queue{process::run({"squeue", "--noheader", "--array", "--states=all", "--me", "--format=%i|%T|%r"}), {}};
    last->asked = std::chrono::steady_clock::now();
  }
  return last->answer;
}

}  // namespace

std::string words_of(const process::Outcome& outcome) {
  std::string words;
  for (std::string line : lines_of(outcome.errors.empty() ? outcome.output : outcome.errors)) {
    for (const std::string_view front :
         {"sbatch: ", "squeue: ", "scancel: ", "scontrol: ", "srun: ", "sinfo: ", "error: "}) {
      if (line.starts_with(front)) line.erase(0, front.size());
    }
    if (line.starts_with("Try \"")) continue;
    words += (words.empty() ? "" : "; ") + line;
  }
  return words.empty() ? fmt::format("it ended with code {} and said nothing", outcome.code) : words;
}

bool out_of_reach(const process::Outcome& outcome) {
  if (outcome.code == 0) return false;
  if (outcome.code == 124 || outcome.code == 127) return true;
  // "Unexpected message received" is how scontrol says that nobody answers.
  constexpr std::string_view kSigns[] = {"nable to contact",     "timed out",       "onnection refused",
                                         "communication",        "Zero Bytes were", "Unexpected message",
                                         "configuration source", "uthentication"};
  return std::any_of(std::begin(kSigns), std::end(kSigns),
                     [&](std::string_view sign) { return contains(outcome.errors, sign); });
}

EngineState state_of(const std::string& state, const std::string& reason) {
  // sacct has "CANCELLED by 1000", and a plus sign where a column was too narrow.
  const std::string word = state.substr(0, state.find_first_of(" +"));
  const std::string words = reason.empty() || reason == "None" ? state : fmt::format("{} ({})", state, reason);
  const auto any = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), word) != names.end();
  };
  if (any({"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD",
           "POWER_UP_NODE"})) {
    const auto hopeless = std::find_if(std::begin(kHopeless), std::end(kHopeless),
                                       [&](const Advice& known) { return contains(reason, known.words); });
    return {Phase::kQueued, hopeless == std::end(kHopeless) ? words : fmt::format("{}: {}", words, hopeless->advice)};
  }
  // COMPLETING still has its nodes, and may be on its way back into the queue.
  if (any({"RUNNING", "SUSPENDED", "COMPLETING", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING"}))
    return {Phase::kRunning, words};
  if (any({"COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "DEADLINE",
           "OUT_OF_MEMORY", "REVOKED", "LAUNCH_FAILED", "RECONFIG_FAIL"})) {
    return {Phase::kEnded, words};
  }
  return {Phase::kUnknown, words};
}

std::optional<double> seconds_of(const std::string& limit) {
  double days = 0;
  std::string clock = limit;
  const auto number = [](const std::string& text) -> std::optional<double> {
    if (text.empty() || text.size() > 9 ||
        !std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); }))
      return std::nullopt;
    return std::stod(text);
  };
  const auto dash = limit.find('-');
  if (dash != std::string::npos) {
    const auto given = number(limit.substr(0, dash));
    if (!given) return std::nullopt;
    days = *given;
    clock = limit.substr(dash + 1);
  }
  std::vector<double> parts;
  for (const std::string& part : split(clock, ':')) {
    const auto given = number(part);
    if (!given) return std::nullopt;
    parts.push_back(*given);
  }
  if (parts.empty() || parts.size() > 3) return std::nullopt;
  // Without days a clock begins with minutes unless it has three parts; with days it begins with hours.
  if (dash == std::string::npos && parts.size() < 3) parts.insert(parts.begin(), 0);
  parts.resize(3, 0);
  return days * 86400 + parts[0] * 3600 + parts[1] * 60 + parts[2];
}

void forget_queue() { last_queue().reset(); }

std::string partitions() {
  std::vector<std::string> names =
      lines_of(process::run({"sinfo", "--noheader", "--format=%R"}, {.seconds = 30}).output);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace slurm

namespace {

using slurm::out_of_reach;
using slurm::words_of;

/// Which task of which array a job is, kept in its folder for find(): the array has one name.
std::filesystem::path array_file(const Job& job) { return job.folder / "slurm-array"; }

std::string task_id(const std::string& array, std::size_t task) { return fmt::format("{}_{}", array, task); }

/// sbatch, free of what the environment would put over the script's own options: variables that stand for these
/// options, and what an allocation within which we are would tell the job.
process::Command sbatch(const slurm::Header& header) {
  process::Command command{"env"};
  const auto without = [&](const std::string& variable) { command.insert(command.end(), {"-u", variable}); };
  const std::map<std::string, std::string> otherwise{
      {"time", "TIMELIMIT"}, {"array", "ARRAY_INX"}, {"mem", "MEM_PER_NODE"}};
  for (const std::string& name : header.names) {
    std::string variable = name;
    std::transform(variable.begin(), variable.end(), variable.begin(),
                   [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::toupper(c)); });
    if (const auto found = otherwise.find(name); found != otherwise.end()) variable = found->second;
    without("SBATCH_" + variable);
  }
  for (const char* variable :
       {"SBATCH_ARRAY_INX", "SBATCH_NO_REQUEUE", "SBATCH_WAIT", "SBATCH_CLUSTERS", "SLURM_CLUSTERS"}) {
    without(variable);
  }
  if (std::getenv("SLURM_JOB_ID") != nullptr) {
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string variable = std::string(*entry).substr(0, std::string_view(*entry).find('='));
      if (variable.starts_with("SLURM_") && variable != "SLURM_CONF" && variable != "SLURM_JWT") without(variable);
    }
  }
  command.insert(command.end(), {"sbatch", "--parsable"});
  return command;
}

[[noreturn]] void refuse(const process::Outcome& outcome) {
  if (outcome.code == 127) {
    throw UsageError(
        "there is no sbatch on this machine: launch from a login node of the cluster ('module load slurm', at some); "
        "for this machine alone leave --cluster away");
  }
  const std::string words = words_of(outcome);
  if (out_of_reach(outcome)) {
    throw Error(
        fmt::format("sbatch: cannot reach the controller: {}; launch again later, nothing is started twice", words));
  }
  std::string advice = "the words are Slurm's own; 'etude launch doctor' looks at the cluster file";
  for (const auto& [said, what] : slurm::kAdvice) {
    if (words.find(said) == std::string::npos) continue;
    advice = what;
    if (said == "artition") {
      const std::string names = slurm::partitions();
      advice += names.empty() ? " (sinfo lists them)" : " one of " + names;
    }
    break;
  }
  throw UsageError(fmt::format("sbatch: {}; {}", words, advice));
}

}  // namespace

void SlurmEngine::describe(config::Section& section) {
  section.text("partition", options_.partition, "Partition; empty takes the cluster's default.");
  section.text("account", options_.account, "On whose account.");
  section.text("qos", options_.qos, "Quality of service.");
  section.text("constraint", options_.constraint, "Features that nodes must have, such as ib&a100.");
  section.text("reservation", options_.reservation, "Reservation to run in.");
  section.text("memory", options_.memory,
               "Memory of each node, such as 64G; 0 is all it has, empty the cluster's default.");
  section.text("gpu_type", options_.gpu_type, "What kind of GPUs gpus_per_node are, such as a100; empty takes any.");
  section.boolean("exclusive", options_.exclusive, "Share nodes with no other job.");
  section.integer("at_once", options_.at_once, {0, 100'000},
                  "How many jobs of an array may run at the same time; 0 for any number.");
  section.choice("starter", options_.starter,
                 {{"srun", SlurmOptions::Starter::kSrun}, {"mpirun", SlurmOptions::Starter::kMpirun}},
                 "What starts the ranks within the job.");
  section.text(
      "mpi", options_.mpi,
      "How srun brings MPI up, of what `srun --mpi=list` has; none is for ranks that do without (NCCL over TCP).");
  section.choice("container", options_.container,
                 {{"none", SlurmOptions::Container::kNone},
                  {"apptainer", SlurmOptions::Container::kApptainer},
                  {"pyxis", SlurmOptions::Container::kPyxis}},
                 "What ranks run in: apptainer, or the plugin of srun for enroot.");
  section.text("image", options_.image, "The container's image: a file, or what the container program can fetch.");
  section.list("mounts", options_.mounts,
               "Folders to see in the container, as FOLDER or FOLDER:THERE; the run folder and the packs among them.");
  section.list("modules", options_.modules, "Modules that the job loads, in this order.");
  section.list("extra", options_.extra, "Further options of sbatch, such as --mail-type=END.");
}

void SlurmEngine::check(const Cluster& cluster) const { slurm::check(options_, cluster); }

std::string SlurmEngine::script(const Cluster& cluster, const Jobs& jobs) const {
  return slurm::batch_script(options_, cluster, jobs);
}

void SlurmEngine::submit(const Cluster& cluster, const Jobs& jobs) {
  const bool array = jobs.size() > 1;
  const Job& first = *jobs.front();
  if (array) std::filesystem::create_directories(first.folder / "array");
  for (std::size_t task = 0; task < jobs.size(); ++task) {
    const Job& job = *jobs[task];
    std::filesystem::remove(array_file(job));
    if (!array) continue;
    files::write_atomically(array_file(job), fmt::format("{} {}\n", first.token, task));
    const std::filesystem::path link = first.folder / "array" / fmt::format("{}.txt", task);
    std::filesystem::remove(link);
    std::filesystem::create_symlink(job.output, link);
  }

  process::Command command = sbatch(slurm::header(options_, cluster, jobs));
  command.push_back(first.script_file().string());
  const process::Outcome outcome = process::run(command, {.seconds = 120});
  if (outcome.code != 0) refuse(outcome);
  // "4711", or "4711;cluster" where there are several.
  const std::string id = outcome.output.substr(0, outcome.output.find_first_not_of("0123456789"));
  if (id.empty()) throw Error(fmt::format("sbatch gave no number: {}", words_of(outcome)));
  for (std::size_t task = 0; task < jobs.size(); ++task) jobs[task]->id = array ? task_id(id, task) : id;
  slurm::forget_queue();
}

std::optional<std::string> SlurmEngine::find(const Job& job) {
  std::string name = job.token, task;
  if (std::filesystem::exists(array_file(job))) std::istringstream(files::read(array_file(job))) >> name >> task;
  const auto found_in = [&](const process::Outcome& outcome) -> std::optional<std::string> {
    if (outcome.code != 0) return std::nullopt;
    for (const std::string& id : slurm::lines_of(outcome.output)) {
      if (task.empty() || id.ends_with("_" + task)) return id;
    }
    return std::nullopt;
  };
  const process::Outcome queue =
      process::run({"squeue", "--noheader", "--array", "--states=all", "--name=" + name, "--format=%i"});
  if (queue.code != 0) throw Error(fmt::format("squeue: cannot ask for {}: {}", job.name, words_of(queue)));
  if (const auto id = found_in(queue)) return id;
  return found_in(process::run({"sacct", "--noheader", "--parsable2", "--allocations", "--array",
                                "--starttime=now-30days", "--name=" + name, "--format=JobID"}));
}

EngineState SlurmEngine::state(const Job& job) {
  const process::Outcome& answer = slurm::queue();
  if (answer.code == 127) {
    return {Phase::kUnknown, "there is no squeue on this machine; ask on a login node of the cluster"};
  }
  if (answer.code != 0) return {Phase::kUnknown, "cannot reach the controller: " + words_of(answer)};
  for (const std::string& line : slurm::lines_of(answer.output)) {
    const auto fields = slurm::split(line, '|');
    if (fields.size() < 2 || fields[0] != job.id) continue;
    return slurm::state_of(fields[1], fields.size() > 2 ? fields[2] : "");
  }
  // The controller forgets jobs some minutes after their end; accounting remembers, where it is kept.
  const process::Outcome accounts =
      process::run({"sacct", "--noheader", "--parsable2", "--allocations", "--jobs=" + job.id, "--format=State"});
  const auto states = slurm::lines_of(accounts.output);
  if (accounts.code == 0 && !states.empty()) return slurm::state_of(states.back());
  return {Phase::kAbsent, "Slurm has forgotten it"};
}

void SlurmEngine::cancel(const Job& job) {
  const process::Outcome outcome = process::run({"scancel", job.id});
  slurm::forget_queue();
  const std::string words = words_of(outcome);
  // It is over already where it is completing, or unknown by now.
  const bool over = slurm::contains(words, "already completing") || slurm::contains(words, "Invalid job id");
  if (outcome.code != 0 && !over) throw Error(fmt::format("scancel: {}", words));
}

std::vector<Finding> SlurmEngine::examine(const Cluster& cluster) { return slurm::examine(options_, cluster); }

std::vector<std::string> SlurmEngine::start_ranks(const Cluster& cluster, const Job&,
                                                  const std::vector<std::string>& train) const {
  return slurm::start_ranks(options_, cluster, nodes(cluster), train);
}

int SlurmEngine::nodes(const Cluster& cluster) const {
  const char* given = std::getenv("SLURM_JOB_NUM_NODES");
  const int count = given != nullptr ? std::atoi(given) : 0;
  return count > 0 ? count : static_cast<int>(cluster.nodes);
}

std::int64_t SlurmEngine::cores_on_each_node(const Cluster& cluster) const {
  const char* given = std::getenv("SLURM_CPUS_ON_NODE");
  const std::int64_t count = given != nullptr ? std::atoll(given) : 0;
  return count > 0 ? count : Engine::cores_on_each_node(cluster);
}

bool SlurmEngine::requeue() {
  const char* id = std::getenv("SLURM_JOB_ID");
  if (id == nullptr) return false;
  // The job ends within minutes: a controller that is away for a moment is asked again, as long as that helps.
  constexpr int kTries = 6;
  for (int i = 0; i < kTries; ++i) {
    const process::Outcome outcome = process::run({"scontrol", "requeue", id}, {.seconds = 30});
    if (outcome.code == 0) return true;
    // So it says when an earlier request got through whose answer did not.
    if (slurm::contains(words_of(outcome), "pending")) return true;
    if (!out_of_reach(outcome)) return false;
    std::this_thread::sleep_for(std::chrono::seconds(3));
  }
  return false;
}

std::unique_ptr<Engine> make_slurm_engine() { return std::make_unique<SlurmEngine>(); }

}  // namespace etude::launch
