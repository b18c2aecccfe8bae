#include "launch/child.h"

#include <csignal>
#include <cstring>

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "framework/config/error.h"

namespace etude::launch {

Child::Child(const Command& command, const std::map<std::string, std::string>& environment) {
  std::vector<std::string> variables;
  for (char** inherited = environ; *inherited != nullptr; ++inherited) {
    const std::string variable = *inherited;
    if (!environment.contains(variable.substr(0, variable.find('=')))) variables.push_back(variable);
  }
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  std::vector<char*> environment_pointers, arguments;
  for (std::string& variable : variables) environment_pointers.push_back(variable.data());
  environment_pointers.push_back(nullptr);
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const int problem =
      ::posix_spawnp(&pid_, arguments[0], nullptr, &attributes, arguments.data(), environment_pointers.data());
  posix_spawnattr_destroy(&attributes);
  if (problem != 0) throw Error(fmt::format("{}: cannot be started: {}", command.at(0), std::strerror(problem)));
}

std::optional<int> Child::ended() {
  int status = 0;
  if (!code_ && ::waitpid(pid_, &status, WNOHANG) == pid_) code_ = exit_code_of(status);
  return code_;
}

void Child::signal(int signal) const {
  if (!code_) ::kill(pid_, signal);
}

}  // namespace etude::launch
