#pragma once

#include "models/kernels/isa/attention_band.h"
#include "models/kernels/isa/attention_operands.h"
#include "models/kernels/isa/attention_softening.h"
#include "models/kernels/kernels.h"

namespace etude::models::ETUDE_ISA {

/// Attention of one head, forward and backward, one block of queries at a time: causal, or with relative positions and
/// what lies before the segment. T is the type in memory, Products how the factors are multiplied.
///
/// Relative positions are a second band of scores. That of query i and the key at place j, both counted from the oldest
/// key, is the product of the query and row time - 1 - i + j of the positions: a column of the band, whose rows are
/// thus read from one place further left each. A block of 48 queries needs 47 columns more than it has keys.
template <typename T, class Products, bool kRelative>
class AttentionKernel {
 public:
  /// `rows`: the head in each row of the batch, all of the same sizes.
  AttentionKernel(const AttentionHead* rows, const HeadPositions* positions)
      : head_(rows), positions_(positions), sizes_(rows->time, rows->memory, rows->head_width) {}

  static std::int64_t scratch(std::int64_t time, std::int64_t memory, std::int64_t head_width) {
    const Sizes sizes(time, memory, head_width);
    const std::int64_t relative = sizes.queries * sizes.row_elements + sizes.places * sizes.row_elements +
                                  (sizes.queries + 2 * sizes.places + kBlock) * sizes.columns + 2 * sizes.columns +
                                  2 * kBlock * sizes.place_stride;
    return 2 * sizes.queries * sizes.row_elements + 2 * sizes.keys * sizes.row_elements +
           (4 * sizes.keys + 3 * sizes.queries) * sizes.columns + sizes.queries + 4 * kBlock * sizes.stride +
           (kRelative ? relative : 0);
  }

  void forward(std::int64_t batch) {
    if constexpr (kRelative) pack_positions();
    for (const AttentionHead* last = head_ + batch; head_ != last; ++head_) forward();
  }

  void backward(std::int64_t batch) {
    if constexpr (kRelative) {
      pack_positions();
      Packing::pack_along(place_rows(), 0, sizes_.places, sizes_.columns, places_along_);
      clear(place_sums_, sizes_.places * sizes_.columns);
      clear(content_bias_sums_, sizes_.columns);
      clear(position_bias_sums_, sizes_.columns);
    }
    for (const AttentionHead* last = head_ + batch; head_ != last; ++head_) backward();
    if constexpr (kRelative) {
      --head_;
      for (std::int64_t row = 0; row < head_->memory + head_->time; ++row) {
        put_row(place_sums_ + (row + kFirstPlace) * sizes_.columns, 1.0F,
                static_cast<T*>(positions_->gradient) + row * positions_->stride);
      }
      for (std::int64_t i = 0; i < head_->head_width; ++i) {
        positions_->content_bias_gradient[i] = content_bias_sums_[i];
        positions_->position_bias_gradient[i] = position_bias_sums_[i];
      }
    }
  }

 private:
  using Packing = Operands<Products>;
  using Multiply = BandProducts<Products>;
  using Element = typename Products::Element;
  static constexpr std::int64_t kDepth = Products::kDepth;
  /// Queries at a time: their scores over 512 keys, twice in backward, stay in the second cache.
  static constexpr std::int64_t kBlock = 48;
  static_assert(kBlock % kTileRows == 0 && kTileRows % 2 == 0);
  /// The column of the farthest position. Those before are zeros, looked at by queries that fill up a tile.
  static constexpr std::int64_t kFirstPlace = kTileColumns;
  static_assert(kTileRows <= kTileColumns);

  struct Sizes {
    std::int64_t queries, keys, places, columns, row_elements, stride, place_stride;
    Sizes(std::int64_t time, std::int64_t memory, std::int64_t head_width)
        : queries(round_up(time, kTileRows)),
          keys(round_up(queries + memory, kTileColumns) + kTileRows),
          places(round_up(kFirstPlace + memory + time, kTileColumns) + kTileRows),
          columns(round_up(head_width, kTileColumns)),
          row_elements((head_width + kDepth - 1) / kDepth),
          // Not a power of two, or a column's elements would share a few places of the cache.
          stride(round_up(keys, kTileColumns) + 16),
          place_stride(round_up(places, kTileColumns) + 16) {}
  };

