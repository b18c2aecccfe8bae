"""What the peers share: the model of the benchmarks, clocks, and the line that each of them prints."""
import json
import resource
import statistics
import time

import torch
from transformers import GPT2Config, GPT2LMHeadModel

VOCABULARY, TOKENS, BATCH = 512, 512, 8


def gpt2(dropout=0.0, vocabulary=VOCABULARY, tokens=TOKENS, layers=6, width=256, heads=8):
    torch.manual_seed(1)
    return GPT2LMHeadModel(GPT2Config(
        vocab_size=vocabulary, n_positions=tokens, n_embd=width, n_layer=layers, n_head=heads, resid_pdrop=dropout,
        embd_pdrop=dropout, attn_pdrop=dropout, bos_token_id=0, eos_token_id=None, pad_token_id=0))


class Clock:
    """Seconds by the wall and of the processor, of what is done within."""

    def __enter__(self):
        self.wall, self.cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_):
        self.wall, self.cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu


def median(clocks):
    result = Clock()
    result.wall = statistics.median(clock.wall for clock in clocks)
    result.cpu = statistics.median(clock.cpu for clock in clocks)
    return result


def report(**line):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**line, "peak_mib": peak}), flush=True)


def report_rate(amount, clock, **line):
    report(**line, figure=amount / clock.wall, cpu_figure=amount / clock.cpu)
