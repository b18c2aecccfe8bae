#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "data/music/score.h"
#include "data/tokenizer/vocabulary.h"

namespace etude::data {

/// Walks along a sequence of tokens and says which may come next, so that what is sampled always decodes.
class Grammar {
 public:
  virtual ~Grammar() = default;
  virtual std::unique_ptr<Grammar> clone() const = 0;
  /// allowed[id] is true when the token may come next; resized to the vocabulary. Never all false.
  virtual void next(std::vector<bool>& allowed) const = 0;
  /// Takes a token. Tokens that are not allowed are taken too (prompts come from outside); returns whether it was.
  virtual bool advance(TokenId token) = 0;
  /// How many bars have begun (Bar_None tokens taken).
  virtual int bars() const = 0;
  /// Whether the piece may end here: no note is half-written.
  virtual bool complete() const = 0;
};

/// Music to tokens and back. Tokens of a piece: BOS_None, its music, EOS_None.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  /// "remi", …; the name in `pack --tokenizer` and in pack.json.
  virtual std::string name() const = 0;
  virtual const Vocabulary& vocabulary() const = 0;
  /// The whole piece as one stream, with BOS_None and EOS_None: the pitched tracks merged (stable, by start), drums
  /// left out, notes outside the vocabulary's pitch range left out.
  virtual std::vector<TokenId> encode(const Score& score) const = 0;
  /// Never throws on ill-formed sequences: tokens that make no sense where they stand are passed over.
  virtual Score decode(std::span<const TokenId> tokens) const = 0;
  virtual std::unique_ptr<Grammar> grammar() const = 0;
  /// The first `bars` whole bars of an encoded piece, without EOS_None.
  virtual std::vector<TokenId> first_bars(std::span<const TokenId> tokens, int bars) const = 0;
  /// Everything needed to make this tokenizer again: {"kind": "remi", …}; part of pack.json and of a run folder.
  virtual nlohmann::json to_json() const = 0;
};

/// A tokenizer from what to_json() gave. Throws Error naming `place` (the file) and the way out.
std::unique_ptr<Tokenizer> make_tokenizer(const nlohmann::json& description, const std::string& place);
/// A tokenizer by its name with default settings. Throws UsageError with the known names.
std::unique_ptr<Tokenizer> make_tokenizer(const std::string& name);

}  // namespace etude::data