  /// Some queries, the scores of keys that they need, and those of positions.
  struct Block {
    Band keys, places;
  };
  Block block_from(std::int64_t first) const {
    const std::int64_t memory = head_->memory, rows = smaller(kBlock, sizes_.queries - first);
    Block block;
    block.keys.first_row = first;
    block.keys.rows = rows;
    block.keys.begin = larger(oldest_key(), oldest_key_of(first)) / kTileColumns * kTileColumns;
    block.keys.end = memory + first + rows;
    block.keys.newest = memory + first;
    if (head_->window > 0) block.keys.window = head_->window;
    if constexpr (kRelative) {
      const std::int64_t end = kFirstPlace + memory + head_->time;
      block.places.first_row = first;
      block.places.rows = rows;
      block.places.oldest = shift(first) + oldest_key();
      block.places.end = end;
      block.places.begin = larger(block.places.oldest - (rows - 1), head_->window > 0 ? end - head_->window : 0) /
                           kTileColumns * kTileColumns;
    }
    return block;
  }
  /// The first key that anyone sees, and that this query sees.
  std::int64_t oldest_key() const { return larger(head_->first_key, oldest_key_of(0)); }
  std::int64_t oldest_key_of(std::int64_t query) const {
    return head_->window > 0 ? larger(0, head_->memory + query + 1 - head_->window) : 0;
  }
  /// How far the scores of positions lie to the right of those of their keys.
  std::int64_t shift(std::int64_t query) const { return kFirstPlace + head_->time - 1 - query; }

  // What is multiplied.

  Rows<T> rows_of(const void* data, std::int64_t stride) const {
    return {.data = static_cast<const T*>(data), .stride = stride, .end = head_->time, .width = head_->head_width};
  }
  Rows<T> key_rows(const void* keys, const void* before) const {
    return {.data = static_cast<const T*>(keys),
            .stride = head_->stride,
            .begin = oldest_key(),
            .end = head_->memory + head_->time,
            .width = head_->head_width,
            .split = head_->memory,
            .before = static_cast<const T*>(before),
            .before_stride = head_->memory_stride};
  }
  Rows<T> place_rows() const {
    return {.data = static_cast<const T*>(positions_->rows),
            .stride = positions_->stride,
            .begin = kFirstPlace,
            .end = kFirstPlace + head_->memory + head_->time,
            .width = head_->head_width,
            .split = kFirstPlace};
  }
  /// Rows that are packed already as left factors.
  Rows<typename PartOf<Products>::type> packed_rows(const Element* rows) const {
    return {.data = Packing::parts_of(rows),
            .stride = kDepth * sizes_.row_elements,
            .end = head_->time,
            .width = head_->head_width};
  }
  std::int64_t first_packed_key() const { return oldest_key() / kTileColumns * kTileColumns; }

  void pack_positions() {
    Packing::pack_across(place_rows(), 0, sizes_.places - kTileRows, sizes_.row_elements, places_across_);
  }
  void pack_queries() {
    const Rows<T> queries = rows_of(head_->queries, head_->stride);
    Packing::pack_rows(queries, sizes_.queries, sizes_.row_elements, kRelative ? positions_->content_bias : nullptr,
                       query_rows_);
    if constexpr (kRelative) {
      Packing::pack_rows(queries, sizes_.queries, sizes_.row_elements, positions_->position_bias, place_query_rows_);
    }
  }
  void pack_across(const Rows<T>& rows, Element* to) const {
    Packing::pack_across(rows, first_packed_key(), sizes_.keys - kTileRows, sizes_.row_elements, to);
  }
  void pack_keys_along(const Rows<T>& rows, Element* to) const {
    Packing::pack_along(rows, first_packed_key(), sizes_.keys, sizes_.columns, to);
  }
  template <typename Source>
  void pack_queries_along(const Rows<Source>& rows, Element* to) const {
    Packing::pack_along(rows, 0, sizes_.queries, sizes_.columns, to);
  }

  // One row of the batch.

