#pragma once

#include "models/kernels/isa/dropout.h"
#include "models/kernels/isa/tile.h"
#include "models/kernels/kernels.h"
#include "models/kernels/philox.h"

namespace etude::models::ETUDE_ISA {

/// Causal attention of one head, forward and backward, one block of queries at a time. Everything is copied into
/// buffers whose sizes are multiples of the tiles' first, padded with zeros, so that products have no ragged edges.
/// T is the type in memory, Products how the factors are multiplied.
template <typename T, class Products>
class AttentionKernel {
 public:
  explicit AttentionKernel(const AttentionHead& head) : head_(head), sizes_(head.time, head.head_width) {}

  static std::int64_t scratch(std::int64_t time, std::int64_t head_width) {
    const Sizes sizes(time, head_width);
    return 2 * sizes.queries * sizes.row_elements + 2 * sizes.keys * sizes.row_elements +
           7 * sizes.keys * sizes.columns + sizes.keys + 4 * kBlock * sizes.stride;
  }

  void forward() {
    pack_rows(head_.queries, head_.stride, query_rows_);
    pack_across(head_.keys, keys_across_);
    pack_along(head_.values, head_.stride, values_along_);
    for (std::int64_t first = 0; first < sizes_.queries; first += kBlock) {
      const Block block{first, smaller(kBlock, sizes_.queries - first)};
      multiply_with_keys(block, query_rows_, keys_across_, scores_);
      for (std::int64_t row = 0; row < block.rows; ++row) soften(block, row);
      multiply_keys_away(block, probability_rows(), values_along_, query_sums_);
    }
    for (std::int64_t query = 0; query < head_.time; ++query) {
      T* to = static_cast<T*>(head_.output) + query * head_.output_stride;
      put_row(query_sums_ + query * sizes_.columns, inverse_totals_[query], to);
    }
  }

  void backward() {
    pack_rows(head_.queries, head_.stride, query_rows_);
    pack_rows(head_.output_gradient, head_.output_stride, out_gradient_rows_);
    pack_across(head_.keys, keys_across_);
    pack_across(head_.values, values_across_);
    pack_along(head_.keys, head_.stride, keys_along_);
    pack_along(head_.queries, head_.stride, queries_along_);
    pack_along(head_.output_gradient, head_.output_stride, out_gradient_along_);
    std::memset(key_sums_, 0, static_cast<std::size_t>(sizes_.keys * sizes_.columns) * sizeof(float));
    std::memset(value_sums_, 0, static_cast<std::size_t>(sizes_.keys * sizes_.columns) * sizeof(float));

    for (std::int64_t first = 0; first < sizes_.queries; first += kBlock) {
      const Block block{first, smaller(kBlock, sizes_.queries - first)};
      multiply_with_keys(block, query_rows_, keys_across_, scores_);
      multiply_with_keys(block, out_gradient_rows_, values_across_, gradients_);
      for (std::int64_t row = 0; row < block.rows; row += Products::kDepth) soften_backward(block, row);
      multiply_queries_away(block, probability_columns(), out_gradient_along_, value_sums_);
      multiply_queries_away(block, gradient_columns(), queries_along_, key_sums_);
      multiply_keys_away(block, gradient_rows(), keys_along_, query_sums_);
    }
    for (std::int64_t row = 0; row < head_.time; ++row) {
      const std::int64_t from = row * sizes_.columns, to = row * head_.stride;
      put_row(query_sums_ + from, 1.0F, static_cast<T*>(head_.query_gradient) + to);
      put_row(key_sums_ + from, 1.0F, static_cast<T*>(head_.key_gradient) + to);
      put_row(value_sums_ + from, 1.0F, static_cast<T*>(head_.value_gradient) + to);
    }
  }

 private:
  using Element = typename Products::Element;
  static constexpr std::int64_t kDepth = Products::kDepth;
  /// Queries at a time: their scores over 512 keys, twice in backward, stay in the second cache.
  static constexpr std::int64_t kBlock = 48;
  static_assert(kBlock % kTileRows == 0 && kTileRows % 2 == 0);
  /// Keys whose products are summed before the next rows' are, so that their half of the product stays in the cache.
  static constexpr std::int64_t kKeysAtOnce = 128;

  struct Sizes {
    std::int64_t queries, keys, columns, row_elements, stride;
    Sizes(std::int64_t time, std::int64_t head_width)
        : queries(round_up(time, kTileRows)),
          keys(round_up(round_up(queries, kTileColumns), kTileRows)),
          columns(round_up(head_width, kTileColumns)),
          row_elements((head_width + kDepth - 1) / kDepth),
          // Not a power of two, or a column's elements would share a few places of the cache.
          stride(round_up(keys, kTileColumns) + 16) {}
  };
  struct Block {
    std::int64_t first, rows;
    /// One after the last key that some query of it may look at.
    std::int64_t keys() const { return first + rows; }
  };

