"""A minimal training script: a pack's tokens, a GPT-2, one step of the Trainer. Says so when the step is done."""
import argparse
import tempfile

import h5py
import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

from common import BATCH, TOKENS, gpt2


class Teller(TrainerCallback):
    def on_step_end(self, *_, **__):
        print("first step done", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shard", help="train.h5 of a pack")
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    tokens = torch.tensor(h5py.File(arguments.shard)["tokens"][:], dtype=torch.long)
    rows = tokens[:len(tokens) // TOKENS * TOKENS].view(-1, TOKENS)
    with tempfile.TemporaryDirectory() as folder:
        Trainer(
            model=gpt2(dropout=0.1),
            args=TrainingArguments(
                output_dir=folder, max_steps=1, per_device_train_batch_size=BATCH, learning_rate=3e-4, use_cpu=True,
                report_to=[], save_strategy="no", logging_strategy="no", disable_tqdm=True),
            train_dataset=[{"input_ids": row, "labels": row} for row in rows],
            callbacks=[Teller()],
        ).train()


if __name__ == "__main__":
    main()
