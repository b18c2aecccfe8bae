"""Training speed of Hugging Face's Trainer with one thread, the same shape as bench_train. Prints one JSON line."""
import argparse
import json
import statistics
import tempfile
import time

import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainerCallback, TrainingArguments

VOCABULARY, TOKENS, BATCH = 512, 512, 8


class Clock(TrainerCallback):
    """Seconds of each optimizer step."""

    def __init__(self):
        self.seconds = []

    def on_step_begin(self, *_, **__):
        self.before = time.perf_counter()

    def on_step_end(self, *_, **__):
        self.seconds.append(time.perf_counter() - self.before)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--steps", type=int, default=6)
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = GPT2LMHeadModel(GPT2Config(
        vocab_size=VOCABULARY, n_positions=TOKENS, n_embd=256, n_layer=6, n_head=8, resid_pdrop=arguments.dropout,
        embd_pdrop=arguments.dropout, attn_pdrop=arguments.dropout, bos_token_id=0, eos_token_id=0))
    rows = torch.randint(VOCABULARY, (BATCH * (arguments.steps + 1), TOKENS))
    dataset = [{"input_ids": row, "labels": row} for row in rows]
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        Trainer(
            model=model,
            args=TrainingArguments(
                output_dir=folder, max_steps=arguments.steps + 1, per_device_train_batch_size=BATCH, learning_rate=3e-4,
                bf16=arguments.precision == "bfloat16", use_cpu=True, report_to=[], save_strategy="no",
                logging_strategy="no", disable_tqdm=True),
            train_dataset=dataset,
            callbacks=[clock],
        ).train()
    print(json.dumps({
        "what": "train", "who": "Hugging Face Trainer", "precision": arguments.precision, "dropout": arguments.dropout,
        "tokens_per_second": BATCH * TOKENS / statistics.median(clock.seconds[1:])}))


if __name__ == "__main__":
    main()
