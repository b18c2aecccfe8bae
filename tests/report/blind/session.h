#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "report/blind/answers.h"
#include "report/blind/design.h"
#include "report/blind/key.h"

namespace etude::blind {

/// The key of a session of models m0, m1, … with so many pieces each.
inline Key key_of(std::size_t models, std::size_t pieces, std::size_t rounds, std::uint64_t seed = 1) {
  Key key;
  key.session = "00112233445566778899aabbccddeeff";
  key.made = "a test";
  key.questions = {"Which do you prefer?"};
  key.seconds = 30;
  for (std::size_t i = 0; i < models; ++i)
    key.models.push_back({fmt::format("m{}", i), fmt::format("runs/m{}", i), false});
  const auto id = [&](const Entry& entry) {
    const std::string name = fmt::format("{:02}{:02}", (entry.piece * 37) % 100, entry.model);
    key.pieces[name] = {entry.model, fmt::format("generated/{}.mid", entry.piece)};
    return name;
  };
  for (const Round& round : balanced_design(std::vector(models, pieces), rounds, seed)) {
    for (const Comparison& comparison : round) key.comparisons.push_back({id(comparison.first), id(comparison.second)});
  }
  return key;
}

inline std::size_t model_of(const Key& key, const std::string& id) { return key.pieces.at(id).model; }

/// What the page would save, with what `choose(answer)` says.
template <typename Choose>
nlohmann::json sheet_of(const Key& key, const std::string& listener, Choose choose) {
  nlohmann::json answers = nlohmann::json::array();
  for (std::size_t i = 0; i < key.comparisons.size(); ++i) {
    const auto& [first, second] = key.comparisons[i];
    answers.push_back({{"comparison", i}, {"first", first}, {"second", second}, {"known", nlohmann::json::array()}});
    answers.back()["choices"] = nlohmann::json::array({choose(first, second)});
  }
  return {{"format", "etude-preferences"},
          {"version", 1},
          {"session", key.session},
          {"listener", listener},
          {"name", ""},
          {"saved", "2024-05-01T18:03:11.482Z"},
          {"answers", answers}};
}

inline std::filesystem::path write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file) << text;
  return file;
}

}  // namespace etude::blind