  // How the operands of the products are laid out.

  /// Rows as left factors: [queries, row_elements].
  void pack_rows(const void* from, std::int64_t stride, Element* to) const {
    const std::int64_t width = kDepth * sizes_.row_elements;
    for (std::int64_t row = 0; row < sizes_.queries; ++row) {
      const T* source = static_cast<const T*>(from) + row * stride;
      Part* place = reinterpret_cast<Part*>(to + row * sizes_.row_elements);
      std::int64_t i = 0;
      if (row < head_.time) {
        for (; i + kLanes <= head_.head_width; i += kLanes) store(place + i, load(source + i));
        for (; i < head_.head_width; ++i) place[i] = part(source[i]);
      }
      for (; i < width; ++i) place[i] = Part{};
    }
  }

  /// Rows as the columns of a right factor, [rows / kTileColumns][row_elements][kTileColumns].
  void pack_across(const void* from, Element* to) const {
    const std::int64_t width = kDepth * sizes_.row_elements;
    for (std::int64_t first = 0; first < sizes_.queries; first += kTileColumns) {
      Part* panel = reinterpret_cast<Part*>(to + first * sizes_.row_elements);
      for (std::int64_t column = 0; column < kTileColumns; ++column) {
        const T* source = static_cast<const T*>(from) + (first + column) * head_.stride;
        const auto place = [&](std::int64_t i) -> Part& {
          return panel[(i / kDepth * kTileColumns + column) * kDepth + i % kDepth];
        };
        const std::int64_t inside = first + column < head_.time ? head_.head_width : 0;
        for (std::int64_t i = 0; i < inside; ++i) place(i) = part(source[i]);
        for (std::int64_t i = inside; i < width; ++i) place(i) = Part{};
      }
    }
  }

  /// Rows as the rows of a right factor, [columns / kTileColumns][rows / kDepth][kTileColumns].
  void pack_along(const void* from, std::int64_t stride, Element* to) const {
    for (std::int64_t row = 0; row < sizes_.keys; ++row) {
      const T* source = static_cast<const T*>(from) + row * stride;
      for (std::int64_t column = 0; column < sizes_.columns; column += kTileColumns) {
        Element* elements = to + column / kDepth * sizes_.keys + row / kDepth * kTileColumns;
        const std::int64_t inside = row < head_.time ? larger(0, smaller(kTileColumns, head_.head_width - column)) : 0;
        if constexpr (kDepth == 1) {
          for (std::int64_t i = 0; i < kTileColumns; i += kLanes) {
            const std::int64_t count = larger(0, smaller(kLanes, inside - i));
            store(elements + i, count == kLanes ? load(source + column + i) : load_some(source + column + i, count));
          }
        } else {
          Part* parts = reinterpret_cast<Part*>(elements) + row % kDepth;
          for (std::int64_t i = 0; i < kTileColumns; ++i) {
            parts[i * kDepth] = i < inside ? part(source[column + i]) : Part{};
          }
        }
      }
    }
  }

  // The products. Tiles that lie wholly in the future are left out.

  /// to [rows, keys] = left [rows, head_width] times the rows packed across, for the block's rows.
  void multiply_with_keys(const Block& block, const Element* left, const Element* across, float* to) const {
    for (std::int64_t key = 0; key < block.keys(); key += kTileColumns) {
      for (std::int64_t row = larger(0, key - block.first) / kTileRows * kTileRows; row < block.rows;
           row += kTileRows) {
        multiply_tile<Products, false>(
            sizes_.row_elements, {left + (block.first + row) * sizes_.row_elements, sizes_.row_elements, 1},
            across + key * sizes_.row_elements, to + row * sizes_.stride + key, sizes_.stride);
      }
    }
  }

  /// to [queries, columns], the block's rows = left [rows, keys] times the rows packed along.
  void multiply_keys_away(const Block& block, const Element* left, const Element* along, float* to) const {
    const std::int64_t row_stride = sizes_.stride / kDepth;
    for (std::int64_t first_key = 0; first_key < block.keys(); first_key += kKeysAtOnce) {
      for (std::int64_t row = larger(0, first_key - block.first) / kTileRows * kTileRows; row < block.rows;
           row += kTileRows) {
        const std::int64_t keys = smaller(kKeysAtOnce, block.first + row + kTileRows - first_key);
        for (std::int64_t column = 0; column < sizes_.columns; column += kTileColumns) {
          const Left<Element> factor{left + row * row_stride + first_key / kDepth, row_stride, 1};
          const Element* right = along + column / kDepth * sizes_.keys + first_key / kDepth * kTileColumns;
          float* place = to + (block.first + row) * sizes_.columns + column;
          if (first_key == 0) {
            multiply_tile<Products, false>((keys + kDepth - 1) / kDepth, factor, right, place, sizes_.columns);
          } else {
            multiply_tile<Products, true>((keys + kDepth - 1) / kDepth, factor, right, place, sizes_.columns);
          }
        }
      }
    }
  }

