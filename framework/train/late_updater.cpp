#include <array>
#include <limits>
#include <optional>

#include <ATen/ATen.h>
#include <c10/core/Event.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "framework/train/updater.h"

namespace etude::train {
namespace {

constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();

/// Numbers on their way from the device to the host, or back, in memory that the device reaches by itself.
at::Tensor host_numbers(std::int64_t count, at::ScalarType type, const at::Device& device) {
  return at::empty({count}, at::TensorOptions().dtype(type).pinned_memory(!device.is_cpu()));
}

/// A step whose outcome the device has yet to find.
struct Pending {
  explicit Pending(const at::Device& device)
      : flags(host_numbers(5, at::kLong, device)),
        facts(host_numbers(9, at::kLong, device)),
        norms(host_numbers(2, at::kDouble, device)) {
    if (!device.is_cpu()) arrived.emplace(device.type());
  }

  StepOutcome step;
  at::Tensor
      flags;  ///< to the device: out of time, signalled, grains with a memory loss, the overseer's word, which signal
  at::Tensor facts, norms;            ///< from it
  std::optional<c10::Event> arrived;  ///< none on the CPU, where nothing is late
};

class LateUpdater : public Updater {
 public:
  LateUpdater(Optimizer& optimizer, comm::Communicator& communicator, double clip)
      : optimizer_(optimizer), communicator_(communicator), clip_(clip) {}

  std::vector<StepOutcome> end_step(const StepOutcome& step, const StepEnd& end) override {
    const c10::NoGradGuard no_gradients;
    const at::Device device = end.late.losses.device();
    // Two are enough: the one before is read before this one's successor begins.
    std::unique_ptr<Pending>& pending = slots_[static_cast<std::size_t>(step.step % 2)];
    if (!pending) pending = std::make_unique<Pending>(device);
    pending->step = step;

    const auto [sums, lowest] = agree_late(end, *pending);
    const at::Tensor norms = norms_of(end.gradients);
    const at::Tensor skip = sums[1].gt(0).logical_or(norms.isfinite().all().logical_not()).to(at::kFloat);
    const at::Tensor divisors = divisors_for(norms);
    optimizer_.step_late(end.gradients, step.lr, {divisors[0], divisors[1]}, skip);

    pending->facts.copy_(at::cat({sums, lowest}), /*non_blocking=*/true);
    pending->norms.copy_(norms, /*non_blocking=*/true);
    if (pending->arrived) pending->arrived->record(c10::impl::VirtualGuardImpl(device.type()).getStream(device));

    std::vector<StepOutcome> known = rest();
    under_way_ = pending.get();
    return known;
  }

  std::vector<StepOutcome> rest() override {
    if (under_way_ == nullptr) return {};
    const Pending& pending = *std::exchange(under_way_, nullptr);
    if (pending.arrived) pending.arrived->synchronize();
    StepOutcome outcome = pending.step;
    const std::int64_t* found = pending.facts.const_data_ptr<std::int64_t>();
    outcome.facts = {.loss = found[0],
                     .bad_grains = found[1],
                     .first_bad_grain = found[7] == kNone ? -1 : found[7],
                     .signal = found[8] == kNone ? 0 : static_cast<int>(found[8]),
                     .out_of_time = found[2] > 0,
                     .word = static_cast<Word>(found[5]),
                     .memory_loss = found[6],
                     .memory_grains = found[4]};
    outcome.norm = pending.norms.const_data_ptr<double>()[0];
    outcome.norm_apart = pending.norms.const_data_ptr<double>()[1];
    return {outcome};
  }

 private:
  struct Agreed {
    /// int64 [7]: losses, bad grains, ranks out of time, ranks signalled, grains with a memory loss, the overseer's
    /// word, losses of memory
    at::Tensor sums;
    at::Tensor lowest;  ///< int64 [2]: bad grain, signal
  };

  /// What agree() does, on the device.
  Agreed agree_late(const StepEnd& end, Pending& pending) {
    const auto& [losses, memory_losses] = end.late;
    const bool remembers = memory_losses.defined();
    const at::Tensor good = remembers ? is_good(losses).logical_and(is_good(memory_losses)) : is_good(losses);
    const at::Tensor grains =
        at::arange(end.first_grain, end.first_grain + losses.numel(), losses.options().dtype(at::kLong));

    auto* flags = pending.flags.mutable_data_ptr<std::int64_t>();
    flags[0] = end.own.out_of_time ? 1 : 0;
    flags[1] = end.own.signal != 0 ? 1 : 0;
    flags[2] = remembers ? memory_losses.numel() : 0;
    flags[3] = static_cast<std::int64_t>(end.own.word);
    flags[4] = end.own.signal != 0 ? end.own.signal : kNone;
    const at::Tensor there = pending.flags.to(losses.device(), /*non_blocking=*/true);

    const at::Tensor of_memory = remembers ? sum_in_units(memory_losses, good) : at::zeros_like(there[0]);
    Agreed agreed{at::stack({sum_in_units(losses, good), good.logical_not().sum(), there[0], there[1], there[2],
                             there[3], of_memory}),
                  at::stack({at::where(good, kNone, grains).amin(), there[4]})};
    communicator_.all_reduce(agreed.sums, comm::ReduceOp::kSum)->wait();
    communicator_.all_reduce(agreed.lowest, comm::ReduceOp::kMin)->wait();
    return agreed;
  }

  static at::Tensor is_good(const at::Tensor& losses) {
    return losses.isfinite().logical_and(losses.abs().le(StepFacts::kLargestLoss));
  }

  static at::Tensor sum_in_units(const at::Tensor& losses, const at::Tensor& good) {
    return at::where(good, (losses.to(at::kDouble) * StepFacts::kScale).round().to(at::kLong), 0).sum();
  }

  /// float64 [2]: of most parameters' gradients, and of those that learn apart.
  at::Tensor norms_of(const std::vector<at::Tensor>& gradients) const {
    const std::vector<models::Parameter>& parameters = optimizer_.parameters();
    std::array<std::vector<at::Tensor>, 2> groups;
    for (std::size_t i = 0; i < gradients.size(); ++i) groups[parameters[i].apart ? 1 : 0].push_back(gradients[i]);
    std::vector<at::Tensor> norms;
    for (const std::vector<at::Tensor>& group : groups) {
      norms.push_back(group.empty() ? at::zeros({}, gradients.front().options().dtype(at::kDouble))
                                    : at::linalg_vector_norm(at::stack(at::_foreach_norm(group)), 2, std::nullopt,
                                                             false, at::kDouble));
    }
    return at::stack(norms);
  }

  /// What gradients of these norms are divided by, as clip_grad_norm_ of PyTorch: float32 [2].
  at::Tensor divisors_for(const at::Tensor& norms) const {
    const at::Tensor one = at::ones_like(norms);
    return (clip_ > 0 ? at::where(norms > clip_, (norms + 1e-6) / clip_, one) : one).to(at::kFloat);
  }

  Optimizer& optimizer_;
  comm::Communicator& communicator_;
  const double clip_;
  std::array<std::unique_ptr<Pending>, 2> slots_;
  Pending* under_way_ = nullptr;
};

}  // namespace

std::unique_ptr<Updater> make_late_updater(Optimizer& optimizer, comm::Communicator& communicator, double clip) {
  return std::make_unique<LateUpdater>(optimizer, communicator, clip);
}

}  // namespace etude::train
