// Generation speed of one thread: pieces of 500 tokens from one token each, by the decoder and the sampler that
// `etude generate` is made of, without a grammar, which the peer has not either. Prints one JSON line.
//   bench_generate [--batch N] [--precision float32|bfloat16] [--tokens N]
#include <ATen/Parallel.h>
#include <ATen/ops/zeros.h>
#include <CLI/CLI.hpp>
#include <c10/core/InferenceMode.h>

#include "bench/clocks.h"
#include "data/loader/random.h"
#include "generation/sampler.h"
#include "models/gpt2.h"

namespace {

using namespace etude;

constexpr std::int64_t kVocabulary = 512, kContext = 512;

void make_pieces(models::Decoder& decoder, std::int64_t batch, std::int64_t count) {
  const c10::InferenceMode no_gradients;
  generation::Sampler sampler({.temperature = 1.0, .top_k = 50});
  at::Tensor tokens = at::zeros({batch, 1}, at::kLong);
  std::int64_t* newest = tokens.mutable_data_ptr<std::int64_t>();
  for (std::int64_t made = 0; made < count; ++made) {
    const at::Tensor logits = decoder.advance(tokens);
    for (std::int64_t row = 0; row < batch; ++row) {
      float* of_row = logits.mutable_data_ptr<float>() + row * logits.stride(0);
      const auto bits = data::random_bits(1, data::Purpose::kSampling, {row, made});
      newest[row] = sampler.draw({of_row, kVocabulary}, {}, {}, static_cast<double>(bits >> 11) * 0x1p-53);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t batch = 1, tokens = 500;
  std::string precision = "float32";
  CLI::App app{"Generation speed of one thread"};
  app.add_option("--batch", batch)->check(CLI::Range(1, 4096));
  app.add_option("--precision", precision)->check(CLI::IsMember({"float32", "bfloat16"}));
  app.add_option("--tokens", tokens)->check(CLI::Range(std::int64_t{1}, kContext));
  CLI11_PARSE(app, argc, argv);
  at::set_num_threads(1);

  models::Gpt2 model({.layers = 6, .width = 256, .heads = 8}, kVocabulary, kContext, 1);
  if (precision == "bfloat16") models::set_matrix_dtype(model, at::kBFloat16);
  const bench::Seconds before = bench::now();
  const auto decoder = model.decoder(batch);  // packs the weights: part of making music
  make_pieces(*decoder, batch, tokens);
  const bench::Seconds passed = bench::now() - before;
  const auto made = static_cast<double>(batch * tokens);
  bench::print({{"what", "generate"},
                {"who", "etude"},
                {"precision", precision},
                {"batch", batch},
                {"figure", made / passed.wall},
                {"cpu_figure", made / passed.cpu},
                {"unit", "tokens/s"}});
}
