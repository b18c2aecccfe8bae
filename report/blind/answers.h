#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "report/blind/key.h"

namespace etude::blind {

enum class Choice { kFirst, kSecond, kNeither };

/// What one listener said of one comparison.
struct Answer {
  std::size_t comparison = 0;
  std::string first;  ///< id of the piece heard first
  std::string second;
  std::vector<std::optional<Choice>> choices;  ///< by question; the first is always there
  bool knew_first = false;                     ///< the listener knew the piece before
  bool knew_second = false;
};

/// What one listener saved. Docs: docs/formats.md.
struct Sheet {
  std::filesystem::path file;
  std::string listener;  ///< drawn by the page when the listener began
  std::string name;      ///< as the listener wishes to be called; may be empty
  std::string saved;     ///< UTC, as in 2024-05-01T18:03:11.482Z
  std::vector<Answer> answers;
};

/// Throws Error naming the file, what is wrong and, for a file of another session, that it is one.
Sheet read_sheet(const std::filesystem::path& file, const Key& key);

struct Refused {
  std::string file;
  std::string reason;
};

/// Everybody's answers, each once.
struct Answers {
  std::vector<Sheet> sheets;         ///< one a listener
  std::vector<Refused> refused;      ///< damaged or foreign, and nothing of them counts
  std::vector<std::string> remarks;  ///< what was found twice, and what became of it
};

/// The same file twice counts once; of several files of one listener that which was saved last. Does not throw for
/// what files hold.
Answers collect(const std::vector<std::filesystem::path>& files, const Key& key);

}  // namespace etude::blind
