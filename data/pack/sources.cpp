#include "data/pack/sources.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "data/pack/text.h"
#include "framework/config/error.h"

namespace etude::data {
namespace {

namespace fs = std::filesystem;

bool is_abc(const fs::path& file) { return lower_case(file.extension().string()) == ".abc"; }

bool is_music(const fs::path& file) {
  const std::string extension = lower_case(file.extension().string());
  return extension == ".mid" || extension == ".midi" || extension == ".abc";
}

void look_into(const fs::path& folder, const fs::path& root, const std::string& prefix, Sources& sources) {
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    const fs::path& path = entries->path();
    std::error_code gone;
    if (entries->is_directory(gone) && !entries->is_symlink(gone)) {
      look_into(path, root, prefix, sources);
    } else if (is_music(path) && entries->is_regular_file(gone)) {
      const std::string parent = folder == root ? "" : clean_text(folder.filename().string());
      sources.files.push_back(
          {path, clean_text(prefix + path.lexically_relative(root).generic_string()), parent, is_abc(path)});
    }
  }
  if (error) {
    sources.skipped.push_back({clean_text(prefix + folder.lexically_relative(root).generic_string()),
                               fmt::format("the folder cannot be read: {}", error.message()), SkipKind::kUnreadable});
  }
}

/// What the names of an input's files start with: nothing when it is the only one. Inputs of one name are numbered.
std::vector<std::string> prefixes(const std::vector<fs::path>& inputs) {
  std::vector<std::string> result(inputs.size());
  if (inputs.size() < 2) return result;
  std::map<std::string, int> seen;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string name = fs::weakly_canonical(inputs[i]).filename().string();
    const int count = ++seen[name];
    result[i] = count == 1 ? name + "/" : fmt::format("{}-{}/", name, count);
  }
  return result;
}

}  // namespace

Sources find_sources(const std::vector<fs::path>& inputs) {
  Sources sources;
  const std::vector<std::string> names = prefixes(inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const fs::path& input = inputs[i];
    const auto first = static_cast<std::ptrdiff_t>(sources.files.size());
    if (fs::is_directory(input)) {
      look_into(input, input, names[i], sources);
    } else if (fs::is_regular_file(input)) {
      if (!is_music(input)) throw UsageError(fmt::format("{}: not a .mid, .midi or .abc file", input.string()));
      sources.files.push_back({input, clean_text(input.filename().string()), "", is_abc(input)});
    } else {
      throw UsageError(fmt::format("{}: no such folder or file; --input takes a folder of music", input.string()));
    }
    std::sort(sources.files.begin() + first, sources.files.end(),
              [](const Source& a, const Source& b) { return std::tie(a.name, a.path) < std::tie(b.name, b.path); });
  }
  std::ranges::sort(sources.skipped, {}, &Skipped::file);
  return sources;
}

}  // namespace etude::data
