#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "framework/files/files.h"
#include "launch/cluster.h"
#include "launch/job.h"
#include "tests/support/oracle.h"

namespace etude::testing {

/// A program of this name, first on PATH for as long as the object lives, that writes down how it was called and
/// answers what it was told to. Answers go by the first two words that are no options: "get-pods", "jobs-queue"; to
/// anything else it says nothing and is content.
class StandIn {
 public:
  explicit StandIn(const std::string& name) : name_(name), path_(std::getenv("PATH")) {
    const std::filesystem::path program = folder_.path() / "bin" / name;
    std::filesystem::create_directories(program.parent_path());
    std::ofstream(program) << "#!/bin/bash\n"
                              "here=$(dirname \"$0\")/..\n"
                              "words=(); for word in \"$@\"; do [[ $word == -* ]] || words+=(\"$word\"); done\n"
                              "answer=$here/${words[0]:-}-${words[1]:-}; answer=${answer%-}\n"
                              "printf '%s\\0' \"$@\" > \"$here/last\"; printf '%s\\n' \"$*\" >> \"$here/calls\"\n"
                              "cat > \"$here/input\"\n"
                              "[[ -f $answer.out ]] && cat \"$answer.out\"\n"
                              "[[ -f $answer.err ]] && cat \"$answer.err\" >&2\n"
                              "[[ -f $answer.code ]] && exit \"$(cat \"$answer.code\")\"\n"
                              "exit 0\n";
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    ::setenv("PATH", (program.parent_path().string() + ":" + path_).c_str(), 1);
  }
  ~StandIn() { ::setenv("PATH", path_.c_str(), 1); }
  StandIn(const StandIn&) = delete;
  StandIn& operator=(const StandIn&) = delete;

  void answer(const std::string& words, const std::string& output, const std::string& errors = "", int code = 0) {
    std::ofstream(folder_.path() / (words + ".out")) << output;
    std::ofstream(folder_.path() / (words + ".err")) << errors;
    std::ofstream(folder_.path() / (words + ".code")) << code;
  }
  /// The words of its last call, without its name.
  std::vector<std::string> last_call() const {
    std::istringstream stream(slurp(folder_.path() / "last"));
    std::vector<std::string> words;
    for (std::string word; std::getline(stream, word, '\0');) words.push_back(word);
    return words;
  }
  std::string input() const { return slurp(folder_.path() / "input"); }
  std::string calls() const { return slurp(folder_.path() / "calls"); }

 private:
  TemporaryFolder folder_;
  std::string name_, path_;
};

/// A job with its order on disk, for an engine whose nodes see none of this machine's files.
class RemoteJob {
 public:
  explicit RemoteJob(const std::string& cluster_yaml, const std::string& experiment = "name: demo\n") {
    job.folder = folder_.path() / "job";
    std::filesystem::create_directories(job.folder);
    std::ofstream(folder_.path() / "cluster.yaml") << cluster_yaml;
    cluster = launch::load_cluster(folder_.path() / "cluster.yaml");
    job.name = "demo";
    job.token = "etude-demo-1f3a9c04";
    job.run = "runs/demo";
    cluster->program = cluster->program.empty() ? "etude" : cluster->program;
    engine().place(*cluster, job);
    std::ofstream(job.folder / "experiment.yaml") << experiment;
    std::ofstream(job.folder / "cluster.yaml") << launch::to_yaml(*cluster);
    launch::save(job);
  }
  launch::Engine& engine() { return cluster->engine_in_use(); }
  std::string script() { return engine().script(*cluster, {&job}); }

  std::unique_ptr<launch::Cluster> cluster;
  launch::Job job;

 private:
  TemporaryFolder folder_;
};

/// The documents of a YAML file as PyYAML reads them.
inline nlohmann::json read_yaml(const std::string& yaml) {
  TemporaryFolder folder;
  std::ofstream(folder.path() / "file.yaml") << yaml;
  return nlohmann::json::parse(run_python(
      "import json, sys, yaml\nprint(json.dumps(list(yaml.safe_load_all(open(sys.argv[1], encoding='utf-8')))))",
      {(folder.path() / "file.yaml").string()}));
}

/// Texts that would do harm, or become something else, where a shell, YAML, SkyPilot or Kubernetes read them as more
/// than a text.
inline const std::vector<std::string> kHostile{"$(touch hit)",
                                               "`touch hit`",
                                               "; touch hit",
                                               "' && touch hit && '",
                                               "\" && touch hit && \"",
                                               "a\nrun: touch hit\n",
                                               "--help",
                                               "-rf",
                                               "$HOME",
                                               "${HOME}",
                                               "$(HOME)",
                                               "$$(HOME)",
                                               "a: b",
                                               "- a",
                                               "# a",
                                               "{a: b}",
                                               "[a]",
                                               "&a",
                                               "*a",
                                               "!!int 1",
                                               "| ",
                                               ">",
                                               "true",
                                               "null",
                                               "~",
                                               "0x10",
                                               "1e3",
                                               "12:30:00",
                                               "yes",
                                               "%a",
                                               "@a",
                                               " a ",
                                               "a\tb",
                                               "\x7f",
                                               "a\r\nb",
                                               "caf\xc3\xa9 \xe2\x80\xa8 \xf0\x9f\x8e\xb9",
                                               "\xc2\x85",
                                               "\xe2\x80\xa9",
                                               "\xef\xbb\xbf"
                                               "a",
                                               "\\x41",
                                               "a'b\"c\\d",
                                               "---\n",
                                               "...\n",
                                               "<<",
                                               "=",
                                               "\n\na\n",
                                               "a\n \n  b\n",
                                               " indented\nb\n"};

}  // namespace etude::testing

#define ETUDE_NEEDS_ORACLE()                                                                         \
  do {                                                                                               \
    if (!etude::testing::oracle_python()) GTEST_SKIP() << "script/setup --test installs the oracle"; \
  } while (false)
