"""Etude beside its peers. Called by script/bench; each benchmark below measures in turn, then shows a table."""
import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

from measure import CORES, ROOT, Session, number, older_peer, peer, ratio, studies_peer, table

PRECISIONS = ("float32", "bfloat16")
CLOCKS = {"wall": "figure", "cpu": "cpu_figure"}
# Operations of a training step for one token of this model: Gpt2::training_flops_per_token(512).
FLOPS_PER_TOKEN = 6 * (6 * 12 * 256**2 + 512 * 256) + 6 * 6 * 256 * 512


def slow_for_peers(precision):
    """Where the processor does not multiply bfloat16 itself, a step of theirs takes most of a minute."""
    return precision == "bfloat16" and not {"avx512_bf16", "amx_bf16"} & set(cpu_flags())


def train(session):
    for _ in range(session.rounds):
        for precision in PRECISIONS:
            session.run(peer("gemm.py", "--precision", precision))
            slow = slow_for_peers(precision)
            for dropout in ("0.0", "0.1"):
                options = ("--precision", precision, "--dropout", dropout)
                session.run([session.program("bench_train"), *options])
                session.run(peer("hf_trainer.py", *options, *(("--steps", "1") if slow else ())))
                if not slow:
                    session.run(peer("hf_trainer.py", "--compile", *options))


def train_table(session, clock):
    rows = []
    peak = {p: session.figure(clock, what="gemm", precision=p) for p in PRECISIONS}
    for precision in PRECISIONS:
        for dropout in (0.0, 0.1):
            etude, trainer, compiled = (
                session.figure(clock, what="train", who=who, precision=precision, dropout=dropout)
                for who in ("etude", "Trainer", "Trainer, torch.compile"))
            if etude is None:
                continue
            share = etude * FLOPS_PER_TOKEN / (1e9 * max(peak.values())) if all(peak.values()) else None
            rows.append((precision, dropout, number(etude), number(trainer), ratio(etude, trainer), number(compiled),
                         ratio(etude, compiled), "–" if share is None else f"{100 * share:.0f} %"))
    peaks = ", ".join(f"{number(peak[p])} GFLOP/s in {p}" for p in PRECISIONS if peak[p])
    table(f"Training, tokens per second, one thread; matrix products reach {peaks}",
          ("precision", "dropout", "etude", "Trainer", "ratio", "torch.compile", "ratio", "of the higher of these"),
          rows)


def ranks(session):
    bench = [session.program("bench_train"), "--dropout", "0.1"]
    mpirun = ["mpirun", "-n", "2", "--bind-to", "core", *([] if len(CORES) > 1 else ["--oversubscribe"])]
    for _ in range(session.rounds):
        for line in session.run(bench, keep=False):
            session.keep({**line, "what": "ranks", "who": "etude, alone"})
        session.run([*mpirun, *bench, "--mpi"], core=None)
        session.side_by_side(bench, "etude, 2 that do not communicate")
        session.run(peer("ddp.py", "--dropout", "0.1"), core=None)


def ranks_table(session, clock):
    ceiling = session.figure(clock, what="ranks", who="etude, 2 that do not communicate")
    rows = [(who, number(session.figure(clock, what="ranks", who=who)),
             ratio(session.figure(clock, what="ranks", who=who), ceiling))
            for who in session.values("who", what="ranks")]
    table("Two ranks, float32, dropout 0.1, tokens per second of both together"
          + (" (of a processor second: of rank 0)" if clock == "cpu_figure" else ""),
          ("", "tokens/s", "of two that do not communicate"), rows)


def generate(session):
    for _ in range(session.rounds):
        for batch in (1, 8, 32):
            for precision in PRECISIONS:
                session.run([session.program("bench_generate"), "--batch", batch, "--precision", precision])
            session.run(peer("hf_generate.py", "--batch", batch))


