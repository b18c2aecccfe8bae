#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace etude::launch {

/// How a program ended, and what it said.
struct Outcome {
  int code = 0;        ///< exit code; 128 + N when signal N ended it; 127 when there is no such program
  std::string output;  ///< standard output
  std::string errors;  ///< standard error

  /// The first line of what it complained about, without a newline.
  std::string complaint() const;
};

using Command = std::vector<std::string>;

/// What waitpid(2) reported, as a shell reports it: the exit code, or 128 + N when signal N ended it.
int exit_code_of(int status);

/// Runs a program to its end, without a shell: arguments are what they are, whatever stands in them. Gives up after
/// `seconds` (code 124). `input` goes to its standard input.
Outcome run(const Command& command, double seconds = 60, const std::string& input = "");

/// Where PATH has the program; nothing when it has not.
std::optional<std::string> find_program(const std::string& name);

/// The word as a POSIX shell reads it back, whatever stands in it: plain where nothing could be meant, else in single
/// quotes.
std::string shell_word(const std::string& text);
std::string shell_line(const Command& command);

}  // namespace etude::launch
