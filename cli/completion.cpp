#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/commands.h"

namespace etude::cli {
namespace {

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

/// The long flags of a subcommand, as CLI11 knows them, so that completion never falls behind the program.
std::vector<std::string> flags_of(const CLI::App& command) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  return flags;
}

std::vector<std::string> names_of(const std::vector<const CLI::App*>& commands) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands) names.push_back(command->get_name());
  return names;
}

/// What may follow a subcommand: flags, and further subcommands with flags of their own.
std::string cases_of(const CLI::App& command) {
  std::string cases;
  const auto inner = commands_of(command);
  for (const CLI::App* one : inner) {
    cases += fmt::format("    \"{} {}\") words=\"{}\" ;;\n", command.get_name(), one->get_name(),
                         fmt::join(flags_of(*one), " "));
  }
  return cases + fmt::format("    \"{} \"*) words=\"{}\" inner=\"{}\" ;;\n", command.get_name(),
                             fmt::join(flags_of(command), " "), fmt::join(names_of(inner), " "));
}

void print_bash(const CLI::App& app) {
  const auto commands = commands_of(app);
  std::string cases;
  for (const CLI::App* command : commands) cases += cases_of(*command);
  fmt::print(
      "# bash completion for etude: source <(etude completion)\n"
      "_etude() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} words inner\n"
      "  if [[ $COMP_CWORD -eq 1 ]]; then\n"
      "    COMPREPLY=($(compgen -W \"{} --help --version\" -- \"$word\"))\n"
      "    return\n"
      "  fi\n"
      "  case \"${{COMP_WORDS[1]}} ${{COMP_WORDS[2]}}\" in\n"
      "{}"
      "  esac\n"
      "  if [[ $word == -* ]]; then\n"
      "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
      "  elif [[ ${{COMP_WORDS[1]}} == explain || ${{COMP_WORDS[COMP_CWORD-1]}} == --set ]]; then\n"
      "    COMPREPLY=($(compgen -W \"$(etude explain --keys 2>/dev/null)\" -- \"$word\"))\n"
      "  else\n"
      "    [[ $COMP_CWORD -eq 2 ]] || inner=\n"
      "    COMPREPLY=($(compgen -W \"$inner\" -- \"$word\") $(compgen -f -- \"$word\"))\n"
      "  fi\n"
      "}}\n"
      "complete -o filenames -F _etude etude\n",
      fmt::join(names_of(commands), " "), cases);
}

}  // namespace

void add_completion(CLI::App& app) {
  CLI::App* command = app.add_subcommand("completion", "Print completion for bash: source <(etude completion)");
  command->callback([&app] { print_bash(app); });
}

}  // namespace etude::cli
