#include "framework/train/options.h"

#include "framework/evaluate/metrics.h"

namespace etude::train {

namespace {
constexpr std::int64_t kMany = 1'000'000'000'000;
}

void describe(config::Section& section, TrainOptions& options) {
  section.integer("steps", options.steps, {1, kMany}, "Optimizer steps to take.");
  section.number("epochs", options.epochs, {0, 1e9},
                 "Passes over the training data, fractions allowed; above 0 it takes the place of train.steps.");
  section.integer("global_batch", options.global_batch, {1, 1'000'000},
                  "Sequences per optimizer step, over all ranks; a multiple of train.micro_batch, and there can be as "
                  "many ranks as it holds of those.");
  section.integer("micro_batch", options.micro_batch, {1, 100'000},
                  "Sequences computed at once by one thread; global_batch / micro_batch of them make a step.");
  section.choice("optimizer", options.optimizer, {{"adamw", OptimizerKind::kAdamW}, {"sgd", OptimizerKind::kSgd}},
                 "AdamW (Loshchilov & Hutter 2019), or SGD with momentum.");
  section.number("lr", options.lr, {0, 1e3}, "Learning rate after warm-up.");
  section.number("beta1", options.beta1, {0, 0.999999}, "AdamW's decay of the gradient's running mean.");
  section.number("beta2", options.beta2, {0, 0.9999999}, "AdamW's decay of the squared gradient's running mean.");
  section.number("epsilon", options.epsilon, {1e-16, 1}, "Added to AdamW's denominator.");
  section.number("weight_decay", options.weight_decay, {0, 10},
                 "Decoupled weight decay; applies to matrices, not to biases and normalisation.");
  section.number("momentum", options.momentum, {0, 0.9999}, "SGD's momentum.");
  section.number("clip", options.clip, {0, 1e9}, "Largest global norm of the gradient; 0 does not clip.");
  section.number(
      "label_smoothing", options.label_smoothing, {0, 0.9},
      "Share of the target distribution spread evenly over all tokens; in the loss of training, not in eval_loss.");
  section.choice("schedule", options.schedule,
                 {{"cosine", ScheduleKind::kCosine},
                  {"linear", ScheduleKind::kLinear},
                  {"constant", ScheduleKind::kConstant},
                  {"inverse_sqrt", ScheduleKind::kInverseSquareRoot},
                  {"plateau", ScheduleKind::kPlateau}},
                 "How the learning rate goes down after warm-up; plateau lowers it when stop.metric stops improving.");
  section.integer("warmup", options.warmup, {0, kMany},
                  "Steps in which the learning rate rises linearly to train.lr, the first at lr / warmup.");
  section.number("min_lr", options.min_lr, {0, 1e3}, "Learning rate that schedules do not go below after warm-up.");
  section.number("plateau_factor", options.plateau_factor, {1e-6, 0.999999},
                 "What schedule plateau multiplies the learning rate by.");
  section.integer("plateau_patience", options.plateau_patience, {0, 1'000'000},
                  "Evaluations in a row without improvement that schedule plateau lets pass; it acts at the next.");
  section.choice("device", options.device,
                 {{"auto", device::Choice::kAuto}, {"cpu", device::Choice::kCpu}, {"cuda", device::Choice::kCuda}},
                 "Where to compute: on the CPU, on NVIDIA GPUs (one a rank), or auto, on GPUs where there are some.");
  section.number(
      "peak_tflops", options.peak_tflops, {0, 1e6},
      "Teraflops that one rank's device could do, to log the share reached (mfu); 0 takes what is known of the "
      "GPU, bfloat16 without sparsity.");
  section.choice(
      "precision", options.precision, {{"float32", Precision::kFloat32}, {"bfloat16", Precision::kBfloat16}},
      "Type of matrices and their products; weights are also kept in float32, and sums and losses always are.");
  section.choice("reduction", options.reduction,
                 {{"tree", parallel::Reduction::kTree}, {"fast", parallel::Reduction::kFast}},
                 "How gradients are summed: tree gives the same bits on any number of ranks, fast does not.");
  section.number("bucket_mib", options.bucket_mib, {0.001, 4096},
                 "Size of the buckets in which gradients travel between ranks, in MiB.");
  section.integer("threads", options.threads, {0, 4096},
                  "Threads per rank, each computing a micro-batch of its own; 0 takes the cores there are.");
  section.choice("non_finite", options.non_finite, {{"skip", NonFinite::kSkip}, {"stop", NonFinite::kStop}},
                 "What all ranks do about a step whose loss or gradient is not finite; ten skipped in a row stop too.");
  section.integer("log_every", options.log_every, {1, kMany},
                  "Steps between lines on the screen and in metrics.jsonl.");
  section.number("time_limit", options.time_limit, {0, 1e9},
                 "Seconds after which the run writes a checkpoint and ends, to be resumed; 0 for none.");
  section.number(
      "collective_timeout", options.collective_timeout, {0, 1e9},
      "Seconds that ranks wait for one another before they say who is missing and end, to be resumed; longer "
      "than it takes to write a checkpoint. 0 waits for ever.");
  section.path(
      "init_from", options.init_from,
      "Run folder (its best weights), checkpoint folder or what transformers' save_pretrained wrote, of the same "
      "model and vocabulary, to start from; empty starts anew.");
  section.path(
      "go_on_from", options.go_on_from,
      "Run folder whose newest checkpoint this run begins from, with its step, optimizer and place in the data; "
      "data, model, batch and seed have to be the same, all else may differ. Empty begins at step 0.");
}

void describe(config::Section& section, StopOptions& options) {
  std::vector<std::pair<std::string, std::string>> metrics;
  for (const std::string& name : evaluate::kMetricNames) metrics.emplace_back(name, name);
  section.choice(
      "metric", options.metric, metrics,
      "What decides which checkpoint is best, early stopping and schedule plateau; on the validation split.");
  section.integer("patience", options.patience, {0, 1'000'000},
                  "Evaluations without improvement after which training stops; 0 never stops early.");
  section.number("min_delta", options.min_delta, {0, 1e9}, "How much better counts as an improvement.");
  section.boolean("load_best_at_end", options.load_best_at_end,
                  "Whether the run ends with its best weights (checkpoints/final) instead of its last.");
}

}  // namespace etude::train