  /// to [keys, columns] += transpose(left [rows, keys]) times the block's rows of what is packed along.
  void multiply_queries_away(const Block& block, const Element* left, const Element* along, float* to) const {
    for (std::int64_t key = 0; key < block.keys(); key += kTileRows) {
      const std::int64_t row = larger(0, key - block.first) / kTileRows * kTileRows / kDepth;
      for (std::int64_t column = 0; column < sizes_.columns; column += kTileColumns) {
        multiply_tile<Products, true>(
            block.rows / kDepth - row, {left + row * sizes_.stride + key, 1, sizes_.stride},
            along + column / kDepth * sizes_.keys + (block.first / kDepth + row) * kTileColumns,
            to + key * sizes_.columns + column, sizes_.columns);
      }
    }
  }

  // The work on scores between the products.

  /// One after the last column that products of the block look at.
  static std::int64_t end_of_row(const Block& block) { return round_up(block.keys(), kLanes); }
  float scale() const { return 1.0F / __builtin_sqrtf(static_cast<float>(head_.head_width)); }

  /// A row of scores becomes exp(score - largest), dropped ones included, and zeros after the query. The row's part
  /// of the output is still to be multiplied by inverse_totals_[query].
  void soften(const Block& block, std::int64_t row) {
    const std::int64_t query = block.first + row, keys = query + 1, end = end_of_row(block);
    float* scores = scores_ + row * sizes_.stride;
    hide_future(scores, keys);
    Floats most = load(scores), also_most = most;  // two, since each maximum waits for the one before
    std::int64_t next = kLanes;
    for (; next + kLanes < keys; next += 2 * kLanes) {
      most = maximum(most, load(scores + next));
      also_most = maximum(also_most, load(scores + next + kLanes));
    }
    if (next < keys) most = maximum(most, load(scores + next));
    const float scaling = scale(), highest = largest(maximum(most, also_most)) * scaling;

    Floats sums{};
    Factors factors(head_, query);
    for (std::int64_t i = 0; i < end; i += kLanes) {
      Floats x{};
      if (i < keys) {
        x = exponential(load(scores + i) * scaling - highest);
        sums += x;
        if (head_.mask != nullptr) x *= factors.at(i);
      }
      store(parts_of(probability_rows()) + row * sizes_.stride + i, x);
    }
    const float total = sum(sums);
    inverse_totals_[query] = 1.0F / total;
    if (query < head_.time) head_.log_sums[query] = highest + __builtin_logf(total);
  }

