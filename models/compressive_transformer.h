#pragma once

#include "models/transformer_xl.h"

namespace etude::models {

enum class Compression { kConvolution, kMean, kMax };

struct CompressiveTransformerOptions {
  TransformerXlOptions transformer_xl{};
  std::int64_t compressed = -1;  ///< slots of the second memory; -1 for as many as the first has
  std::int64_t rate = 2;         ///< how many hidden states become one
  Compression compression = Compression::kConvolution;
};
void describe(config::Section& section, CompressiveTransformerOptions& options);

/// The model of Rae et al. 2020 ("Compressive transformers for long-range sequence modelling", section 3): a
/// Transformer-XL whose hidden states do not vanish when they fall out of the memory. Each `rate` of them become one of
/// a second, compressed memory, which lies before the first; distances count its slots as they count states. A piece
/// goes on only after segments that are multiples of the rate.
class CompressiveTransformer : public TransformerXl {
 public:
  /// Throws UsageError when the options do not fit together: segments and memory must be multiples of the rate, and
  /// memory at least as long as a segment.
  CompressiveTransformer(const CompressiveTransformerOptions& options, std::int64_t vocabulary_size,
                         std::int64_t segment, std::uint64_t seed);

  std::string kind() const override { return "compressive_transformer"; }
  /// The memories of all layers, then their compressed ones. `length` is that of the first.
  Memory initial_memory(std::int64_t lanes, std::optional<std::int64_t> length = std::nullopt) const override;
  std::unique_ptr<Decoder> decoder(std::int64_t batch) override;
  std::unique_ptr<Model> replica() const override;
  nlohmann::json hugging_face_config() const override;
  double training_flops_per_token(std::int64_t sequence_length) const override;
  double evaluation_flops_per_token(std::int64_t sequence_length) const override;
  std::optional<std::int64_t> reach(std::int64_t sequence_length) const override;

  /// f_c of the paper's section 3.1: [lanes, n * rate, width] of layer `layer` becomes [lanes, n, width].
  at::Tensor compress(std::size_t layer, const at::Tensor& states) const;

 protected:
  std::int64_t recalled(const Memory& memory, std::int64_t heard) const override;
  at::Tensor recall(const Memory& memory, std::size_t layer) const override;
  void remember(Memory& memory, const std::vector<at::Tensor>& inputs) const override;
  void visit(const VisitWeight& visit) override;

 private:
  friend class CompressiveDecoder;

  /// Attention-reconstruction loss (the paper's algorithm 2) of one layer: how differently its attention, looking for
  /// content alone, answers a segment from `old` states and from their compression. Moves nothing but the compression.
  /// `absent`: of each lane, how many of the first old states it had not heard.
  at::Tensor reconstruction_loss(std::size_t layer, const at::Tensor& input, const at::Tensor& old,
                                 const at::Tensor& compressed, const std::vector<std::int64_t>& absent) const;

  std::int64_t slots_, rate_;
  Compression compression_;
  std::vector<at::Tensor> convolutions_;  ///< of each layer, as torch.nn.Conv1d, [width, width, rate]
  std::vector<at::Tensor> biases_;        ///< [width]
};

}  // namespace etude::models
