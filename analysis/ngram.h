#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "data/tokenizer/vocabulary.h"

namespace etude::analysis {

/// An n-gram model over tokens with interpolated modified Kneser-Ney smoothing (Chen and Goodman, "An Empirical Study
/// of Smoothing Techniques for Language Modeling", Computer Speech and Language 13, 1999, section 3), of all orders
/// from 1 to kMostOrder at once. With h a context, h' the same without its first token, and V the vocabulary's size,
///
///     p(w | h) = (c(hw) - D(c(hw))) / sum_v c(hv) + g(h) p(w | h'),   p(w) below the empty context = 1 / V,
///
/// where g(h) is what the discounts D took away; c counts in the highest order how often hw occurs, in lower ones how
/// many tokens occur before it (Kneser and Ney 1995), and for what begins a piece, where nothing comes before, how
/// often (as KenLM does: Heafield et al. 2013, section 3.1). D(c) is D1, D2 or D3 for c = 1, 2 and more, from how many
/// n-grams of the order have c = 1 to 4: D_i = i - (i + 1) Y n_{i+1} / n_i with Y = n_1 / (n_1 + 2 n_2); where they
/// are too few for that, 0.5, 1 and 1.5.
///
/// A piece's first token is given and never predicted. Memory: about 90 bytes for each n-gram that occurs.
class NgramModel {
 public:
  static constexpr int kMostOrder = 5;

  explicit NgramModel(std::int64_t vocabulary);

  /// Counts a piece. All learning comes before weigh().
  void learn(std::span<const data::TokenId> piece);
  /// Makes probabilities of the counts.
  void weigh();

  /// By order, from 1: the probability of a piece's token `place` (above 0) after what comes before it.
  using ByOrder = std::array<double, kMostOrder>;
  ByOrder probabilities(std::span<const data::TokenId> piece, std::size_t place) const;
  /// By order: -log p summed over all tokens of a piece but the first, in nats.
  ByOrder loss(std::span<const data::TokenId> piece) const;

  std::int64_t ngrams() const { return std::ssize(nodes_) - 1; }

 private:
  using Node = std::uint32_t;
  static constexpr Node kRoot = 0;
  static constexpr Node kNone = 0xFFFFFFFF;

  /// How an n-gram is counted, as the highest order and as a lower one.
  enum Kind : std::uint8_t { kOccurring, kContinuing };
  static constexpr std::size_t kKinds = 2;

  struct Counted {
    Node parent = kNone;  ///< the n-gram without its last token
    std::array<std::uint32_t, kKinds> count{};
    std::uint8_t length = 0;
  };
  /// What follows a context.
  struct Following {
    std::uint32_t total = 0;
    std::array<std::uint32_t, 3> counted{};  ///< how many tokens follow once, twice, more often
  };
  using Discounts = std::array<double, 3>;

  Node find(Node parent, data::TokenId token) const;
  /// As find(), but makes it where it is not there yet; `made` says whether.
  Node find_or_make(Node parent, data::TokenId token, bool& made);
  void grow();
  std::size_t slot_of(std::uint64_t key) const;
  double interpolated(Kind kind, int order, Node context, Node ngram, double lower) const;
  /// The walk of contexts along a piece: contexts[k], the last k tokens, moves on by `token`.
  using Contexts = std::array<Node, kMostOrder>;
  void advance(Contexts& contexts, data::TokenId token) const;
  ByOrder probabilities(const Contexts& contexts, std::size_t place, data::TokenId token) const;

  std::int64_t vocabulary_;
  std::vector<Counted> nodes_;
  std::vector<std::uint64_t> keys_;  ///< a hash table by open addressing: parent and token, 0 where free
  std::vector<Node> values_;
  std::array<std::vector<Following>, kKinds> following_;
  std::array<std::array<Discounts, kMostOrder + 1>, kKinds> discounts_{};  ///< by length
};

}  // namespace etude::analysis
