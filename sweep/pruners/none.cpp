#include "sweep/pruners/none.h"

namespace etude::sweep {
namespace {

class NoPruner : public Pruner {
 public:
  void describe(config::Section&) override {}
  void check(const std::vector<Direction>&) const override {}
  Verdict judge(const History&, const Trial&) const override { return Verdict::kContinue; }
};

}  // namespace

std::unique_ptr<Pruner> make_no_pruner() { return std::make_unique<NoPruner>(); }

}  // namespace etude::sweep
