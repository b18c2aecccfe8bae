"""How long the Trainer takes to write a checkpoint: weights, optimizer, schedule, generator, state."""
import argparse

import torch
from transformers import Trainer, TrainingArguments

from common import BATCH, TOKENS, VOCABULARY, Clock, gpt2, median, report


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    rows = torch.randint(VOCABULARY, (BATCH, TOKENS))
    trainer = Trainer(
        model=gpt2(),
        args=TrainingArguments(
            output_dir=arguments.folder, max_steps=1, per_device_train_batch_size=BATCH, use_cpu=True, report_to=[],
            save_strategy="steps", save_steps=1000, save_total_limit=2, logging_strategy="no", disable_tqdm=True),
        train_dataset=[{"input_ids": row, "labels": row} for row in rows])
    trainer.train()
    clocks = []
    for step in range(1, 10):
        trainer.state.global_step = step
        with Clock() as clock:
            trainer._save_checkpoint(trainer.model, trial=None)
        clocks.append(clock)
    typical = median(clocks)
    report(what="parts", who="Trainer", part="checkpoint", figure=typical.wall, cpu_figure=typical.cpu, unit="s")


if __name__ == "__main__":
    main()
