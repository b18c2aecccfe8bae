#include "framework/process/child.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "framework/config/error.h"

namespace etude::process {
namespace {

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& more) {
  std::vector<std::string> variables;
  for (char** inherited = environ; *inherited != nullptr; ++inherited) {
    const std::string variable = *inherited;
    if (!more.contains(variable.substr(0, variable.find('=')))) variables.push_back(variable);
  }
  for (const auto& [name, value] : more) variables.push_back(name + "=" + value);
  return variables;
}

/// What posix_spawn(3) is told, as long as it lasts.
class Attributes {
 public:
  explicit Attributes(const Start& start) {
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_init(&actions_);
    for (int stream = 0; stream < 3; ++stream) {
      const int given = start.streams.at(static_cast<std::size_t>(stream));
      if (given != stream) posix_spawn_file_actions_adddup2(&actions_, given, stream);
    }
    if (!start.folder.empty()) posix_spawn_file_actions_addchdir_np(&actions_, start.folder.c_str());
    short flags = 0;
    if (start.leads == Start::Leads::kGroup) flags |= POSIX_SPAWN_SETPGROUP;
    if (start.leads == Start::Leads::kSession) flags |= POSIX_SPAWN_SETSID;
    if (start.default_signals) {
      sigset_t none, all;
      sigemptyset(&none);
      sigfillset(&all);
      posix_spawnattr_setsigmask(&attributes_, &none);
      posix_spawnattr_setsigdefault(&attributes_, &all);
      flags |= POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    }
    posix_spawnattr_setflags(&attributes_, flags);
  }
  ~Attributes() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;

  const posix_spawnattr_t* attributes() const { return &attributes_; }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }

 private:
  posix_spawnattr_t attributes_;
  posix_spawn_file_actions_t actions_;
};

}  // namespace

int exit_code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

Child::Child(const Command& command, const Start& start) {
  std::vector<std::string> words = command, variables = environment_with(start.environment);
  const Attributes told(start);
  const int problem = ::posix_spawnp(&pid_, command.at(0).c_str(), told.actions(), told.attributes(),
                                     pointers_to(words).data(), pointers_to(variables).data());
  if (problem != 0) throw Error(fmt::format("{}: cannot be started: {}", command.at(0), std::strerror(problem)));
}

std::optional<int> Child::ended() {
  int status = 0;
  if (!code_ && ::waitpid(pid_, &status, WNOHANG) == pid_) code_ = exit_code_of(status);
  return code_;
}

int Child::wait() {
  int status = 0;
  while (!code_) {
    if (::waitpid(pid_, &status, 0) == pid_)
      code_ = exit_code_of(status);
    else if (errno != EINTR)
      throw Error(fmt::format("process {}: {}", pid_, std::strerror(errno)));
  }
  return *code_;
}

void Child::signal(int signal) const {
  if (!code_) ::kill(pid_, signal);
}

void Child::signal_group(int signal) const {
  if (!code_) ::kill(-pid_, signal);
}

}  // namespace etude::process
