#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace etude::models {

/// Keys and values of one layer, laid out as the decoder's attention reads them (see DecodeAttention), for some slots
/// of so many positions.
class KeyValueCache {
 public:
  KeyValueCache() = default;
  KeyValueCache(std::int64_t slots, std::int64_t heads, std::int64_t head_width, std::int64_t context);

  const float* keys(std::int64_t slot, std::int64_t head) const;
  const float* values(std::int64_t slot, std::int64_t head) const;
  std::int64_t context() const { return context_; }
  /// [slots, heads, panels of positions, width of a head, kPanelColumns]
  const at::Tensor& all_keys() const { return keys_; }

  /// Takes those of all heads, side by side.
  void put(std::int64_t slot, std::int64_t position, const float* keys, const float* values);
  /// Makes the first positions of slot `to` those of slot `from`.
  void copy(std::int64_t from, std::int64_t to, std::int64_t positions);
  /// Forgets the first positions, a multiple of kPanelColumns; those from there to `end` move to the front.
  void forget(std::int64_t positions, std::int64_t end);

 private:
  std::int64_t context_ = 0;
  at::Tensor keys_;    ///< [slots, heads, panels of positions, width of a head, kPanelColumns]
  at::Tensor values_;  ///< [slots, heads, panels of a head's columns, context, kPanelColumns]
};

}  // namespace etude::models
