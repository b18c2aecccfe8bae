#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace etude::testing {

/// The Python that holds the reference implementations, or nothing where script/setup --test has not made it.
inline std::optional<std::string> oracle_python() {
  if (const char* given = std::getenv("ETUDE_ORACLE_PYTHON")) return given;
  const std::string python = std::string(ETUDE_SOURCE_DIR) + "/.deps/oracle/bin/python";
  if (std::filesystem::exists(python)) return python;
  return std::nullopt;
}

/// The folder that, first on PYTHONPATH, makes oracle_python() have the last transformers with Transformer-XL; nothing
/// where script/setup --test has not made it.
inline std::optional<std::string> transformer_xl_oracle() {
  const std::string folder = std::string(ETUDE_SOURCE_DIR) + "/.deps/oracle-xl";
  if (oracle_python() && std::filesystem::exists(folder + "/made-from")) return folder;
  return std::nullopt;
}

/// Real music to try things on, or nothing where there is none (a folder beside the project, or $ETUDE_SHARED).
inline std::optional<std::filesystem::path> real_music() {
  const char* given = std::getenv("ETUDE_SHARED");
  const std::filesystem::path shared = given ? given : std::string(ETUDE_SOURCE_DIR) + "/../shared";
  if (std::filesystem::is_directory(shared / "data")) return std::filesystem::weakly_canonical(shared / "data");
  return std::nullopt;
}

/// A folder of its own, removed with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "etude-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct ShellResult {
  int exit_code = 0;
  std::string output;  ///< standard output
  std::string errors;  ///< standard error
};

inline std::string slurp(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// Runs a shell command line to its end. A signal N that ends it gives exit code 128 + N.
inline ShellResult run_shell(const std::string& command) {
  TemporaryFolder folder;
  const auto out = folder.path() / "out", err = folder.path() / "err";
  const int status = std::system(("( " + command + " ) >" + out.string() + " 2>" + err.string() + " </dev/null").c_str());
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return {code, slurp(out), slurp(err)};
}

/// Runs a Python script with the oracle's interpreter and gives what it printed. Throws with its errors on failure.
/// `path` is put first on PYTHONPATH.
inline std::string run_python(const std::string& script, const std::vector<std::string>& arguments = {},
                              const std::string& path = "") {
  TemporaryFolder folder;
  const auto file = folder.path() / "oracle.py";
  std::ofstream(file) << script;
  std::string command = "CUDA_VISIBLE_DEVICES= '" + oracle_python().value() + "' '" + file.string() + "'";
  if (!path.empty()) command = "PYTHONPATH='" + path + "' " + command;
  for (const std::string& argument : arguments) command += " '" + argument + "'";
  const ShellResult result = run_shell(command);
  if (result.exit_code != 0) throw std::runtime_error("the oracle failed:\n" + result.errors);
  return result.output;
}

}  // namespace etude::testing
