#include "sweep/samplers/random.h"

#include "sweep/samplers/unit_cube.h"

namespace etude::sweep {
namespace {

class RandomSampler final : public Sampler {
 public:
  void describe(config::Section&) override {}
  Suggestion suggest(const Question& question) override { return {random_values(question), {}, {}}; }
};

}  // namespace

Assignment random_values(const Question& question) {
  Random random = question.random();
  // Drawn for those that are fixed or not active as well: the others keep their values whatever the user enqueues.
  std::map<std::string, double> places;
  for (const SearchSpace::Entry& entry : question.space.entries) places[entry.name] = random.uniform();
  return fill(question,
              [&](const SearchSpace::Entry& entry) { return from_unit(*entry.distribution, places.at(entry.name)); });
}

std::unique_ptr<Sampler> make_random_sampler() { return std::make_unique<RandomSampler>(); }

}  // namespace etude::sweep