  void forward() {
    pack_queries();
    pack_across(key_rows(head_->keys, head_->memory_keys), keys_across_);
    pack_keys_along(key_rows(head_->values, head_->memory_values), values_along_);
    for (std::int64_t first = 0; first < sizes_.queries; first += kBlock) {
      const Block block = block_from(first);
      score(block);
      for (std::int64_t row = 0; row < block.keys.rows; ++row) soften(block, row);
      Multiply::sum_over_columns(block.keys, probability_rows(), sizes_.stride, values_along_, sizes_.keys, query_sums_,
                                 sizes_.columns);
    }
    for (std::int64_t query = 0; query < head_->time; ++query) {
      put_row(query_sums_ + query * sizes_.columns, inverse_totals_[query],
              static_cast<T*>(head_->output) + query * head_->output_stride);
    }
  }

  void backward() {
    const Rows<T> keys = key_rows(head_->keys, head_->memory_keys);
    const Rows<T> values = key_rows(head_->values, head_->memory_values);
    const Rows<T> out_gradients = rows_of(head_->output_gradient, head_->output_stride);
    pack_queries();
    Packing::pack_rows(out_gradients, sizes_.queries, sizes_.row_elements, nullptr, out_gradient_rows_);
    pack_across(keys, keys_across_);
    pack_across(values, values_across_);
    pack_keys_along(keys, keys_along_);
    pack_queries_along(packed_rows(query_rows_), queries_along_);
    pack_queries_along(out_gradients, out_gradient_along_);
    if constexpr (kRelative) pack_queries_along(packed_rows(place_query_rows_), place_queries_along_);
    clear(key_sums_, sizes_.keys * sizes_.columns);
    clear(value_sums_, sizes_.keys * sizes_.columns);

    for (std::int64_t first = 0; first < sizes_.queries; first += kBlock) {
      const Block block = block_from(first);
      score(block);
      Multiply::score(block.keys, sizes_.row_elements, out_gradient_rows_, values_across_, gradients_, sizes_.stride);
      for (std::int64_t row = 0; row < block.keys.rows; row += kDepth) soften_backward(block, row);
      Multiply::sum_over_rows(block.keys, probability_columns(), sizes_.stride, out_gradient_along_, sizes_.queries,
                              value_sums_, sizes_.columns);
      Multiply::sum_over_rows(block.keys, gradient_columns(), sizes_.stride, queries_along_, sizes_.queries, key_sums_,
                              sizes_.columns);
      Multiply::sum_over_columns(block.keys, gradient_rows(), sizes_.stride, keys_along_, sizes_.keys, query_sums_,
                                 sizes_.columns);
      if constexpr (kRelative) places_backward(block.places);
    }
    put_gradients();
  }

  void score(const Block& block) const {
    Multiply::score(block.keys, sizes_.row_elements, query_rows_, keys_across_, scores_, sizes_.stride);
    if constexpr (kRelative) {
      Multiply::score(block.places, sizes_.row_elements, place_query_rows_, places_across_, place_scores_,
                      sizes_.place_stride);
    }
  }

  /// What the gradients of a block's scores say to the positions, to its queries and to both biases.
  void places_backward(const Band& band) {
    Multiply::sum_over_rows(band, place_gradient_columns(), sizes_.place_stride, place_queries_along_, sizes_.queries,
                            place_sums_, sizes_.columns);
    Multiply::sum_over_columns(band, place_gradient_rows(), sizes_.place_stride, places_along_, sizes_.places,
                               place_query_sums_ - band.first_row * sizes_.columns, sizes_.columns);
    const std::int64_t rows = smaller(band.rows, head_->time - band.first_row);
    for (std::int64_t row = 0; row < rows; ++row) {
      float* of_content = query_sums_ + (band.first_row + row) * sizes_.columns;
      const float* of_position = place_query_sums_ + row * sizes_.columns;
      for (std::int64_t i = 0; i < sizes_.columns; i += kLanes) {
        const Floats content = load(of_content + i), position = load(of_position + i);
        store(content_bias_sums_ + i, load(content_bias_sums_ + i) + content);
        store(position_bias_sums_ + i, load(position_bias_sums_ + i) + position);
        store(of_content + i, content + position);
      }
    }
  }

