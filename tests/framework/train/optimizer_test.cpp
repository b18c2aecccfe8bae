#include "framework/train/optimizer.h"

#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/checkpoint/weights.h"
#include "framework/config/error.h"
#include "tests/models/support.h"
#include "tests/support/oracle.h"

namespace etude::train {
namespace {

using etude::testing::random_normal;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kSteps = 20;

/// A matrix that decays, a bias and a scale that do not.
std::vector<models::Parameter> parameters() {
  std::vector<models::Parameter> made{{"matrix", random_normal({7, 5}, 1), true},
                                      {"bias", random_normal({5}, 2), false},
                                      {"scale", random_normal({}, 3), false}};
  for (models::Parameter& parameter : made) parameter.value.requires_grad_(true);
  return made;
}

/// Gradients of a step, flat as the reducer gives them. Small ones are among them, where epsilon counts.
std::vector<at::Tensor> gradients_of(int step) {
  std::vector<at::Tensor> made;
  for (const models::Parameter& parameter : parameters()) {
    made.push_back(random_normal({parameter.value.numel()}, 100 + step * 10 + made.size(), step % 5 == 4 ? 1e-8 : 0.3));
  }
  return made;
}

double rate_of(int step) { return 0.01 * (1 + step % 7); }

TrainOptions options_of(OptimizerKind kind) {
  TrainOptions options;
  options.optimizer = kind;
  options.beta1 = 0.85;
  options.beta2 = 0.97;
  options.epsilon = 1e-7;
  options.weight_decay = 0.3;
  options.momentum = 0.8;
  return options;
}

models::NamedTensors copies(const models::NamedTensors& tensors) {
  models::NamedTensors made;
  for (const auto& [name, tensor] : tensors) made.emplace_back(name, tensor.detach().clone());
  return made;
}

void expect_same_bits(const models::NamedTensors& a, const models::NamedTensors& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].first, b[i].first);
    EXPECT_TRUE(a[i].second.equal(b[i].second)) << a[i].first;
  }
}

/// The same steps by PyTorch's own optimizers. SGD there couples its decay with the gradient; decoupled it is one
/// multiplication before the step.
constexpr const char* kOracle = R"(
import sys, torch
from safetensors.torch import load_file, save_file
given = load_file(sys.argv[1] + '/given.safetensors')
result = {}
for kind in 'AdamW', 'Sgd':
    weights = {name: torch.nn.Parameter(given[name].clone()) for name in ('matrix', 'bias', 'scale')}
    decays, others = [weights['matrix']], [weights['bias'], weights['scale']]
    if kind == 'AdamW':
        optimizer = torch.optim.AdamW([{'params': decays, 'weight_decay': 0.3},
                                       {'params': others, 'weight_decay': 0.0}], betas=(0.85, 0.97), eps=1e-7,
                                      foreach=False)
    else:
        optimizer = torch.optim.SGD(decays + others, momentum=0.8, foreach=False)
    for step in range(20):
        lr = 0.01 * (1 + step % 7)
        for group in optimizer.param_groups: group['lr'] = lr
        for name, weight in weights.items():
            weight.grad = (0.5 * given[f'{name}.{step}']).view_as(weight)
        if kind == 'Sgd':
            with torch.no_grad():
                for weight in decays: weight.mul_(1 - lr * 0.3)
        optimizer.step()
        result.update({f'{kind}.{name}.{step}': weight.detach().clone() for name, weight in weights.items()})
save_file(result, sys.argv[1] + '/expected.safetensors')
)";

