#pragma once

#include "models/kernels/decode.h"
#include "models/kernels/isa/gelu.h"
#include "models/kernels/isa/tile.h"

namespace etude::models::ETUDE_ISA {

/// The columns of a panel are read a few vectors at a time. In bfloat16 two vectors share words: the first in the lower
/// halves, so that a shift and a mask widen both.
template <typename T>
struct PanelReader;

template <>
struct PanelReader<float> {
  template <std::int64_t kVectors>
  static void read(const void* row, std::int64_t first_column, Floats* columns) {
    const float* from = static_cast<const float*>(row) + first_column;
#pragma GCC unroll 4
    for (std::int64_t v = 0; v < kVectors; ++v) columns[v] = load(from + v * kLanes);
  }
};

template <>
struct PanelReader<Bfloat16> {
  template <std::int64_t kVectors>
  static void read(const void* row, std::int64_t first_column, Floats* columns) {
    const Bfloat16* from = static_cast<const Bfloat16*>(row) + first_column;
#pragma GCC unroll 2
    for (std::int64_t v = 0; v < kVectors; v += 2) {
      Bits words;
      std::memcpy(&words, from + v * kLanes, sizeof(words));
      columns[v] = reinterpret_cast<Floats>(words << 16);
      columns[v + 1] = reinterpret_cast<Floats>(words & 0xffff0000);
    }
  }
};

/// y [kRows, kVectors * kLanes] of one panel. Every value is summed up in the order of k whatever kRows and kVectors.
template <typename T, std::int64_t kRows, std::int64_t kVectors>
inline void panel_tile(const PanelProduct& product, const T* panel, std::int64_t row, std::int64_t panel_column,
                       std::int64_t column) {
  Floats sums[kRows][kVectors];
#pragma GCC unroll 12
  for (std::int64_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (std::int64_t v = 0; v < kVectors; ++v) sums[r][v] = Floats{};
  }
  const float* x = product.x + row * product.x_stride;
#pragma GCC unroll 1
  for (std::int64_t k = 0; k < product.in; ++k) {
    Floats columns[kVectors];
    PanelReader<T>::template read<kVectors>(panel + k * kPanelColumns, panel_column, columns);
#pragma GCC unroll 12
    for (std::int64_t r = 0; r < kRows; ++r) {
      const float factor = x[r * product.x_stride + k];
#pragma GCC unroll 4
      for (std::int64_t v = 0; v < kVectors; ++v) sums[r][v] += factor * columns[v];
    }
  }
#pragma GCC unroll 12
  for (std::int64_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (std::int64_t v = 0; v < kVectors; ++v) {
      const std::int64_t at = column + v * kLanes;
      float* y = product.y + (row + r) * product.y_stride + at;
      Floats value = sums[r][v];
      if (product.bias != nullptr) value += load(product.bias + at);
      if (product.then == Then::kGelu) value = Gelu::forward(value);
      if (product.then == Then::kRelu) value = maximum(value, Floats{});
      if (product.then == Then::kAdd) value += load(y);
      store(y, value);
    }
  }
}

template <typename T, std::int64_t kRows>
inline void panel_rows(const PanelProduct& product, const T* panel, std::int64_t row, std::int64_t column) {
  constexpr std::int64_t kMost = kPanelColumns / kLanes;
  // Few rows leave registers for more columns, and more sums at once hide the time that an addition takes.
  constexpr std::int64_t kVectors = kRows <= 2 && kMost >= 4 ? 4 : 2;
  for (std::int64_t v = 0; v < kMost; v += kVectors) {
    panel_tile<T, kRows, kVectors>(product, panel, row, v * kLanes, column + v * kLanes);
  }
}

/// Calls panel_rows with `rows`, at most kRows, as a constant.
template <typename T, std::int64_t kRows>
inline void some_panel_rows(const PanelProduct& product, const T* panel, std::int64_t row, std::int64_t rows,
                            std::int64_t column) {
  if constexpr (kRows > 0) {
    if (rows == kRows) return panel_rows<T, kRows>(product, panel, row, column);
    some_panel_rows<T, kRows - 1>(product, panel, row, rows, column);
  }
}

template <typename T>
void multiply_panels(const PanelProduct& product) {
  const std::int64_t tiles = (product.rows + kTileRows - 1) / kTileRows;
  for (std::int64_t p = 0; p < product.panels; ++p) {
    const T* panel = static_cast<const T*>(product.weights) + p * product.panel_stride;
    for (std::int64_t tile = 0; tile < tiles; ++tile) {  // of nearly the same height, since low ones are slow
      const std::int64_t first = product.rows * tile / tiles, end = product.rows * (tile + 1) / tiles;
      some_panel_rows<T, kTileRows>(product, panel, first, end - first, p * kPanelColumns);
    }
  }
}

/// Lays the bits of bfloat16 columns [kPanelColumns] out as PanelReader wants them.
inline void interleave_panel_row(const std::uint16_t* columns, std::uint16_t* packed) {
  for (std::int64_t i = 0; i < kPanelColumns; ++i) {
    const std::int64_t pair = i / (2 * kLanes), within = i % (2 * kLanes);
    packed[pair * 2 * kLanes + within % kLanes * 2 + within / kLanes] = columns[i];
  }
}

inline void normalise_row(const float* x, std::int64_t width, const float* weight, const float* bias, float epsilon,
                          float* y) {
  const std::int64_t whole = width / kLanes * kLanes, rest = width - whole;
  Floats sums{};
  for (std::int64_t i = 0; i < whole; i += kLanes) sums += load(x + i);
  if (rest > 0) sums += load_some(x + whole, rest);
  const float mean = sum(sums) / static_cast<float>(width);
  Floats squares{};
  for (std::int64_t i = 0; i < whole; i += kLanes) {
    const Floats centred = load(x + i) - mean;
    squares += centred * centred;
  }
  float variance = sum(squares);
  for (std::int64_t i = whole; i < width; ++i) variance += (x[i] - mean) * (x[i] - mean);
  const float scale = 1.0F / __builtin_sqrtf(variance / static_cast<float>(width) + epsilon);
  for (std::int64_t i = 0; i < whole; i += kLanes) {
    store(y + i, (load(x + i) - mean) * scale * load(weight + i) + load(bias + i));
  }
  for (std::int64_t i = whole; i < width; ++i) y[i] = (x[i] - mean) * scale * weight[i] + bias[i];
}

/// Turns scores [columns] into e^(scaling * (score - largest)), 0 from `limit` on, and returns their sum.
inline float soften(float* scores, std::int64_t limit, std::int64_t columns, float scaling) {
  const std::int64_t end = round_up(limit, kLanes);
  for (std::int64_t i = limit; i < end; ++i) scores[i] = -1e30F;
  Floats highest = load(scores);
  for (std::int64_t i = kLanes; i < end; i += kLanes) highest = maximum(highest, load(scores + i));
  const float most = largest(highest);
  Floats sums{};
  for (std::int64_t i = 0; i < end; i += kLanes) {
    const Floats e = exponential((load(scores + i) - most) * scaling);
    store(scores + i, e);
    sums += e;
  }
  for (std::int64_t i = end; i < columns; ++i) scores[i] = 0;
  return sum(sums);
}

/// Writes what the queries from `first` on have mixed, [count, width], with the sums of their weights divided out.
template <typename Head>
void put_mixed(const Head& head, std::int64_t first, std::int64_t count, const float* mixed, std::int64_t width,
               const float* inverse) {
  for (std::int64_t r = 0; r < count; ++r) {
    float* to = head.output + (first + r) * head.output_stride;
    for (std::int64_t d = 0; d < head.head_width; ++d) to[d] = mixed[r * width + d] * inverse[r];
  }
}

/// Attention of `count` queries that follow one another, at most kTileRows, to the keys before each.
inline void attend_some(const DecodeAttention& head, std::int64_t first, std::int64_t count) {
  const std::int64_t seen = head.seen + first + count - 1, panels = (seen + kPanelColumns - 1) / kPanelColumns;
  const std::int64_t stride = round_up(head.context, kPanelColumns), width = round_up(head.head_width, kPanelColumns);
  float* scores = head.scratch;
  float* mixed = head.scratch + kTileRows * stride;
  multiply_panels<float>({.x = head.queries + first * head.query_stride,
                          .x_stride = head.query_stride,
                          .rows = count,
                          .in = head.head_width,
                          .weights = head.keys,
                          .panel_stride = head.head_width * kPanelColumns,
                          .panels = panels,
                          .y = scores,
                          .y_stride = stride});
  float inverse[kTileRows];
  const float scaling = 1.0F / __builtin_sqrtf(static_cast<float>(head.head_width));
  for (std::int64_t r = 0; r < count; ++r) {
    inverse[r] = 1.0F / soften(scores + r * stride, head.seen + first + r, panels * kPanelColumns, scaling);
  }
  multiply_panels<float>({.x = scores,
                          .x_stride = stride,
                          .rows = count,
                          .in = seen,
                          .weights = head.values,
                          .panel_stride = head.context * kPanelColumns,
                          .panels = width / kPanelColumns,
                          .y = mixed,
                          .y_stride = width});
  put_mixed(head, first, count, mixed, width, inverse);
}

inline void decode_attention(const DecodeAttention& head) {
  for (std::int64_t first = 0; first < head.count; first += kTileRows) {
    attend_some(head, first, smaller(kTileRows, head.count - first));
  }
}

inline std::int64_t decode_scratch(std::int64_t context, std::int64_t head_width) {
  return kTileRows * (round_up(context, kPanelColumns) + round_up(head_width, kPanelColumns));
}

/// Scores of columns [begin, begin + columns) of panels; returns where the first of them stands in `to`.
inline float* score_columns(const float* panels, std::int64_t begin, std::int64_t columns, PanelProduct product,
                            float* to, std::int64_t stride) {
  const std::int64_t first = begin / kPanelColumns, end = (begin + columns + kPanelColumns - 1) / kPanelColumns;
  product.panel_stride = product.in * kPanelColumns;
  product.weights = panels + first * product.panel_stride;
  product.panels = end - first;
  product.y = to;
  product.y_stride = stride;
  multiply_panels<float>(product);
  return to + (begin - first * kPanelColumns);
}

/// to [count] = a + b, and some values after.
inline void add_scores(const float* a, const float* b, std::int64_t count, float* to) {
  for (std::int64_t i = 0; i < count; i += kLanes) store(to + i, load(a + i) + load(b + i));
}

/// Relative attention of `count` queries that follow one another, at most kTileRows. Whatever the place of its keys in
/// their panels, a query's scores are softened from its oldest key on: so their sum does not depend on that place.
inline void attend_some_relative(const DecodeRelativeAttention& head, std::int64_t first, std::int64_t count) {
  const std::int64_t older = head.older.count, end_of_first = head.keys.begin + head.keys.count;
  const auto seen = [&](std::int64_t query) { return smaller(head.keys.count + query, head.most); };
  const auto begin = [&](std::int64_t query) { return end_of_first + query - seen(query); };
  const std::int64_t oldest = begin(first), columns = end_of_first + first + count - 1 - oldest;
  const std::int64_t most = older + seen(first + count - 1), width = round_up(head.head_width, kPanelColumns);
  const std::int64_t stride = round_up(head.keys.context + head.older.context, kPanelColumns) + 2 * kPanelColumns;
  const std::int64_t position_stride = round_up(head.distances, kPanelColumns) + kPanelColumns;
  float* next = head.scratch;
  const auto take = [&](std::int64_t size) { return (next += size) - size; };
  PanelProduct product{.x_stride = head.query_stride, .rows = count, .in = head.head_width};
  product.x = head.content_queries + first * head.query_stride;
  const float* content = score_columns(head.keys.keys, oldest, columns, product, take(kTileRows * stride), stride);
  const float* of_older =
      older == 0 ? nullptr
                 : score_columns(head.older.keys, head.older.begin, older, product, take(kTileRows * stride), stride);
  product.x = head.position_queries + first * head.query_stride;
  const float* position = score_columns(head.positions, head.distances - most, most, product,
                                        take(kTileRows * position_stride), position_stride);

  float *weights = take(kTileRows * stride), *mixed = take(kTileRows * width);
  float inverse[kTileRows];
  const float scaling = 1.0F / __builtin_sqrtf(static_cast<float>(head.head_width));
  for (std::int64_t r = 0; r < count; ++r) {
    const std::int64_t keys = seen(first + r), hidden = begin(first + r) - oldest;
    float* row = weights + r * stride;
    const float* of_position = position + r * position_stride + most - older - keys;
    for (std::int64_t i = 0; i < hidden; ++i) row[i] = 0;
    if (older > 0) add_scores(of_older + r * stride, of_position, older, row);
    add_scores(content + r * stride + hidden, of_position + older, keys, row + hidden + older);
    inverse[r] = 1.0F / soften(row + hidden, older + keys, older + columns - hidden, scaling);
  }
  product = {
      .x = weights, .x_stride = stride, .rows = count, .panels = width / kPanelColumns, .y = mixed, .y_stride = width};
  if (older > 0) {
    product.in = older;
    product.weights = head.older.values + head.older.begin * kPanelColumns;
    product.panel_stride = head.older.context * kPanelColumns;
    multiply_panels<float>(product);
    product.x = weights + older;
    product.then = Then::kAdd;
  }
  product.in = columns;
  product.weights = head.keys.values + oldest * kPanelColumns;
  product.panel_stride = head.keys.context * kPanelColumns;
  multiply_panels<float>(product);
  put_mixed(head, first, count, mixed, width, inverse);
}

inline void decode_relative_attention(const DecodeRelativeAttention& head) {
  for (std::int64_t first = 0; first < head.count; first += kTileRows) {
    attend_some_relative(head, first, smaller(kTileRows, head.count - first));
  }
}

inline std::int64_t decode_relative_scratch(std::int64_t contexts, std::int64_t distances, std::int64_t head_width) {
  return kTileRows * (3 * (round_up(contexts, kPanelColumns) + 2 * kPanelColumns) + round_up(distances, kPanelColumns) +
                      kPanelColumns + round_up(head_width, kPanelColumns));
}

}  // namespace etude::models::ETUDE_ISA