  void put_gradients() const {
    const std::int64_t memory = head_->memory;
    for (std::int64_t row = 0; row < memory; ++row) {
      const std::int64_t from = row * sizes_.columns, to = row * head_->memory_stride;
      put_row(key_sums_ + from, 1.0F, static_cast<T*>(head_->memory_key_gradient) + to);
      put_row(value_sums_ + from, 1.0F, static_cast<T*>(head_->memory_value_gradient) + to);
    }
    for (std::int64_t row = 0; row < head_->time; ++row) {
      const std::int64_t from = (memory + row) * sizes_.columns, to = row * head_->stride;
      put_row(query_sums_ + row * sizes_.columns, 1.0F, static_cast<T*>(head_->query_gradient) + to);
      put_row(key_sums_ + from, 1.0F, static_cast<T*>(head_->key_gradient) + to);
      put_row(value_sums_ + from, 1.0F, static_cast<T*>(head_->value_gradient) + to);
    }
  }

  // The work on scores between the products.

  float scale() const { return 1.0F / __builtin_sqrtf(static_cast<float>(head_->head_width)); }
  /// The scores of a row's keys, and those of their positions at the same columns.
  float* scores_of(std::int64_t row) const { return scores_ + row * sizes_.stride; }
  float* place_scores_of(const Block& block, std::int64_t row) const {
    return place_scores_ + row * sizes_.place_stride + shift(block.keys.first_row + row);
  }

  /// The columns of its keys that a row sees. What else stands in their vectors is made to count for nothing.
  Seen look(const Block& block, std::int64_t row) const {
    const std::int64_t query = block.keys.first_row + row;
    const Seen seen(larger(head_->first_key, oldest_key_of(query)), head_->memory + query + 1);
    seen.hide_others(scores_of(row), -__builtin_inff());
    if constexpr (kRelative) seen.hide_others(place_scores_of(block, row), 0.0F);
    return seen;
  }

  /// A row of scores becomes exp(score - largest), dropped ones included, and zeros where it does not look. The row's
  /// part of the output is still to be multiplied by inverse_totals_[query].
  void soften(const Block& block, std::int64_t row) {
    const std::int64_t query = block.keys.first_row + row;
    const Seen seen = look(block, row);
    const float* scores = scores_of(row);
    const float* place_scores = kRelative ? place_scores_of(block, row) : nullptr;
    const auto score = [&](std::int64_t i) {
      return kRelative ? load(scores + i) + load(place_scores + i) : load(scores + i);
    };
    Floats most = score(seen.first), also_most = most;  // two, since each maximum waits for the one before
    std::int64_t next = seen.first + kLanes;
    for (; next + kLanes < seen.end; next += 2 * kLanes) {
      most = maximum(most, score(next));
      also_most = maximum(also_most, score(next + kLanes));
    }
    if (next < seen.end) most = maximum(most, score(next));
    const float scaling = scale(), highest = largest(maximum(most, also_most)) * scaling;

    Floats sums{};
    MaskRow mask(*head_, query, seen.first);
    auto* to = Packing::parts_of(probability_rows()) + row * sizes_.stride;
    std::int64_t i = clear_until(to, block.keys.begin, seen.first);
    for (; i < seen.end; i += kLanes) {
      Floats x = exponential(score(i) * scaling - highest);
      sums += x;
      if (head_->mask != nullptr) x *= mask.at(i);
      store(to + i, x);
    }
    clear_until(to, i, block.keys.padded_end());
    const float total = sum(sums);
    inverse_totals_[query] = 1.0F / total;
    if (query < head_->time) head_->log_sums[query] = highest + __builtin_logf(total);
  }

