#pragma once

#include <cstdint>
#include <utility>

#include "data/loader/loader.h"
#include "data/loader/random.h"

namespace etude::bench {

/// A step of one micro-batch [rows, columns] of random tokens for this rank, whatever the others have.
inline data::StepData random_batch(std::int64_t step, std::int64_t rows, std::int64_t columns, std::int64_t vocabulary,
                                   std::int64_t rank = 0, std::int64_t ranks = 1) {
  data::TokenGrid grain;
  grain.rows = rows;
  grain.columns = columns;
  grain.counted = rows * columns;
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    const auto draw = [&](std::int64_t which) {
      return data::uniform(data::random_bits(1, data::Purpose::kOrder, {step, i, which, rank}), 0, vocabulary - 1);
    };
    grain.inputs.push_back(draw(0));
    grain.targets.push_back(draw(1));
  }
  data::StepData data;
  data.step = step;
  data.first_grain = rank;
  data.counted = grain.counted * ranks;
  data.grains.push_back(std::move(grain));
  return data;
}

}  // namespace etude::bench