TEST(Optimizer, TakesPyTorchsStepsWithDecayOnMatricesAlone) {
  if (!etude::testing::oracle_python()) GTEST_SKIP() << "no oracle Python: script/setup --test makes one";
  const etude::testing::TemporaryFolder folder;
  models::NamedTensors given;
  const std::vector<models::Parameter> initial = parameters();
  for (std::size_t i = 0; i < initial.size(); ++i) {
    given.emplace_back(initial[i].name, initial[i].value.detach());
    for (int step = 0; step < kSteps; ++step) {
      given.emplace_back(initial[i].name + "." + std::to_string(step), gradients_of(step)[i]);
    }
  }
  models::write_safetensors(folder.path() / "given.safetensors", given);
  etude::testing::run_python(kOracle, {folder.path().string()});
  const models::NamedTensors expected = models::read_safetensors(folder.path() / "expected.safetensors");

  parallel::WorkerPool workers(2);
  for (const OptimizerKind kind : {OptimizerKind::kAdamW, OptimizerKind::kSgd}) {
    const std::string prefix = kind == OptimizerKind::kAdamW ? "AdamW." : "Sgd.";
    const std::vector<models::Parameter> learned = parameters();
    const auto optimizer = make_optimizer(learned, options_of(kind), workers);
    for (int step = 0; step < kSteps; ++step) {
      optimizer->step(gradients_of(step), rate_of(step), 0.5);  // as if clipped to half
      // The weights learned are the model's own.
      for (const models::Parameter& parameter : learned) {
        const std::string name = prefix + parameter.name + "." + std::to_string(step);
        const at::Tensor theirs = etude::testing::find(expected, name);
        EXPECT_LT(etude::testing::relative_error(parameter.value.detach(), theirs), 2e-6) << name;
      }
    }
  }
}

TEST(Optimizer, DecayAloneShrinksMatricesByLrTimesDecay) {
  for (const OptimizerKind kind : {OptimizerKind::kAdamW, OptimizerKind::kSgd}) {
    std::vector<models::Parameter> learned{{"matrix", at::full({2, 2}, 3.0f), true},
                                           {"bias", at::full({2}, 3.0f), false}};
    parallel::WorkerPool workers(1);
    const auto optimizer = make_optimizer(learned, options_of(kind), workers);
    optimizer->step({at::zeros({4}), at::zeros({2})}, 0.5, 1.0);
    EXPECT_TRUE(learned[0].value.allclose(at::full({2, 2}, 3.0f * (1 - 0.5f * 0.3f)), 1e-6, 0));
    EXPECT_TRUE(learned[1].value.equal(at::full({2}, 3.0f)));
  }
}

TEST(Optimizer, Bfloat16WeightsAreTheMastersRounded) {
  for (const OptimizerKind kind : {OptimizerKind::kAdamW, OptimizerKind::kSgd}) {
    const std::vector<models::Parameter> learned = parameters(), plain = parameters();
    TrainOptions options = options_of(kind);
    parallel::WorkerPool workers(2);
    const auto reference = make_optimizer(plain, options, workers);
    options.precision = Precision::kBfloat16;
    const auto optimizer = make_optimizer(learned, options, workers);
    learned[0].value.set_data(learned[0].value.detach().to(at::kBFloat16));  // as models::set_matrix_dtype does
    for (int step = 0; step < kSteps; ++step) {
      // A rate so small that bfloat16 alone would never move.
      optimizer->step(gradients_of(step), 1e-5, 1.0);
      reference->step(gradients_of(step), 1e-5, 1.0);
      for (std::size_t i = 0; i < learned.size(); ++i) {
        EXPECT_TRUE(learned[i].value.equal(optimizer->weights()[i].second.to(learned[i].value.scalar_type())));
      }
    }
    EXPECT_EQ(learned[0].value.scalar_type(), at::kBFloat16);
    EXPECT_EQ(learned[1].value.scalar_type(), at::kFloat);
    expect_same_bits(optimizer->weights(), reference->weights());
  }
}

TEST(Optimizer, LoadingWeightsSetsMastersAndWhatTheModelComputesWith) {
  const std::vector<models::Parameter> learned = parameters();
  TrainOptions options;
  options.precision = Precision::kBfloat16;
  parallel::WorkerPool workers(1);
  const auto optimizer = make_optimizer(learned, options, workers);
  learned[0].value.set_data(learned[0].value.detach().to(at::kBFloat16));
  const models::NamedTensors other{{"scale", random_normal({}, 31)},
                                   {"matrix", random_normal({7, 5}, 32)},
                                   {"bias", random_normal({5}, 33)},
                                   {"nobody asked for this", at::zeros({3})}};
  optimizer->load_weights(other, "here");
  EXPECT_TRUE(optimizer->weights()[0].second.equal(other[1].second));
  EXPECT_TRUE(learned[0].value.equal(other[1].second.to(at::kBFloat16)));
  EXPECT_TRUE(learned[1].value.equal(other[2].second));
  EXPECT_TRUE(learned[2].value.equal(other[0].second));
}

