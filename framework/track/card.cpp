#include "framework/track/card.h"

#include <random>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/config/error.h"
#include "framework/files/files.h"

namespace etude::track {
namespace {

std::string new_id() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

}  // namespace

Card::Card(std::filesystem::path file) : file_(std::move(file)) {
  if (!std::filesystem::exists(file_)) {
    id_ = new_id();
    write();
    return;
  }
  try {
    const auto json = nlohmann::json::parse(files::read(file_));
    id_ = json.at("id").get<std::string>();
    if (const auto run = json.find("mlflow"); run != json.end()) {
      mlflow_ = {run->at("address").get<std::string>(), run->at("run").get<std::string>()};
    }
  } catch (const nlohmann::json::exception& error) {
    throw Error(
        fmt::format("{}: does not say under which names trackers know this run ({}). Remove the file, and it is "
                    "told to them as a new one",
                    file_.string(), error.what()));
  }
}

Card::MlflowRun Card::mlflow() const {
  const std::lock_guard lock(mutex_);
  return mlflow_;
}

void Card::note(const MlflowRun& run) {
  const std::lock_guard lock(mutex_);
  mlflow_ = run;
  write();
}

void Card::write() const {
  nlohmann::json json{{"id", id_}};
  if (!mlflow_.run.empty()) json["mlflow"] = {{"address", mlflow_.address}, {"run", mlflow_.run}};
  files::write_atomically(file_, json.dump(2) + "\n");
}

}  // namespace etude::track
