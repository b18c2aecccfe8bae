#pragma once

#include "models/kernels/isa/simd.h"
#include "models/kernels/philox.h"

namespace etude::models::ETUDE_ISA {

static_assert(MaskStream::kGroup % kLanes == 0);

/// What the mask makes of the elements whose numbers these are: 0, or what the kept ones are multiplied by.
inline Floats factors(const MaskStream& mask, const std::uint16_t* numbers) {
  const Ints kept = __builtin_convertvector(load(numbers), Ints) >= static_cast<std::int32_t>(mask.threshold());
  return kept ? all(mask.scale()) : Floats{};
}

template <typename T>
void dropout(const void* in, void* out, std::int64_t size, std::int64_t first, std::int64_t last,
             const MaskStream& mask) {
  const T* from = static_cast<const T*>(in);
  T* to = static_cast<T*>(out);
  std::uint16_t numbers[MaskStream::kGroup];
  for (std::int64_t group = first; group < last; ++group) {
    mask.draw(static_cast<std::uint64_t>(group), numbers);
    const std::int64_t begin = group * MaskStream::kGroup, end = smaller(begin + MaskStream::kGroup, size);
    std::int64_t i = begin;
    for (; i + kLanes <= end; i += kLanes) store(to + i, load(from + i) * factors(mask, numbers + (i - begin)));
    if (i < end) store_some(to + i, load_some(from + i, end - i) * factors(mask, numbers + (i - begin)), end - i);
  }
}

}  // namespace etude::models::ETUDE_ISA
