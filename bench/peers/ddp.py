"""Training speed of two processes of PyTorch's DistributedDataParallel over gloo, one thread and 8 sequences each."""
import argparse
import os

import torch
import torch.distributed
import torch.multiprocessing

from common import BATCH, TOKENS, VOCABULARY, Clock, gpt2, median, report_rate


def train(rank, ranks, steps, dropout):
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[rank % len(cores)]})
    torch.set_num_threads(1)
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=os.environ.get("MASTER_PORT", "29511"))
    torch.distributed.init_process_group("gloo", rank=rank, world_size=ranks)
    model = torch.nn.parallel.DistributedDataParallel(gpt2(dropout))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, fused=True)
    clocks = []
    for _ in range(steps + 2):
        rows = torch.randint(VOCABULARY, (BATCH, TOKENS))
        with Clock() as clock:
            model(input_ids=rows, labels=rows).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        clocks.append(clock)
    if rank == 0:
        report_rate(ranks * BATCH * TOKENS, median(clocks[2:]), what="ranks", who="DDP over gloo, 2 processes",
                    precision="float32", dropout=dropout, unit="tokens/s")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--dropout", type=float, default=0.0)
    given = parser.parse_args()
    torch.multiprocessing.spawn(train, (2, given.steps, given.dropout), nprocs=2)