TEST(Optimizer, GoesOnFromItsStateToTheSameBits) {
  for (const OptimizerKind kind : {OptimizerKind::kAdamW, OptimizerKind::kSgd}) {
    parallel::WorkerPool workers(1);
    const auto whole = make_optimizer(parameters(), options_of(kind), workers);
    for (int step = 0; step < 7; ++step) whole->step(gradients_of(step), rate_of(step), 1.0);
    const models::NamedTensors weights = copies(whole->weights()), state = copies(whole->state());

    const auto second = make_optimizer(parameters(), options_of(kind), workers);
    second->load_weights(weights, "checkpoint");
    second->load_state(state, "checkpoint");
    expect_same_bits(copies(second->state()), state);
    for (int step = 7; step < kSteps; ++step) {
      whole->step(gradients_of(step), rate_of(step), 1.0);
      second->step(gradients_of(step), rate_of(step), 1.0);
    }
    expect_same_bits(second->weights(), whole->weights());
    expect_same_bits(second->state(), whole->state());
  }
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Optimizer, NamesThePlaceAndTheTensorThatDoesNotFit) {
  parallel::WorkerPool workers(1);
  const auto optimizer = make_optimizer(parameters(), TrainOptions{}, workers);
  models::NamedTensors weights = copies(optimizer->weights()), state = copies(optimizer->state());

  weights[0].second = at::zeros({5, 7});
  EXPECT_THAT(message_of([&] { optimizer->load_weights(weights, "runs/a/step-1"); }),
              AllOf(HasSubstr("runs/a/step-1"), HasSubstr("'matrix'"), HasSubstr("[5, 7]"), HasSubstr("[7, 5]")));
  weights[0].first = "matrices";
  EXPECT_THAT(message_of([&] { optimizer->load_weights(weights, "runs/a/step-1"); }),
              AllOf(HasSubstr("runs/a/step-1"), HasSubstr("no tensor 'matrix'")));
  state.pop_back();
  EXPECT_THAT(message_of([&] { optimizer->load_state(state, "runs/a/step-1"); }),
              AllOf(HasSubstr("runs/a/step-1"), HasSubstr("'exp_avg_sq.scale'")));
  // SGD's state is not AdamW's.
  TrainOptions sgd;
  sgd.optimizer = OptimizerKind::kSgd;
  EXPECT_THAT(message_of([&] { make_optimizer(parameters(), sgd, workers)->load_state(state, "there"); }),
              AllOf(HasSubstr("there"), HasSubstr("'momentum_buffer.matrix'")));
}

/// Of parameters that all learn alike.
double norm_of(const std::vector<at::Tensor>& gradients, parallel::WorkerPool& workers) {
  return gradient_norms(std::vector<models::Parameter>(gradients.size()), gradients, workers).of_most;
}

TEST(GlobalNorm, IsTheNormOfAllGradientsTogether) {
  parallel::WorkerPool workers(3);
  // 3, 4 and 12 of a right-angled box have the diagonal 13.
  EXPECT_DOUBLE_EQ(norm_of({at::full({1}, 3.0f), at::full({4}, 2.0f), at::full({9}, -4.0f)}, workers), 13.0);
  EXPECT_EQ(norm_of({at::zeros({5})}, workers), 0.0);
  const auto gradients = gradients_of(1);
  const double torch_norm = at::cat(gradients).to(at::kDouble).norm().item<double>();
  EXPECT_NEAR(norm_of(gradients, workers), torch_norm, 1e-6 * torch_norm);
  EXPECT_TRUE(std::isnan(norm_of({at::zeros({2}), at::full({2}, NAN)}, workers)));
  EXPECT_TRUE(std::isinf(norm_of({at::zeros({2}), at::full({2}, INFINITY)}, workers)));
}

}  // namespace
}  // namespace etude::train
