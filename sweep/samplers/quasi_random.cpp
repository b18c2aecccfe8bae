#include "sweep/samplers/quasi_random.h"

#include <fmt/format.h>

#include "framework/config/error.h"
#include "sweep/samplers/quasi_random_sobol.h"
#include "sweep/samplers/random.h"
#include "sweep/samplers/unit_cube.h"

namespace etude::sweep {
namespace {

class QuasiRandomSampler final : public Sampler {
 public:
  void describe(config::Section& section) override {
    section.boolean("scramble", scramble_, "Whether the seed moves the points; otherwise they are always the same.");
  }

  void check(const SearchSpace& space, const std::vector<Direction>&) const override {
    if (space.entries.size() > kSobolDimensions) {
      throw UsageError(
          fmt::format("sampler quasi_random knows {} dimensions, and there are {} parameters; use kind: random",
                      kSobolDimensions, space.entries.size()));
    }
  }

  Suggestion suggest(const Question& question) override {
    const auto index = static_cast<std::uint64_t>(question.number);
    const SearchSpace::Entry* first = question.space.entries.data();
    const auto draw = [&](const SearchSpace::Entry& entry) {
      const auto dimension = static_cast<std::size_t>(&entry - first);
      std::uint32_t place = sobol(index, dimension);
      if (scramble_) place = scrambled(place, static_cast<std::uint32_t>(Random(question.seed, dimension).bits()));
      return from_unit(*entry.distribution, place * 0x1.0p-32);
    };
    return {fill(question, draw), {}, {}};
  }

 private:
  bool scramble_ = true;
};

}  // namespace

std::unique_ptr<Sampler> make_quasi_random_sampler() { return std::make_unique<QuasiRandomSampler>(); }

}  // namespace etude::sweep
