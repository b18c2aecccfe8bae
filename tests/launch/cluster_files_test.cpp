#include <filesystem>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/launch/stand_in.h"

namespace {

namespace fs = std::filesystem;
using etude::testing::RemoteJob;
using etude::testing::slurp;

std::set<fs::path> ready_files() {
  std::set<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(ETUDE_SOURCE_DIR) / "clusters")) {
    if (entry.path().extension() == ".yaml") files.insert(entry.path());
  }
  return files;
}

TEST(ClusterFiles, AreReadyToBeLaunchedWith) {
  std::set<std::string> engines;
  for (const fs::path& file : ready_files()) {
    SCOPED_TRACE(file);
    RemoteJob here(slurp(file));
    engines.insert(here.cluster->engine);
    if (here.engine().shares_files()) continue;
    EXPECT_THAT(here.script(), ::testing::HasSubstr("etude-demo-1f3a9c04"));
  }
  for (const auto& kind : etude::launch::engine_kinds()) EXPECT_TRUE(engines.contains(kind.name)) << kind.name;
}

TEST(ClusterFiles, NameFilesThatAreThere) {
  for (const fs::path& file : ready_files()) {
    const std::string text = slurp(file);
    for (std::size_t at = 0; (at = text.find("clusters/", at)) != std::string::npos; ++at) {
      std::string name = text.substr(at, text.find_first_of(" ,;\n", at) - at);
      while (name.ends_with('.')) name.pop_back();
      EXPECT_TRUE(fs::exists(fs::path(ETUDE_SOURCE_DIR) / name)) << file << " names " << name;
    }
  }
}

TEST(ClusterFiles, NamePartitionsOfTheirDefinitions) {
  ETUDE_NEEDS_ORACLE();
  const fs::path folder = fs::path(ETUDE_SOURCE_DIR) / "clusters";
  const auto definition = [&](const char* name) {
    return etude::testing::read_yaml(slurp(folder / "definitions" / name)).at(0);
  };
  const auto partition = [&](const char* name) {
    return etude::testing::read_yaml(slurp(folder / name)).at(0).at("partition").get<std::string>();
  };
  std::set<std::string> queues, partitions;
  const nlohmann::json parallelcluster = definition("parallelcluster.yaml"),
                       toolkit = definition("cluster-toolkit.yaml");
  for (const auto& queue : parallelcluster.at("Scheduling").at("SlurmQueues")) {
    queues.insert(queue.at("Name"));
  }
  EXPECT_TRUE(queues.contains(partition("parallelcluster.yaml")));
  for (const auto& group : toolkit.at("deployment_groups")) {
    std::set<std::string> modules;
    for (const auto& module : group.at("modules")) {
      if (module.contains("use")) {
        for (const auto& used : module.at("use"))
          EXPECT_TRUE(modules.contains(used)) << used << " comes later or never";
      }
      modules.insert(module.at("id"));
      if (module.contains("settings")) partitions.insert(module.at("settings").value("partition_name", ""));
    }
  }
  EXPECT_TRUE(partitions.contains(partition("cluster-toolkit.yaml")));
}

}  // namespace
