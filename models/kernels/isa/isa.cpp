// The kernels for one instruction set: compiled several times, with ETUDE_ISA its name, ETUDE_LANES floats in a vector,
// and ETUDE_BFLOAT16_PAIRS where products of bfloat16 are made in pairs.
#include "models/kernels/isa/attention_head.h"
#include "models/kernels/isa/cross_entropy.h"
#include "models/kernels/isa/decode.h"
#include "models/kernels/isa/dropout.h"
#include "models/kernels/isa/gelu.h"
#include "models/kernels/kernels.h"

namespace etude::models::ETUDE_ISA {

namespace {

#ifdef ETUDE_BFLOAT16_PAIRS
using Bfloat16Products = PairProducts;
#else
using Bfloat16Products = FloatProducts;
#endif

std::int64_t attention_scratch(std::int64_t time, std::int64_t head_width) {
  return AttentionKernel<float, FloatProducts, false>::scratch(time, 0, head_width);
}

template <typename T, class Products>
void attention_forward(const AttentionHead& head) {
  AttentionKernel<T, Products, false>(&head, nullptr).forward(1);
}

template <typename T, class Products>
void attention_backward(const AttentionHead& head) {
  AttentionKernel<T, Products, false>(&head, nullptr).backward(1);
}

std::int64_t relative_attention_scratch(std::int64_t time, std::int64_t memory, std::int64_t head_width) {
  return AttentionKernel<float, FloatProducts, true>::scratch(time, memory, head_width);
}

template <typename T, class Products>
void relative_attention_forward(const AttentionHead* rows, std::int64_t batch, const HeadPositions& positions) {
  AttentionKernel<T, Products, true>(rows, &positions).forward(batch);
}

template <typename T, class Products>
void relative_attention_backward(const AttentionHead* rows, std::int64_t batch, const HeadPositions& positions) {
  AttentionKernel<T, Products, true>(rows, &positions).backward(batch);
}

#define ETUDE_TEXT_OF(name) #name
#define ETUDE_TEXT(name) ETUDE_TEXT_OF(name)

}  // namespace

extern const Kernels kKernels;
const Kernels kKernels = {
    .name = ETUDE_TEXT(ETUDE_ISA),
    .attention_scratch = attention_scratch,
    .attention_forward = {attention_forward<float, FloatProducts>, attention_forward<Bfloat16, Bfloat16Products>},
    .attention_backward = {attention_backward<float, FloatProducts>, attention_backward<Bfloat16, Bfloat16Products>},
    .relative_attention_scratch = relative_attention_scratch,
    .relative_attention_forward = {relative_attention_forward<float, FloatProducts>,
                                   relative_attention_forward<Bfloat16, Bfloat16Products>},
    .relative_attention_backward = {relative_attention_backward<float, FloatProducts>,
                                    relative_attention_backward<Bfloat16, Bfloat16Products>},
    .dropout = {dropout<float>, dropout<Bfloat16>},
    .gelu_forward = {gelu_forward<float>, gelu_forward<Bfloat16>},
    .gelu_backward = {gelu_backward<float>, gelu_backward<Bfloat16>},
    .cross_entropy = cross_entropy,
    .decode = {.multiply_panels = {multiply_panels<float>, multiply_panels<Bfloat16>},
               .interleave = interleave_panel_row,
               .normalise = normalise_row,
               .attend = decode_attention,
               .scratch = decode_scratch,
               .attend_relative = decode_relative_attention,
               .relative_scratch = decode_relative_scratch},
};

}  // namespace etude::models::ETUDE_ISA