  /// A row of scores becomes dropped probabilities, and the gradients of those become the gradients of the products of
  /// queries and keys; as many rows at once as are summed over in one step.
  void soften_backward(const Block& block, std::int64_t first_row) {
    const std::int64_t end = end_of_row(block);
    const float scaling = scale();
    float inner[kDepth], log_sum[kDepth];
    for (std::int64_t r = 0; r < kDepth; ++r) {
      const std::int64_t query = block.first + first_row + r;
      inner[r] = query < head_.time ? inner_product(query) : 0.0F;
      log_sum[r] = query < head_.time ? head_.log_sums[query] : 0.0F;
      hide_future(scores_ + (first_row + r) * sizes_.stride, query + 1);
    }
    Factors factors[2] = {Factors(head_, block.first + first_row), Factors(head_, block.first + first_row + 1)};
    for (std::int64_t i = 0; i < end; i += kLanes) {
      Floats dropped[2], gradients[2];
      for (std::int64_t r = 0; r < kDepth; ++r) {
        const std::int64_t place = (first_row + r) * sizes_.stride + i, keys = block.first + first_row + r + 1;
        dropped[r] = gradients[r] = Floats{};
        if (i >= keys) continue;
        const Floats p = exponential(load(scores_ + place) * scaling - log_sum[r]);
        dropped[r] = p;
        Floats slope = load(gradients_ + place);
        if (head_.mask != nullptr) {
          const Floats factor = factors[r].at(i);
          dropped[r] *= factor;
          slope *= factor;
        }
        // What lies after the query was never computed and may be anything.
        gradients[r] = p == 0.0F ? Floats{} : p * (slope - inner[r]) * scaling;
      }
      put_products(first_row, i, dropped, gradients);
    }
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
        store(parts_of(gradient_rows()) + place + r * sizes_.stride, gradients[r]);
      }
    }
  }

  static void hide_future(float* row, std::int64_t keys) {
    if (keys % kLanes == 0) return;
    float* place = row + keys / kLanes * kLanes;
    const Ints hidden = lane_numbers() >= static_cast<std::int32_t>(keys % kLanes);
    store(place, hidden ? all(-__builtin_inff()) : load(place));
  }

  /// The inner product of a query's output and its gradient, which is that of its probabilities and theirs.
  float inner_product(std::int64_t query) const {
    const T* a = static_cast<const T*>(head_.output) + query * head_.output_stride;
    const T* b = static_cast<const T*>(head_.output_gradient) + query * head_.output_stride;
    Floats sums{};
    std::int64_t i = 0;
    for (; i + kLanes <= head_.head_width; i += kLanes) sums += load(a + i) * load(b + i);
    float total = sum(sums);
    for (; i < head_.head_width; ++i) total += value(a[i]) * value(b[i]);
    return total;
  }

  /// What the mask does to the probabilities of one query: 0 or 1 / (1 - rate), drawn a group at a time.
  class Factors {
   public:
    Factors(const AttentionHead& head, std::int64_t query)
        : mask_(head.mask), group_(head.first_group + static_cast<std::uint64_t>(query) * head.groups_per_query) {}
    /// Of columns i, i + 1, …; to be called for i = 0, kLanes, 2 * kLanes, …
    Floats at(std::int64_t i) {
      if (i % MaskStream::kGroup == 0) mask_->draw(group_++, numbers_);
      return factors(*mask_, numbers_ + i % MaskStream::kGroup);
    }

   private:
    const MaskStream* mask_;
    std::uint64_t group_;
    std::uint16_t numbers_[MaskStream::kGroup];
  };

  void put_row(const float* from, float factor, T* to) const {
    std::int64_t i = 0;
    for (; i + kLanes <= head_.head_width; i += kLanes) store(to + i, load(from + i) * factor);
    if (i < head_.head_width) store_some(to + i, load(from + i) * factor, head_.head_width - i);
  }

  // A value of an Element, and how memory's type becomes one.
  template <class P, typename Unused = void>
  struct PartOf {
    using type = float;
  };
  template <typename Unused>
  struct PartOf<PairProducts, Unused> {
    using type = Bfloat16;
  };
  using Part = typename PartOf<Products>::type;
  static float part(float x) requires(kDepth == 1) { return x; }
  static auto part(Bfloat16 x) {
    if constexpr (kDepth == 1) {
      return value(x);
    } else {
      return x;
    }
  }
  static Part* parts_of(Element* elements) { return reinterpret_cast<Part*>(elements); }

  // Where probabilities and gradients of scores stand as factors: in place for float32, in rooms of their own for
  // pairs.
  Element* probability_rows() const { return reinterpret_cast<Element*>(kDepth == 1 ? scores_ : other_probabilities_); }
  Element* probability_columns() const { return probability_rows(); }
  Element* gradient_rows() const { return reinterpret_cast<Element*>(kDepth == 1 ? gradients_ : other_gradients_); }
  Element* gradient_columns() const {
    return kDepth == 1 ? gradient_rows() : gradient_rows() + kBlock / 2 * sizes_.stride;
  }

  template <typename Value = Element>
  Value* take(std::int64_t count) {
    float* taken = next_;
    next_ += count;
    return reinterpret_cast<Value*>(taken);
  }

  const AttentionHead& head_;
  const Sizes sizes_;
  float* next_ = head_.scratch;
  Element* const query_rows_ = take(sizes_.queries * sizes_.row_elements);
  Element* const out_gradient_rows_ = take(sizes_.queries * sizes_.row_elements);
  Element* const keys_across_ = take(sizes_.keys * sizes_.row_elements);
  Element* const values_across_ = take(sizes_.keys * sizes_.row_elements);
  Element* const keys_along_ = take(sizes_.keys * sizes_.columns);
  Element* const values_along_ = take(sizes_.keys * sizes_.columns);
  Element* const queries_along_ = take(sizes_.keys * sizes_.columns);
  Element* const out_gradient_along_ = take(sizes_.keys * sizes_.columns);
  float* const query_sums_ = take<float>(sizes_.keys * sizes_.columns);  // forward: the output
  float* const key_sums_ = take<float>(sizes_.keys * sizes_.columns);
  float* const value_sums_ = take<float>(sizes_.keys * sizes_.columns);
  float* const inverse_totals_ = take<float>(sizes_.keys);  // [queries]
  float* const scores_ = take<float>(kBlock * sizes_.stride);
  float* const gradients_ = take<float>(kBlock * sizes_.stride);
  float* const other_probabilities_ = take<float>(kBlock * sizes_.stride);
  float* const other_gradients_ = take<float>(kBlock * sizes_.stride);
};

}  // namespace etude::models::ETUDE_ISA
