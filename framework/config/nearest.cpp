#include <algorithm>
#include <cctype>
#include <numeric>

#include "framework/config/document.h"

namespace etude::config {
namespace {

/// Case and the choice between '-' and '_' are no reason to miss a key.
std::string folded(std::string word) {
  for (char& c : word) c = c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return word;
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn one word into the other (optimal string
/// alignment). Three rows are kept: a swap looks two back.
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace

std::string nearest(const std::string& word, const std::vector<std::string>& candidates) {
  // A word of which more than a third is wrong was not meant to be this one; nobody types 1000 letters for a key.
  constexpr std::size_t kLongest = 200;
  if (word.empty() || word.size() > kLongest) return "";
  const std::string meant = folded(word);
  std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
  std::string result;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(meant, folded(candidate));
    const bool something_in_common = distance < std::min(word.size(), candidate.size());
    if (distance < best && something_in_common) {
      best = distance;
      result = candidate;
    }
  }
  return result;
}

}  // namespace etude::config
