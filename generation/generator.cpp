#include "generation/generator.h"

#include <algorithm>
#include <memory>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include "data/loader/random.h"
#include "framework/config/error.h"

namespace etude::generation {
namespace {

/// Uniform in [0, 1) as a function of (seed, piece, position): what is drawn does not depend on the pieces beside.
double draw(std::uint64_t seed, std::int64_t piece, std::int64_t position) {
  const std::uint64_t bits = data::random_bits(seed, data::Purpose::kSampling, {piece, position});
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

// Tokens a piece has room for from the start.
constexpr std::int64_t kReserved = 1 << 16;

/// A piece that still grows.
struct Growing {
  std::size_t index = 0;
  std::unique_ptr<data::Grammar> grammar;
};

class Session {
 public:
  Session(models::Model& model, const data::Tokenizer& tokenizer, const GenerationOptions& options,
          const std::vector<data::TokenId>& prompt)
      : model_(model),
        options_(options),
        vocabulary_(tokenizer.vocabulary()),
        eos_(vocabulary_.id("EOS_None")),
        bar_(vocabulary_.find("Bar_None").value_or(-1)),
        pieces_(static_cast<std::size_t>(options.count)),
        sampler_(options.sampling) {
    const auto grammar = tokenizer.grammar();
    for (const data::TokenId token : prompt) grammar->advance(token);
    last_bar_ = options.bars > 0 ? grammar->bars() + options.bars : 0;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      pieces_[i].tokens.reserve(prompt.size() + static_cast<std::size_t>(std::min(options.most_tokens, kReserved)));
      pieces_[i].tokens = prompt;
      pieces_[i].prompt = std::ssize(prompt);
      growing_.push_back({i, grammar->clone()});
    }
  }

  std::vector<Piece> run(const std::function<void(std::int64_t)>& progress) {
    const c10::InferenceMode no_gradients;
    decoder_ = model_.decoder(options_.count);
    newest_ = at::empty({options_.count, 1}, at::kLong);
    at::Tensor logits = prime();
    for (std::int64_t made = 0; made < options_.most_tokens; ++made) {
      extend(logits);
      if (progress) progress(made + 1);
      if (growing_.empty() || made + 1 == options_.most_tokens) break;
      logits = decoder_->room() > 0 ? decoder_->advance(newest_) : prime();
    }
    return std::move(pieces_);
  }

 private:
  /// The last `count` tokens of every growing piece, [pieces, count].
  at::Tensor columns(std::int64_t count) const {
    at::Tensor tokens = at::empty({std::ssize(growing_), count}, at::kLong);
    std::int64_t* out = tokens.mutable_data_ptr<std::int64_t>();
    for (const Growing& piece : growing_) {
      const auto& all = pieces_[piece.index].tokens;
      out = std::copy(all.end() - count, all.end(), out);
    }
    return tokens;
  }

  /// Starts the decoder on what fits: everything, or the newer half of the context when the window must slide.
  at::Tensor prime() {
    decoder_->reset();
    const std::int64_t length = std::ssize(pieces_[growing_.front().index].tokens);
    const std::int64_t room = decoder_->room();
    return decoder_->advance(columns(length < room ? length : std::max<std::int64_t>(1, room / 2)));
  }

  /// Adds a token to every growing piece; those that ended leave. Allocates only then.
  void extend(const at::Tensor& logits) {
    float* const values = logits.mutable_data_ptr<float>();
    std::int64_t* const newest = newest_.mutable_data_ptr<std::int64_t>();
    bool some_ended = false;
    for (std::size_t row = 0; row < growing_.size(); ++row) {
      float* const of_row = values + static_cast<std::int64_t>(row) * logits.stride(0);
      some_ended |= !add_token(growing_[row], {of_row, static_cast<std::size_t>(logits.size(1))});
      newest[row] = pieces_[growing_[row].index].tokens.back();
    }
    if (some_ended) leave();
  }

  void leave() {
    const auto ended = [this](const Growing& piece) { return pieces_[piece.index].tokens.back() == eos_; };
    std::vector<std::int64_t> staying;
    for (std::size_t row = 0; row < growing_.size(); ++row) {
      if (!ended(growing_[row])) staying.push_back(static_cast<std::int64_t>(row));
    }
    std::erase_if(growing_, ended);
    if (growing_.empty()) return;
    decoder_->select(at::tensor(staying, at::kLong));
    newest_ = columns(1);
  }

  /// Returns whether the piece goes on.
  bool add_token(Growing& growing, std::span<float> logits) {
    Piece& piece = pieces_[growing.index];
    if (options_.valid_only) growing.grammar->next(allowed_);
    const double uniform = draw(options_.seed, static_cast<std::int64_t>(growing.index), std::ssize(piece.tokens));
    data::TokenId token = sampler_.draw(logits, allowed_, piece.tokens, uniform);
    piece.ended_by_itself = token == eos_;
    // A bar too many is where the piece is brought to its end.
    if (token == bar_ && last_bar_ > 0 && growing.grammar->bars() >= last_bar_) token = eos_;
    piece.tokens.push_back(token);
    growing.grammar->advance(token);
    return token != eos_;
  }

  models::Model& model_;
  const GenerationOptions& options_;
  const data::Vocabulary& vocabulary_;
  const data::TokenId eos_, bar_;
  int last_bar_ = 0;
  std::vector<Piece> pieces_;
  std::vector<Growing> growing_;
  std::unique_ptr<models::Decoder> decoder_;
  Sampler sampler_;
  std::vector<bool> allowed_;
  at::Tensor newest_;  ///< the last token of every growing piece, [pieces, 1]
};

}  // namespace

std::vector<Piece> generate(models::Model& model, const data::Tokenizer& tokenizer,
                            const std::vector<data::TokenId>& prompt, const GenerationOptions& options,
                            const std::function<void(std::int64_t)>& progress) {
  check(options.sampling);
  if (options.count < 1) throw UsageError("--count must be at least 1");
  if (prompt.empty()) throw UsageError("there is nothing to continue: the prompt has no tokens");
  return Session(model, tokenizer, options, prompt).run(progress);
}

}  // namespace etude::generation
