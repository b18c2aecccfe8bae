#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/tokenizer/tokenizer.h"

namespace etude::data {

enum class Split { kTrain, kValidation, kTest };
inline constexpr std::array kSplits{Split::kTrain, Split::kValidation, Split::kTest};
/// "train", "validation", "test".
std::string to_string(Split split);
/// Throws UsageError with the three names.
Split parse_split(const std::string& name);

/// What a pack knows of one piece.
struct Piece {
  std::string id;    ///< hash of its music, the same for copies and transpositions
  std::string file;  ///< relative to the folder that was packed; "book.abc#12" for a tune of a book
  std::string title;
  std::string composer;  ///< as `where: {composer: …}` matches it: without regard to case, by substring
  std::map<std::string, std::string> labels;
  std::int64_t tokens = 0;
  std::int64_t notes = 0;
  double seconds = 0;
  int pitch_low = 0;    ///< lowest Pitch_* in it
  int pitch_high = -1;  ///< highest; below pitch_low when there is none
  int transposed = 0;   ///< semitones, for copies written by `pack --transpose`
  std::string content;  ///< hash of its file's bytes; for a tune of a book, of the tune's text
};

/// One split's tokens on disk, in whichever format. Safe to read from several threads at once.
class Shard {
 public:
  virtual ~Shard() = default;
  /// Reads out.size() tokens of the flat stream from `begin` on. Throws Error naming the file.
  virtual void read(std::int64_t begin, std::span<TokenId> out) const = 0;
  virtual std::int64_t size() const = 0;
};

/// A folder of token shards with the tokenizer that made them. Docs: docs/formats.md.
class Pack {
 public:
  /// Opens a pack and checks that its parts fit together (not every byte: see verify). Throws Error naming the file.
  static Pack open(const std::filesystem::path& folder);
  Pack(Pack&&) noexcept;
  Pack& operator=(Pack&&) noexcept;
  ~Pack();

  const std::filesystem::path& folder() const;
  const Tokenizer& tokenizer() const;
  const Vocabulary& vocabulary() const { return tokenizer().vocabulary(); }
  /// Hash of tokens, offsets and vocabulary of all splits: two packs with one hash hold the same training data.
  const std::string& hash() const;

  const std::vector<Piece>& pieces(Split split) const;
  /// Reads out.size() tokens of a piece from its token `begin` on. Safe from several threads at once.
  void read(Split split, std::int64_t piece, std::int64_t begin, std::span<TokenId> out) const;

  /// Reads everything and compares with the checksums. Throws Error naming the shard and what differs.
  void verify() const;
  /// What `etude inspect` prints.
  std::string describe() const;

 private:
  struct State;
  explicit Pack(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace etude::data
