#pragma once

#include <cstdint>

namespace etude::models {

/// Weights are packed into panels of so many columns, each laid out row by row (Goto & van de Geijn 2008).
constexpr std::int64_t kPanelColumns = 32;

/// What becomes of a product when its bias has been added.
enum class Then { kStore, kGelu, kRelu, kAdd };

/// y [rows, panels * kPanelColumns] = x [rows, in] times packed weights. Each value of y is summed up in the order of
/// `in` alone, so that its bits depend neither on the rows beside it nor on how many there are.
struct PanelProduct {
  const float* x = nullptr;
  std::int64_t x_stride = 0;
  std::int64_t rows = 0, in = 0;
  const void* weights = nullptr;
  std::int64_t panel_stride = 0;  ///< elements from a panel to the next
  std::int64_t panels = 0;
  const float* bias = nullptr;  ///< as many as y has columns; null for none
  Then then = Then::kStore;
  float* y = nullptr;
  std::int64_t y_stride = 0;
};

/// One head's attention of the newest `count` queries of one sequence to the keys so far, their own included, which
/// lie in the cache already.
struct DecodeAttention {
  std::int64_t count = 0;
  std::int64_t seen = 0;  ///< how many keys the first query may look at; each later one sees one more
  std::int64_t context = 0, head_width = 0;
  const float* queries = nullptr;
  std::int64_t query_stride = 0;
  const float* keys =
      nullptr;  ///< panels of positions: [context / kPanelColumns rounded up, head_width, kPanelColumns]
  const float* values =
      nullptr;              ///< panels of columns: [head_width / kPanelColumns rounded up, context, kPanelColumns]
  float* output = nullptr;  ///< [count, head_width]
  std::int64_t output_stride = 0;
  float* scratch = nullptr;  ///< as many floats as DecodeKernels::scratch says
};

/// Keys and values of one head in a row, laid out as in DecodeAttention, of which those of [begin, begin + count) are
/// looked at.
struct DecodeKeys {
  const float *keys = nullptr, *values = nullptr;
  std::int64_t context = 0;
  std::int64_t begin = 0, count = 0;
};

/// As DecodeAttention with relative positions (see relative_attention()): the first query sees `keys`, its own being
/// the last, and before them `older` ones. Each later one sees one key more, or where there are `most` the one after
/// instead of the oldest; then there are no older ones.
struct DecodeRelativeAttention {
  std::int64_t count = 0, head_width = 0;
  DecodeKeys keys, older;
  std::int64_t most = 0;
  const float *content_queries = nullptr, *position_queries = nullptr;
  std::int64_t query_stride = 0;
  const float* positions = nullptr;  ///< r, the largest distance first: panels of distances, as those of positions
  std::int64_t distances = 0;
  float* output = nullptr;  ///< [count, head_width]
  std::int64_t output_stride = 0;
  float* scratch = nullptr;  ///< as many floats as DecodeKernels::relative_scratch says
};

/// What generating needs, where a matrix meets few rows at a time and nothing is differentiated.
struct DecodeKernels {
  /// The first for weights in float32, the second in bfloat16.
  void (*multiply_panels[2])(const PanelProduct& product);
  /// Lays a row of a bfloat16 panel out as this instruction set reads it.
  void (*interleave)(const std::uint16_t* columns, std::uint16_t* packed);
  /// Layer normalisation (Ba et al. 2016, section 3) of one row, as torch.nn.LayerNorm; y may be x.
  void (*normalise)(const float* x, std::int64_t width, const float* weight, const float* bias, float epsilon,
                    float* y);
  void (*attend)(const DecodeAttention& head);
  std::int64_t (*scratch)(std::int64_t context, std::int64_t head_width);
  void (*attend_relative)(const DecodeRelativeAttention& head);
  /// `contexts`: those of both rows of keys together.
  std::int64_t (*relative_scratch)(std::int64_t contexts, std::int64_t distances, std::int64_t head_width);
};

}  // namespace etude::models