def generate_table(session, clock):
    rows = []
    for batch in session.values("batch", what="generate"):
        plain, rounded = (session.figure(clock, what="generate", who="etude", batch=batch, precision=precision)
                          for precision in PRECISIONS)
        theirs = session.figure(clock, what="generate", who="transformers", batch=batch)
        rows.append((batch, number(plain), number(rounded), number(theirs), ratio(plain, theirs),
                     ratio(rounded, theirs)))
    table("Generation, tokens per second, pieces of 500 tokens, top-k 50, one thread; ours also with bfloat16 weights",
          ("pieces at once", "float32", "bfloat16", "transformers", "ratio", "ratio, bfloat16"), rows)


FAR_MODELS = ("transformer_xl", "compressive_transformer", "recurrent_memory_transformer")
FAR = (500, 50_000)


def far(session):
    for _ in range(session.rounds):
        for model in FAR_MODELS:
            for after in FAR:
                session.run([session.program("bench_generate"), "--model", model, "--after", after])


def far_table(session, clock):
    rows = []
    for model in session.values("model", what="generate far"):
        near, late = (session.figure(clock, what="generate far", model=model, after=after) for after in FAR)
        rows.append((model, number(near), number(late), ratio(late, near)))
    table("Generation far into a piece, tokens per second, 500 tokens after so many others, one thread, float32",
          ("", *(f"after {after:,}" for after in FAR), "ratio"), rows)


def midi_files(session):
    """A folder of MIDI files: real music where it is, else the built-in corpus as abc2midi writes it."""
    shared = pathlib.Path(os.environ.get("ETUDE_SHARED", ROOT.parent / "shared"))
    if (shared / "data/piano").is_dir():
        return shared / "data/piano"
    folder = session.work / "corpus"
    folder.mkdir(exist_ok=True)
    for book in (ROOT / "data/corpus").rglob("*.abc"):
        subprocess.run(["abc2midi", book.resolve(), "-quiet"], cwd=folder, stdout=subprocess.DEVNULL, check=False)
        for made in book.parent.glob("*.mid"):
            shutil.move(made, folder / made.name)
    return folder


def pack(session):
    music = midi_files(session)
    files = len(list(music.rglob("*.mid")))
    for _ in range(session.rounds):
        command = [session.program("etude"), "pack", "--input", music, "--output", session.work / "music",
                   "--threads", "1", "--overwrite"]
        wall, usage = session.seconds_until(command, "^pack ")
        session.keep({"what": "pack", "who": "etude", "files": files, "figure": files / wall,
                      "cpu_figure": files / (usage.ru_utime + usage.ru_stime), "unit": "files/s",
                      "peak_mib": usage.ru_maxrss / 1024})
        session.run(peer("miditok_encode.py", music, session.work / "miditok.npy"))


def pack_table(session, clock):
    ours, theirs = (session.figure(clock, what="pack", who=who) for who in ("etude", "MidiTok"))
    files = session.values("files", what="pack", who="etude")[0]
    table(f"Tokenizing {files} MIDI files, files per second, one thread (ours: the whole of `etude pack`)",
          ("etude", "MidiTok", "ratio"), [(number(ours), number(theirs), ratio(ours, theirs))])


EXPERIMENT = """
name: bench
run: {work}/run
data: {{pack: {work}/corpus-pack, sequence_length: 512}}
model: {{kind: gpt2, layers: 6, width: 256, heads: 8, dropout: 0.1}}
train: {{steps: 1, global_batch: 8, micro_batch: 8, log_every: 1, threads: 1}}
evaluate: {{every: 0}}
checkpoint: {{every: 0}}
"""


def start(session):
    etude = session.program("etude")
    session.run([etude, "pack", "--input", ROOT / "data/corpus", "--output", session.work / "corpus-pack",
                 "--overwrite"], keep=False)
    experiment = session.work / "bench.yaml"
    experiment.write_text(EXPERIMENT.format(work=session.work))
    for _ in range(session.rounds):
        for who, command, pattern in (
                ("etude", [etude, "train", experiment, "--overwrite"], r"^train 1/1\b"),
                ("Trainer", peer("hf_first_step.py", session.work / "corpus-pack/train.h5"), "^first step done")):
            wall, usage = session.seconds_until(command, pattern)
            session.keep({"what": "start", "who": who, "figure": wall, "cpu_figure": usage.ru_utime + usage.ru_stime,
                          "unit": "s", "peak_mib": usage.ru_maxrss / 1024})


