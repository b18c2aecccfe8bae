#pragma once

#include <optional>
#include <string>
#include <vector>

namespace etude::process {

/// A program and its arguments. No shell reads them: they are what they are, whatever stands in them.
using Command = std::vector<std::string>;

/// Where PATH has the program; nothing when it has not.
std::optional<std::string> find_program(const std::string& name);

/// The word as a POSIX shell reads it back, whatever stands in it: plain where nothing could be meant, else in single
/// quotes.
std::string shell_word(const std::string& text);
std::string shell_line(const Command& command);

}  // namespace etude::process
