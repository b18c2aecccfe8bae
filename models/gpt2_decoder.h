#pragma once

#include <vector>

#include "models/gpt2.h"

namespace etude::models {

/// Keys and values of every token so far, in room for a whole context that is allocated once.
class Gpt2Decoder : public Decoder {
 public:
  /// `model` must outlive the decoder.
  Gpt2Decoder(const Gpt2& model, std::int64_t batch);

  at::Tensor advance(const at::Tensor& tokens) override;
  std::int64_t room() const override { return model_.context() - length_; }
  void reset() override { length_ = 0; }
  void select(const at::Tensor& rows) override;

 private:
  struct Cache {
    at::Tensor keys, values;  ///< [batch, heads, context, width / heads]
  };

  /// Attention of new queries to everything in the cache and to those of themselves that come before.
  at::Tensor attend(const at::Tensor& qkv, Cache& cache) const;

  const Gpt2& model_;
  std::int64_t batch_;
  std::int64_t length_ = 0;  ///< tokens in the cache
  std::vector<Cache> caches_;
};

}  // namespace etude::models