def start_table(session, clock):
    ours, theirs = (session.figure(clock, what="start", who=who) for who in ("etude", "Trainer"))
    of = "to the end of the first optimizer step" if clock == "figure" else "of the processor, in all"
    table(f"Start-up, seconds {of}", ("etude", "Trainer", "ratio"),
          [(number(ours, 2), number(theirs, 2), ratio(theirs, ours))])


def checkpoint(session):
    for _ in range(session.rounds):
        with tempfile.TemporaryDirectory(dir=session.work) as folder:
            session.run([session.program("bench_parts"), folder])
        with tempfile.TemporaryDirectory(dir=session.work) as folder:
            session.run(peer("hf_checkpoint.py", folder))
        session.run([session.program("bench_train"), "--dropout", "0.1"])


def checkpoint_table(session, clock):
    step = 8 * 512 / session.figure(clock, what="train", who="etude", dropout=0.1, precision="float32")
    explained = subprocess.run([session.program("etude"), "explain", "checkpoint.every"], text=True, check=True,
                               capture_output=True).stdout
    every = int(re.search(r"checkpoint\.every\s*= (\d+)", explained).group(1))  # unless an experiment says otherwise
    part = {name: session.figure(clock, what="parts", who="etude", part=name) for name in ("loader", "log", "checkpoint")}
    theirs = session.figure(clock, what="parts", who="Trainer", part="checkpoint")
    table(f"Beside learning, one thread, float32, dropout 0.1 (a step takes {step:.2f} s)",
          ("", "etude", "share of training", "Trainer"),
          [("reading data, ms a step", number(1e3 * part["loader"], 3), f"{100 * part['loader'] / step:.3f} %", "–"),
           ("metrics and log, ms a line", number(1e3 * part["log"], 3), f"{100 * part['log'] / step:.3f} %", "–"),
           ("a checkpoint, ms", number(1e3 * part["checkpoint"]),
            f"{100 * part['checkpoint'] / (every * step):.3f} % (every {every} steps)", number(1e3 * theirs))])


def memory(session):
    """Measures what no other benchmark of this session has."""
    if not session.values("precision", what="train", who="Trainer"):
        for precision in PRECISIONS:
            options = ("--precision", precision, "--dropout", "0.1", "--steps", "1" if slow_for_peers(precision) else "2")
            session.run([session.program("bench_train"), *options])
            session.run(peer("hf_trainer.py", *options))
    if not session.values("batch", what="generate"):
        for batch in (1, 32):
            session.run([session.program("bench_generate"), "--batch", batch])
            session.run(peer("hf_generate.py", "--batch", batch))


def memory_table(session, clock):
    rows = []
    for precision in PRECISIONS:
        ours, theirs = (session.figure("peak_mib", what="train", who=who, precision=precision, dropout=0.1)
                        for who in ("etude", "Trainer"))
        rows.append((f"training, {precision}, dropout 0.1", number(ours), number(theirs), ratio(theirs, ours)))
    for batch in (1, 32):
        ours, theirs = (session.figure("peak_mib", what="generate", who=who, precision="float32", batch=batch)
                        for who in ("etude", "transformers"))
        rows.append((f"generating {batch} at once", number(ours), number(theirs), ratio(theirs, ours)))
    table("The most memory a process has had, MiB", ("", "etude", "peer", "ratio"), rows)


# A Transformer-XL that hears 256 tokens and remembers 256 attends to 384.5 keys on average, as a GPT-2 of 768 tokens
# does. 3 rows of these are nearest to the tokens of a step of 8 rows of 256.
LONG = ("--kind", "gpt2", "--tokens", "768", "--rows", "3")


def transformer_xl(session):
    for _ in range(session.rounds):
        for dropout in ("0.0", "0.1"):
            options = ("--dropout", dropout)
            session.run([session.program("bench_segments"), *options])
            session.run(older_peer("hf_segments.py", *options))
            session.run([session.program("bench_segments"), *options, *LONG])
            session.run(peer("hf_segments.py", *options, *LONG))
        session.run([session.program("bench_segments"), "--evaluate"])
        session.run(older_peer("hf_segments.py", "--evaluate"))
        session.run([session.program("bench_segments"), "--evaluate", *LONG])
        session.run(peer("hf_segments.py", "--evaluate", *LONG))


