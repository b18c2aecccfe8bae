"""Training speed of Hugging Face's Trainer with one thread, the same shape as bench_train. Prints one JSON line."""
import argparse
import tempfile

import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

from common import BATCH, TOKENS, VOCABULARY, Clock, gpt2, median, report_rate


class StepClock(TrainerCallback):
    """Seconds of each optimizer step."""

    def __init__(self):
        self.clocks = []

    def on_step_begin(self, *_, **__):
        self.clocks.append(Clock().__enter__())

    def on_step_end(self, *_, **__):
        self.clocks[-1].__exit__()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--compile", action="store_true")
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    rows = torch.randint(VOCABULARY, (BATCH * (arguments.steps + 2), TOKENS))
    clock = StepClock()
    with tempfile.TemporaryDirectory() as folder:
        Trainer(
            model=gpt2(arguments.dropout),
            args=TrainingArguments(
                output_dir=folder, max_steps=arguments.steps + 2, per_device_train_batch_size=BATCH, learning_rate=3e-4,
                bf16=arguments.precision == "bfloat16", torch_compile=arguments.compile, use_cpu=True, report_to=[],
                save_strategy="no", logging_strategy="no", disable_tqdm=True),
            train_dataset=[{"input_ids": row, "labels": row} for row in rows],
            callbacks=[clock],
        ).train()
    # The first step allocates, or compiles; so may the second.
    report_rate(BATCH * TOKENS, median(clock.clocks[2:]), what="train",
                who="Trainer, torch.compile" if arguments.compile else "Trainer", precision=arguments.precision,
                dropout=arguments.dropout, unit="tokens/s")


if __name__ == "__main__":
    main()