  /// A row of scores becomes dropped probabilities, and the gradients of those become the gradients of the products of
  /// queries and keys; as many rows at once as are summed over in one step.
  void soften_backward(const Block& block, std::int64_t first_row) {
    const std::int64_t first_query = block.keys.first_row + first_row, end = block.keys.padded_end();
    const float scaling = scale();
    float inner[kDepth], log_sum[kDepth];
    Seen seen[kDepth];
    float* place_scores[kDepth];
    for (std::int64_t r = 0; r < kDepth; ++r) {
      const std::int64_t query = first_query + r;
      inner[r] = query < head_->time ? inner_product(query) : 0.0F;
      log_sum[r] = query < head_->time ? head_->log_sums[query] : 0.0F;
      seen[r] = look(block, first_row + r);
      if constexpr (kRelative) place_scores[r] = place_scores_of(block, first_row + r);
    }
    MaskRow masks[2] = {MaskRow(*head_, first_query, block.keys.begin),
                        MaskRow(*head_, first_query + 1, block.keys.begin)};
    for (std::int64_t i = block.keys.begin; i < end; i += kLanes) {
      Floats dropped[2], gradients[2];
      for (std::int64_t r = 0; r < kDepth; ++r) {
        const std::int64_t place = (first_row + r) * sizes_.stride + i;
        dropped[r] = gradients[r] = Floats{};
        if (i < seen[r].first || i >= seen[r].end) continue;
        Floats score = load(scores_ + place);
        if constexpr (kRelative) score += load(place_scores[r] + i);
        const Floats p = exponential(score * scaling - log_sum[r]);
        dropped[r] = p;
        Floats slope = load(gradients_ + place);
        if (head_->mask != nullptr) {
          const Floats factor = masks[r].at(i);
          dropped[r] *= factor;
          slope *= factor;
        }
        // What the query does not see was never computed and may be anything.
        gradients[r] = p == 0.0F ? Floats{} : p * (slope - inner[r]) * scaling;
      }
      put_products(first_row, i, dropped, gradients);
      if constexpr (kRelative) {
        for (std::int64_t r = 0; r < kDepth; ++r) {
          if (i >= seen[r].first && i < seen[r].end) store(place_gradients_of(block, first_row + r) + i, gradients[r]);
        }
      }
    }
    if constexpr (kRelative) complete_place_gradients(block, first_row, seen);
  }

  void put_products(std::int64_t first_row, std::int64_t column, const Floats* dropped, const Floats* gradients) {
    const std::int64_t place = first_row * sizes_.stride + column;
    if constexpr (kDepth == 1) {
      store(scores_ + place, dropped[0]);
      store(gradients_ + place, gradients[0]);
    } else {
      // Pairs of queries for the sums over queries, pairs of keys for the sums over keys.
      const auto pair = [](Floats lower, Floats upper) { return rounded(lower) >> 16 | rounded(upper); };
      const Bits probability_pairs = pair(dropped[0], dropped[1]), gradient_pairs = pair(gradients[0], gradients[1]);
      const std::int64_t pair_place = first_row / 2 * sizes_.stride + column;
      store(probability_columns() + pair_place, probability_pairs);
      store(gradient_columns() + pair_place, gradient_pairs);
      for (std::int64_t r = 0; r < 2; ++r) {
        store(Packing::parts_of(gradient_rows()) + place + r * sizes_.stride, gradients[r]);
      }
    }
  }

  /// Where the gradients of a row's position scores go, at the columns of their keys.
  auto* place_gradients_of(const Block& block, std::int64_t row) const {
    return Packing::parts_of(place_gradient_rows()) + row * sizes_.place_stride + shift(block.keys.first_row + row);
  }

  /// Zeros around the gradients of the rows' position scores, and pairs of rows where products take pairs.
  void complete_place_gradients(const Block& block, std::int64_t first_row, const Seen* seen) {
    const std::int64_t begin = block.places.begin, end = block.places.padded_end();
    for (std::int64_t r = 0; r < kDepth; ++r) {
      const std::int64_t row = first_row + r, shifted = shift(block.keys.first_row + row);
      auto* gradients = Packing::parts_of(place_gradient_rows()) + row * sizes_.place_stride;
      const std::int64_t written = round_up(seen[r].end, kLanes);
      for (std::int64_t i = begin; i < seen[r].first + shifted; ++i) gradients[i] = {};
      for (std::int64_t i = written + shifted; i < end; ++i) gradients[i] = {};
    }
    if constexpr (kDepth == 2) {
      const auto* lower = reinterpret_cast<const std::uint16_t*>(Packing::parts_of(place_gradient_rows())) +
                          first_row * sizes_.place_stride;
      Element* to = place_gradient_columns() + first_row / 2 * sizes_.place_stride;
      for (std::int64_t i = begin; i < end; i += kLanes) {
        const Bits of_lower = __builtin_convertvector(load(lower + i), Bits);
        const Bits of_upper = __builtin_convertvector(load(lower + sizes_.place_stride + i), Bits);
        store(to + i, of_lower | of_upper << 16);
      }
    }
  }

  /// The inner product of a query's output and its gradient, which is that of its probabilities and theirs.
  float inner_product(std::int64_t query) const {
    const T* a = static_cast<const T*>(head_->output) + query * head_->output_stride;
    const T* b = static_cast<const T*>(head_->output_gradient) + query * head_->output_stride;
    Floats sums{};
    std::int64_t i = 0;
    for (; i + kLanes <= head_->head_width; i += kLanes) sums += load(a + i) * load(b + i);
    float total = sum(sums);
    for (; i < head_->head_width; ++i) total += value(a[i]) * value(b[i]);
    return total;
  }