def transformer_xl_table(session, clock):
    rows = []
    for what, dropout in (("training", 0.0), ("training", 0.1), ("evaluation", 0.0)):
        def figure(kind, ours):
            names = [who for who in session.values("who", what=f"segments, {what}", kind=kind)
                     if (who == "etude") == ours]
            return session.figure(clock, what=f"segments, {what}", kind=kind, dropout=dropout, who=names[0])
        ours, theirs = figure("transformer_xl", True), figure("transformer_xl", False)
        gpt2_ours, gpt2_theirs = figure("gpt2", True), figure("gpt2", False)
        rows.append((what, dropout, number(ours), number(theirs), ratio(ours, theirs), number(gpt2_ours),
                     ratio(gpt2_ours, ours), number(gpt2_theirs)))
    table("Transformer-XL, segments and memory of 256 tokens, tokens per second, one thread, float32; GPT-2 with 768 "
          "tokens at a time, which attends to as many on average",
          ("", "dropout", "etude", "transformers 4.35.2", "ratio", "our GPT-2", "time of ours, in its", "their GPT-2"),
          rows)


WINDOW_STEPS = 60
WINDOW_EXPERIMENT = """
name: window
run: {work}/window
data: {{pack: {work}/window-pack, sequence_length: 256}}
model: {{kind: transformer_xl, layers: 6, width: 256, heads: 8, memory: 256, clamp_length: 512}}
train: {{steps: {steps}, global_batch: 8, micro_batch: 4, lr: 5.0e-4, warmup: 10}}
evaluate: {{every: 0}}
checkpoint: {{every: 0}}
"""


def longest_test_piece(pack, music):
    """The file that `etude pack` has put furthest from training, with most tokens."""
    pieces = [piece for piece in json.loads((pack / "pack.json").read_text())["pieces"] if piece["split"] == "test"]
    return music / max(pieces, key=lambda piece: piece["tokens"])["file"]


def window(session):
    music, etude = midi_files(session), session.program("etude")
    pack, alone = session.work / "window-pack", session.work / "window-piece"
    session.run([etude, "pack", "--input", music, "--output", pack, "--overwrite"], keep=False)
    alone.mkdir()
    (alone / "piece.mid").write_bytes(longest_test_piece(pack, music).read_bytes())
    session.run([etude, "pack", "--input", alone, "--output", session.work / "window-piece-pack", "--validation", "0",
                 "--test", "0.9999"], keep=False)
    experiment = session.work / "window.yaml"
    experiment.write_text(WINDOW_EXPERIMENT.format(work=session.work, steps=WINDOW_STEPS))
    session.run([etude, "train", experiment], core=None, keep=False)
    for _ in range(session.rounds):
        session.run([session.program("bench_window"), session.work / "window", session.work / "window-piece-pack"])


def window_table(session, clock):
    memory, slid = (session.figure(clock, what="window", who=who) for who in ("memory", "sliding window"))
    context, over = (session.values(name, what="window")[0] for name in ("context", "loss_over"))
    losses = [session.figure("loss", what="window", who=who) for who in ("memory", "sliding window")]
    table(f"Measuring a piece beyond its first {context:,} tokens, one thread; the loss is that of the {over:.0f} after "
          f"these, of a model trained for {WINDOW_STEPS} steps",
          ("", "tokens/s", "ratio", "loss per token"),
          [("with a memory of this length", number(memory), ratio(memory, slid), number(losses[0], 4)),
           ("sliding window", number(slid, 3), "", number(losses[1], 4))])


def regret(session):
    """Once, whatever the rounds: 30 seeds each are in it, and it comes out the same every time."""
    session.run([session.program("bench_regret")])
    session.run([session.program("bench_regret"), "--sampler", "random"])
    session.run(studies_peer("optuna_regret.py"))
    for _ in range(session.rounds):
        session.run([session.program("bench_regret"), "--trials", "1000", "--seeds", "1"])


