#include "launch/job.h"

#include <algorithm>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/config/error.h"
#include "framework/files/files.h"
#include "launch/cluster.h"
#include "launch/status.h"

namespace etude::launch {
namespace {

using Json = nlohmann::json;

std::filesystem::path file_of(const std::filesystem::path& folder) { return folder / "job.json"; }

}  // namespace

void save(const Job& job) {
  const Json json{{"name", job.name},
                  {"token", job.token},
                  {"id", job.id},
                  {"folder", job.folder.string()},
                  {"run", job.run.string()},
                  {"order", job.order.string()},
                  {"output", job.output.string()},
                  {"program", job.program},
                  {"supervisor", job.supervisor},
                  {"max_hours", job.limits.hours},
                  {"max_cost", job.limits.cost},
                  {"submitted", job.submitted}};
  files::write_atomically(file_of(job.folder), json.dump(2) + "\n");
}

Job load_job(const std::filesystem::path& folder) {
  const std::filesystem::path file = file_of(folder);
  if (!std::filesystem::exists(file)) throw UsageError(fmt::format("{}: there is no job here", folder.string()));
  try {
    const Json json = Json::parse(files::read(file));
    const auto text = [&](const char* key) { return json.at(key).get<std::string>(); };
    Job job;
    job.name = text("name");
    job.token = text("token");
    job.id = text("id");
    job.folder = text("folder");
    job.run = text("run");
    job.order = text("order");
    job.output = text("output");
    job.program = text("program");
    job.supervisor = text("supervisor");
    job.limits = {json.at("max_hours").get<double>(), json.at("max_cost").get<double>()};
    job.submitted = text("submitted");
    return job;
  } catch (const Json::exception& error) {
    throw Error(
        fmt::format("{}: is damaged ({}); 'etude launch … --resume' writes it anew", file.string(), error.what()));
  }
}

std::vector<std::string> supervise_command(const Job& job) { return {job.supervisor, "supervise", job.order.string()}; }

void Engine::ask_to_stop(const Job& job) { files::write_atomically(job.stop_file(), "stop\n"); }

std::map<std::string, std::string> Engine::environment(const Cluster& cluster) const { return cluster.environment; }

std::int64_t Engine::cores_on_each_node(const Cluster& cluster) const {
  if (cluster.cores_per_rank > 0) return cluster.cores_per_rank * cluster.ranks_on_each_node();
  return std::max<std::int64_t>(1, std::thread::hardware_concurrency());
}

std::optional<Status> Engine::status(const Job& job) {
  if (shares_files()) return load_status(job.folder);
  const std::string key = "etude-status ";
  try {
    std::istringstream lines(logs(job));
    std::string last;
    for (std::string line; std::getline(lines, line) && !lines.eof();) {  // the last one may be half a line
      if (line.starts_with(key)) last = line.substr(key.size());
    }
    if (last.empty()) return std::nullopt;
    return status_from_json(last);
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string Engine::logs(const Job& job) {
  return std::filesystem::exists(job.output) ? files::read(job.output) : std::string();
}

}  // namespace etude::launch