  void put_row(const float* from, float factor, T* to) const {
    std::int64_t i = 0;
    for (; i + kLanes <= head_->head_width; i += kLanes) store(to + i, load(from + i) * factor);
    if (i < head_->head_width) store_some(to + i, load(from + i) * factor, head_->head_width - i);
  }

  // Where probabilities and gradients of scores stand as factors: in place for float32, in rooms of their own for
  // pairs.
  Element* probability_rows() const { return reinterpret_cast<Element*>(kDepth == 1 ? scores_ : other_probabilities_); }
  Element* probability_columns() const { return probability_rows(); }
  Element* gradient_rows() const { return reinterpret_cast<Element*>(kDepth == 1 ? gradients_ : other_gradients_); }
  Element* gradient_columns() const {
    return kDepth == 1 ? gradient_rows() : gradient_rows() + kBlock / 2 * sizes_.stride;
  }
  Element* place_gradient_rows() const {
    return reinterpret_cast<Element*>(kDepth == 1 ? place_scores_ : other_place_gradients_);
  }
  Element* place_gradient_columns() const {
    return kDepth == 1 ? place_gradient_rows() : place_gradient_rows() + kBlock / 2 * sizes_.place_stride;
  }

  template <typename Value = Element>
  Value* take(std::int64_t count) {
    float* taken = next_;
    next_ += count;
    return reinterpret_cast<Value*>(taken);
  }
  template <typename Value = Element>
  Value* take_if_relative(std::int64_t count) {
    return take<Value>(kRelative ? count : 0);
  }

  const AttentionHead* head_;  // the row of the batch that is at work
  const HeadPositions* const positions_;
  const Sizes sizes_;
  float* next_ = head_->scratch;
  Element* const query_rows_ = take(sizes_.queries * sizes_.row_elements);
  Element* const out_gradient_rows_ = take(sizes_.queries * sizes_.row_elements);
  Element* const keys_across_ = take(sizes_.keys * sizes_.row_elements);
  Element* const values_across_ = take(sizes_.keys * sizes_.row_elements);
  Element* const keys_along_ = take(sizes_.keys * sizes_.columns);
  Element* const values_along_ = keys_along_;  // forward only, where keys are not needed along
  Element* const queries_along_ = take(sizes_.queries * sizes_.columns);
  Element* const out_gradient_along_ = take(sizes_.queries * sizes_.columns);
  float* const query_sums_ = take<float>(sizes_.queries * sizes_.columns);  // forward: the output
  float* const key_sums_ = take<float>(sizes_.keys * sizes_.columns);
  float* const value_sums_ = take<float>(sizes_.keys * sizes_.columns);
  float* const inverse_totals_ = take<float>(sizes_.queries);
  float* const scores_ = take<float>(kBlock * sizes_.stride);
  float* const gradients_ = take<float>(kBlock * sizes_.stride);
  float* const other_probabilities_ = take<float>(kBlock * sizes_.stride);
  float* const other_gradients_ = take<float>(kBlock * sizes_.stride);
  // The same for positions: the queries with the other bias, r, and the sums of each.
  Element* const place_query_rows_ = take_if_relative(sizes_.queries * sizes_.row_elements);
  Element* const places_across_ = take_if_relative(sizes_.places * sizes_.row_elements);
  Element* const places_along_ = take_if_relative(sizes_.places * sizes_.columns);
  Element* const place_queries_along_ = take_if_relative(sizes_.queries * sizes_.columns);
  float* const place_sums_ = take_if_relative<float>(sizes_.places * sizes_.columns);
  float* const place_query_sums_ = take_if_relative<float>(kBlock * sizes_.columns);  // of one block
  float* const content_bias_sums_ = take_if_relative<float>(sizes_.columns);
  float* const position_bias_sums_ = take_if_relative<float>(sizes_.columns);
  float* const place_scores_ = take_if_relative<float>(kBlock * sizes_.place_stride);
  float* const other_place_gradients_ = take_if_relative<float>(kBlock * sizes_.place_stride);
};

}  // namespace etude::models::ETUDE_ISA