def regret_table(session, clock):
    rows = []
    for function in session.values("function", what="regret"):
        def found(key="figure", who="etude", sampler="tpe", trials=100):
            return session.figure(key, what="regret", who=who, function=function, sampler=sampler, trials=trials)
        theirs = next(who for who in session.values("who", what="regret") if who != "etude")
        rows.append((function, number(found(), 4), number(found(who=theirs), 4), ratio(found(), found(who=theirs)),
                     number(found(sampler="random"), 4), number(found("milliseconds", trials=1000), 2)))
    table("Regret after 100 trials, median of 30 seeds, each with its default sampler; the time of a suggestion after "
          "900 to 1,000 trials, of the processor",
          ("", "etude", "Optuna", "ratio", "random search", "etude, ms"), rows)


def storage(session):
    with tempfile.TemporaryDirectory(dir=session.work) as folder:
        for _ in range(session.rounds):
            for kind in ("sqlite", "journal"):
                for workers in (1, 4):
                    how = [folder, "--format", kind, "--workers", workers]
                    session.run([session.program("bench_storage"), *how], core=None)
                    session.run(studies_peer("optuna_storage.py", *how), core=None)
            session.run([session.program("bench_storage"), folder, "--open"])


def storage_table(session, clock):
    theirs = next(who for who in session.values("who", what="storage") if who != "etude")
    rows = []
    for kind in ("sqlite", "journal"):
        for workers in (1, 4):
            ours, others = (session.figure(clock, what="storage", who=who, format=kind, workers=workers)
                            for who in ("etude", theirs))
            rows.append((f"{kind}, {workers} writing", number(ours), number(others, 1), ratio(ours, others)))
    opens = session.figure(clock, what="storage opens")
    table(f"Trials of 4 parameters and 5 reports a second; a study of 100,000 of them opens in {number(opens, 2)} s",
          ("", "etude", theirs, "ratio"), rows)


BENCHMARKS = {"train": train, "ranks": ranks, "generate": generate, "far": far, "pack": pack, "start": start,
              "checkpoint": checkpoint, "memory": memory, "transformer_xl": transformer_xl, "window": window,
              "regret": regret, "storage": storage}
TABLES = {"train": train_table, "ranks": ranks_table, "generate": generate_table, "far": far_table,
          "pack": pack_table, "start": start_table, "checkpoint": checkpoint_table, "memory": memory_table,
          "transformer_xl": transformer_xl_table, "window": window_table, "regret": regret_table,
          "storage": storage_table}


def cpu_flags():
    path = pathlib.Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.split(":")[1].split() for line in lines if line.startswith("flags")), [])


def machine():
    """What the figures depend on, without the machine's name."""
    text = pathlib.Path("/proc/cpuinfo").read_text() if pathlib.Path("/proc/cpuinfo").exists() else ""
    model = next((line.split(":")[1].strip() for line in text.splitlines() if line.startswith("model name")),
                 platform.machine())
    sets = [name for name in ("avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16") if name in cpu_flags()]
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, text=True, capture_output=True,
                            check=False).stdout.strip()
    return f"{model}, {len(CORES)} cores ({', '.join(sets)}), commit {commit or 'unknown'}"


def main():
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all when none is given")
    parser.add_argument("--rounds", type=int, default=3, help="how often each pair is measured in turn (3)")
    parser.add_argument("--clock", choices=CLOCKS, default="wall",
                        help="what the tables show: by the wall, or by processor time on a machine that others use too")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release", help="folder with the programs")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark '{unknown[0]}'; there are {', '.join(BENCHMARKS)}")
    names = [name for name in BENCHMARKS if not arguments.names or name in arguments.names]

    with tempfile.TemporaryDirectory(dir=ROOT / "build", prefix="bench-") as work:
        session = Session(arguments.build.resolve(), pathlib.Path(work), max(1, arguments.rounds),
                          ROOT / "build/bench.jsonl")
        for name in names:
            BENCHMARKS[name](session)
        load = f"{os.getloadavg()[2]:.1f}"
        print(f"\n{machine()}; medians of {arguments.rounds} rounds, by the {arguments.clock} clock; "
              f"load of the last quarter of an hour {load}")
        for name in names:
            TABLES[name](session, CLOCKS[arguments.clock])


if __name__ == "__main__":
    sys.exit(main())
