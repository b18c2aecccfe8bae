#!/usr/bin/env python3
"""How long `etude report` takes over many long runs, whose folders it makes up.

  bench/report.py [--runs 200] [--steps 10000] [--etude build/release/etude] [--keep DIR]

Prints a line of JSON for each format: seconds (best of three) and bytes written.
"""
import argparse
import json
import math
import pathlib
import random
import subprocess
import tempfile
import time


def write_run(folder, number, steps, pieces):
    """Three seeds of each configuration; a line of metrics.jsonl for each step, as long as those of real runs."""
    width, seed = 64 + 8 * (number // 3), number % 3
    luck = random.Random(number)
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(
        f"name: made-up\nrun: {folder}\nseed: {seed}\ndata:\n  pack: packs/demo\n  sequence_length: 256\n"
        f"model:\n  kind: gpt2\n  layers: 4\n  width: {width}\ntrain:\n  steps: {steps}\n  lr: 0.001\n")
    (folder / "environment.json").write_text(json.dumps(
        {"device": "CPU", "ranks": 2, "threads_per_rank": 4, "parameters": 12 * 4 * width * width, "flops_per_token": 6e6}))
    with open(folder / "metrics.jsonl", "w") as out:
        for step in range(1, steps + 1):
            out.write(json.dumps({
                "communication_wait": luck.random() / 10, "data_wait": luck.random() / 1000, "epoch": step / 1000,
                "loss": 6 / math.sqrt(step) + 2 + luck.gauss(0, 0.05), "lr": 0.001 * luck.random(), "norm": luck.random(),
                "padding": 0.0, "seconds": step * 0.1, "step": step, "steps": steps, "tokens": step * 4096,
                "tokens_per_second": 40960 + luck.random()}, separators=(",", ":")) + "\n")
            if step % 200 == 0:
                loss = 6 / math.sqrt(step) + 2.1
                out.write(json.dumps({"epoch": step / 1000, "eval_loss": loss, "eval_loss_per_note": 4 * loss,
                                      "eval_perplexity": math.exp(loss), "eval_tokens": 50000, "eval_top1": 0.4,
                                      "eval_top5": 0.8, "step": step}) + "\n")
    measured = []
    for name, notes, hardness in pieces:
        per_note = hardness + 400 / width + luck.gauss(0, 0.1)
        measured.append({"id": name, "file": name + ".mid", "notes": notes, "tokens": 4 * notes, "seconds": notes / 4,
                         "nll": notes * per_note})
    nll, notes = sum(one["nll"] for one in measured), sum(one["notes"] for one in measured)
    keys = [[luck.randrange(100) for _ in range(89)] for _ in range(88)]
    (folder / "evaluation.json").write_text(json.dumps({"test": {
        "step": steps, "split_hash": "one", "tokenizer": "remi", "tokens": 4 * notes, "notes": notes, "loss": nll / notes / 4,
        "loss_per_note": nll / notes, "perplexity": math.exp(nll / notes / 4), "top1": 0.5, "top5": 0.9, "pieces": measured,
        "by_position": [{"from": 0 if i == 0 else 8 << i, "to": (16 << i) - 1, "tokens": 1000, "loss": 3 - i / 10} for i in range(8)],
        "confusion": {"pitches": {"lowest": 21, "counts": keys}}}}, indent=1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--steps", type=int, default=10000)
    parser.add_argument("--pieces", type=int, default=100)
    parser.add_argument("--etude", default="build/release/etude")
    parser.add_argument("--keep", type=pathlib.Path, help="leave the runs and reports here")
    arguments = parser.parse_args()
    luck = random.Random(0)
    pieces = [(f"piece-{i:03}", luck.randrange(50, 800), luck.gauss(3, 0.5)) for i in range(arguments.pieces)]
    with tempfile.TemporaryDirectory() as temporary:
        root = arguments.keep or pathlib.Path(temporary)
        for number in range(arguments.runs):
            if not (root / "runs" / f"run-{number:03}").exists():
                write_run(root / "runs" / f"run-{number:03}", number, arguments.steps, pieces)
        read = sum(file.stat().st_size for file in (root / "runs").glob("*/metrics.jsonl"))
        for kind in ("html", "md", "csv", "json"):
            output, seconds = root / f"report.{kind}", []
            for _ in range(3):
                start = time.perf_counter()
                subprocess.run([arguments.etude, "report", root / "runs", "--output", output, "--format", kind],
                               check=True, stderr=subprocess.DEVNULL)
                seconds.append(time.perf_counter() - start)
            print(json.dumps({"format": kind, "runs": arguments.runs, "steps": arguments.steps, "read_mib": round(read / 2**20),
                              "seconds": round(min(seconds), 2), "written_mib": round(output.stat().st_size / 2**20, 2)}))


if __name__ == "__main__":
    main()
