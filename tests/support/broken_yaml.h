#pragma once

#include <random>
#include <string>
#include <vector>

namespace etude::testing {

/// One of these files with some characters replaced, added, taken out or said twice: above all such as mean something.
inline std::string broken_yaml(std::mt19937& random, const std::vector<std::string>& valid) {
  const std::string interesting = ":-?[]{},#&*!|>'\"%@`~ \t\n\r\\.0e=<\xC3\xEF\xFF";
  std::string input = valid[random() % valid.size()];
  for (auto edits = random() % 6; edits > 0 && !input.empty(); --edits) {
    const std::size_t at = random() % input.size();
    switch (random() % 4) {
      case 0:
        input[at] = interesting[random() % interesting.size()];
        break;
      case 1:
        input.insert(at, 1, interesting[random() % interesting.size()]);
        break;
      case 2:
        input.erase(at, random() % 4 + 1);
        break;
      default:
        input.insert(at, input.substr(random() % input.size(), random() % 20));
        break;
    }
  }
  return input;
}

}  // namespace etude::testing
