#include "models/kernels/key_value_cache.h"

#include <algorithm>

#include <ATen/ops/zeros.h>

#include "models/kernels/decode.h"

namespace etude::models {

namespace {

std::int64_t panels_of(std::int64_t columns) { return (columns + kPanelColumns - 1) / kPanelColumns; }

float* place(const at::Tensor& tensor, std::int64_t slot, std::int64_t head) {
  return tensor.mutable_data_ptr<float>() + slot * tensor.stride(0) + head * tensor.stride(1);
}

}  // namespace

KeyValueCache::KeyValueCache(std::int64_t slots, std::int64_t heads, std::int64_t head_width, std::int64_t context)
    : context_(context),
      keys_(at::zeros({slots, heads, panels_of(context), head_width, kPanelColumns}, at::kFloat)),
      values_(at::zeros({slots, heads, panels_of(head_width), context, kPanelColumns}, at::kFloat)) {}

const float* KeyValueCache::keys(std::int64_t slot, std::int64_t head) const { return place(keys_, slot, head); }
const float* KeyValueCache::values(std::int64_t slot, std::int64_t head) const { return place(values_, slot, head); }

void KeyValueCache::put(std::int64_t slot, std::int64_t position, const float* keys, const float* values) {
  const std::int64_t heads = keys_.size(1), width = keys_.size(3);
  for (std::int64_t head = 0; head < heads; ++head, keys += width, values += width) {
    float* to = place(keys_, slot, head) + position / kPanelColumns * keys_.stride(2) + position % kPanelColumns;
    for (std::int64_t d = 0; d < width; ++d) to[d * kPanelColumns] = keys[d];
    to = place(values_, slot, head) + position * kPanelColumns;
    for (std::int64_t d = 0; d < width; d += kPanelColumns) {
      std::copy_n(values + d, std::min(kPanelColumns, width - d), to);
      to += values_.stride(2);
    }
  }
}

void KeyValueCache::copy(std::int64_t from, std::int64_t to, std::int64_t positions) {
  for (std::int64_t head = 0; head < keys_.size(1); ++head) {
    std::copy_n(place(keys_, from, head), panels_of(positions) * keys_.stride(2), place(keys_, to, head));
    for (std::int64_t panel = 0; panel < values_.size(2); ++panel) {
      const std::int64_t begin = panel * values_.stride(2);
      std::copy_n(place(values_, from, head) + begin, positions * kPanelColumns, place(values_, to, head) + begin);
    }
  }
}

void KeyValueCache::forget(std::int64_t positions, std::int64_t end) {
  for (std::int64_t slot = 0; slot < keys_.size(0); ++slot) {
    for (std::int64_t head = 0; head < keys_.size(1); ++head) {
      float* const keys = place(keys_, slot, head);
      std::copy(keys + positions / kPanelColumns * keys_.stride(2), keys + panels_of(end) * keys_.stride(2), keys);
      for (std::int64_t panel = 0; panel < values_.size(2); ++panel) {
        float* const values = place(values_, slot, head) + panel * values_.stride(2);
        std::copy(values + positions * kPanelColumns, values + end * kPanelColumns, values);
      }
    }
  }
}

}  // namespace etude::models
