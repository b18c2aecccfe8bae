"""Training speed of Hugging Face's Trainer on one GPU, the same shape as bench_gpu. Prints one JSON line."""
import argparse
import json
import tempfile
import time

import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

from common import VOCABULARY, gpt2

TOKENS, BATCH, WARM_UP = 1024, 16, 5


class Clock(TrainerCallback):
    """When the warm-up ended and when all was done, the GPU's work included."""

    def on_step_begin(self, arguments, state, control, **_):
        if state.global_step == WARM_UP:
            torch.cuda.synchronize()
            self.start = time.perf_counter()

    def on_train_end(self, *_, **__):
        torch.cuda.synchronize()
        self.seconds = time.perf_counter() - self.start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="bfloat16")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--compile", action="store_true")
    arguments = parser.parse_args()

    model = gpt2(arguments.dropout, tokens=TOKENS, layers=12, width=768, heads=12)
    steps = WARM_UP + arguments.steps
    rows = torch.randint(VOCABULARY, (BATCH * steps, TOKENS))
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        Trainer(
            model=model,
            args=TrainingArguments(
                output_dir=folder, max_steps=steps, per_device_train_batch_size=BATCH, learning_rate=3e-4,
                bf16=arguments.precision == "bfloat16", torch_compile=arguments.compile, optim="adamw_torch_fused",
                report_to=[], save_strategy="no", logging_strategy="no", disable_tqdm=True, dataloader_pin_memory=True),
            train_dataset=[{"input_ids": row, "labels": row} for row in rows],
            callbacks=[clock],
        ).train()
    print(json.dumps({
        "what": "train", "who": "Hugging Face Trainer" + (", compiled" if arguments.compile else ""),
        "device": torch.cuda.get_device_name(), "precision": arguments.precision, "dropout": arguments.dropout,
        "tokens_per_second": BATCH * TOKENS * arguments.steps / clock.seconds}))


if __name__ == "__main__":
    main()
