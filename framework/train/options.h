#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "framework/config/options.h"
#include "framework/device/device.h"
#include "framework/parallel/gradient_reducer.h"

namespace etude::train {

enum class OptimizerKind { kAdamW, kSgd };
enum class ScheduleKind { kCosine, kLinear, kConstant, kInverseSquareRoot, kPlateau };
enum class Precision { kFloat32, kBfloat16 };
enum class NonFinite { kSkip, kStop };

/// The `train` section of an experiment.
struct TrainOptions {
  std::int64_t steps = 1000;
  double epochs = 0;
  std::int64_t global_batch = 32;
  std::int64_t micro_batch = 4;

  OptimizerKind optimizer = OptimizerKind::kAdamW;
  double lr = 3e-4;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;
  double momentum = 0.9;
  double clip = 1.0;
  double label_smoothing = 0.0;

  ScheduleKind schedule = ScheduleKind::kCosine;
  std::int64_t warmup = 0;
  double min_lr = 0;
  double plateau_factor = 0.5;
  std::int64_t plateau_patience = 2;

  device::Choice device = device::Choice::kAuto;
  double peak_tflops = 0;
  Precision precision = Precision::kFloat32;
  parallel::Reduction reduction = parallel::Reduction::kTree;
  double bucket_mib = 4;
  std::int64_t threads = 0;
  NonFinite non_finite = NonFinite::kSkip;
  std::int64_t log_every = 10;
  double time_limit = 0;
  double collective_timeout = 600;
  std::filesystem::path init_from;
  std::filesystem::path go_on_from;
};
void describe(config::Section& section, TrainOptions& options);

/// The `stop` section of an experiment.
struct StopOptions {
  std::string metric = "eval_loss";
  std::int64_t patience = 0;
  double min_delta = 0;
  bool load_best_at_end = true;
};
void describe(config::Section& section, StopOptions& options);

}  // namespace etude::train
