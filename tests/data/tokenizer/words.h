#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "data/tokenizer/tokenizer.h"

namespace etude::testing {

/// "Bar TimeSig_4/4" to ids and back; tokens without a value are written without "_None".
inline std::vector<data::TokenId> ids(const data::Tokenizer& tokenizer, const std::string& words) {
  std::vector<data::TokenId> result;
  std::istringstream stream(words);
  for (std::string word; stream >> word;)
    result.push_back(tokenizer.vocabulary().id(word.find('_') == std::string::npos ? word + "_None" : word));
  return result;
}

inline std::string words(const data::Tokenizer& tokenizer, const std::vector<data::TokenId>& ids) {
  std::string result;
  for (const data::TokenId id : ids) {
    std::string word = tokenizer.vocabulary().token(id);
    if (word.ends_with("_None")) word.resize(word.size() - 5);
    result += (result.empty() ? "" : " ") + word;
  }
  return result;
}

}  // namespace etude::testing
