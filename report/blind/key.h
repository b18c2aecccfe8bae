#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace etude::blind {

/// Whose pieces are compared: a run, or people.
struct Model {
  std::string name;    ///< unlike every other's of the session
  std::string folder;  ///< of the run, or of the music
  bool human = false;
};

struct KeyPiece {
  std::size_t model = 0;
  std::string file;
};

/// Everything that listeners must not know, and the design that their answers are checked against.
/// Docs: docs/formats.md.
struct Key {
  std::string session;  ///< hash of the page's content; the same stands in the page and in what it saves
  std::string made;     ///< by which program
  std::uint64_t seed = 0;
  double seconds = 0;                  ///< length of every piece as heard
  std::vector<std::string> questions;  ///< the first is which piece is preferred
  std::vector<Model> models;
  std::map<std::string, KeyPiece> pieces;               ///< by id
  std::vector<std::array<std::string, 2>> comparisons;  ///< two ids, by the number of the comparison
};

void write_key(const std::filesystem::path& file, const Key& key);
/// Throws Error naming the file and what is wrong with it.
Key read_key(const std::filesystem::path& file);

/// Where the key of a page lies: "listening.html" has "listening.key.json".
std::filesystem::path key_beside(const std::filesystem::path& page);

}  // namespace etude::blind
