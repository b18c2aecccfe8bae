// Generation speed of one thread: pieces of 500 tokens from one token each, by the decoder and the sampler that
// `etude generate` is made of, without a grammar, which the peer has not either. Prints one JSON line.
//   bench_generate [--model KIND] [--batch N] [--precision float32|bfloat16] [--tokens N] [--after N]
// With --after the tokens are timed that follow so many others, which are heard before; models with memory take any
// number of them.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <CLI/CLI.hpp>
#include <c10/core/InferenceMode.h>

#include "bench/clocks.h"
#include "data/loader/random.h"
#include "generation/sampler.h"
#include "models/registry.h"

namespace {

using namespace etude;

constexpr std::int64_t kVocabulary = 512, kContext = 512, kMost = 1 << 24;

/// The model of bench_train as this kind, with memories of half its sequence where it has any.
std::unique_ptr<models::Model> make_model(const std::string& kind) {
  models::ModelOptions options;
  options.kind = kind;
  options.transformer_xl.memory = kContext / 2;
  options.compressive_transformer.transformer_xl.memory = kContext / 2;
  const bool segments = kind == "transformer_xl" || kind == "compressive_transformer";
  return models::make_model(options, kVocabulary, segments ? kContext / 2 : kContext, 1);
}

void hear(models::Decoder& decoder, std::int64_t batch, std::int64_t count) {
  const c10::InferenceMode no_gradients;
  const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(1);
  decoder.advance(at::empty({1, count}, at::kLong).random_(0, kVocabulary, generator).expand({batch, count}));
}

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
  std::int64_t batch = 1, tokens = 500, after = 0;
  std::string precision = "float32", kind = "gpt2";
  CLI::App app{"Generation speed of one thread"};
  app.add_option("--batch", batch)->check(CLI::Range(1, 4096));
  app.add_option("--precision", precision)->check(CLI::IsMember({"float32", "bfloat16"}));
  app.add_option("--tokens", tokens)->check(CLI::Range(std::int64_t{1}, kMost));
  app.add_option("--after", after)->check(CLI::Range(std::int64_t{0}, kMost));
  app.add_option("--model", kind);
  CLI11_PARSE(app, argc, argv);
  at::set_num_threads(1);

  const auto model = make_model(kind);
  if (precision == "bfloat16") models::set_matrix_dtype(*model, at::kBFloat16);
  bench::Seconds before = bench::now();
  const auto decoder = model->decoder(batch);  // packs the weights: part of making music
  if (after > 0) {
    hear(*decoder, batch, after);
    before = bench::now();
  }
  make_pieces(*decoder, batch, tokens);
  const bench::Seconds passed = bench::now() - before;
  const auto made = static_cast<double>(batch * tokens);
  bench::print({{"what", after > 0 ? "generate far" : "generate"},
                {"who", "etude"},
                {"model", kind},
                {"precision", precision},
                {"after", after},
                {"batch", batch},
                {"figure", made / passed.wall},
                {"cpu_figure", made / passed.cpu},
                {"unit", "tokens/s"}});
}
