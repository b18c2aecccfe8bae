"""Runs programs in turn and keeps the JSON lines that they print."""
import collections
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".deps/oracle/bin/python"
CORES = sorted(os.sched_getaffinity(0))
ENVIRONMENT = {
    **os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false",
    "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def pinned(core, command):
    return ["taskset", "-c", str(core), *map(str, command)] if shutil.which("taskset") else [*map(str, command)]


def peer(script, *arguments):
    return [PYTHON, ROOT / "bench/peers" / script, *arguments]


def older_peer(script, *arguments):
    """With the last transformers that has Transformer-XL."""
    return ["env", f"PYTHONPATH={ROOT / '.deps/oracle-xl'}", *peer(script, *arguments)]


def studies_peer(script, *arguments):
    """With Optuna."""
    return ["env", f"PYTHONPATH={ROOT / '.deps/oracle-optuna'}", *peer(script, *arguments)]


class Session:
    """One run of script/bench: what is measured, and everything that was found."""

    def __init__(self, build, work, rounds, results):
        self.build, self.work, self.rounds = build, work, rounds
        self.results = open(results, "w")
        self.lines = []

    def program(self, name):
        return self.build / ("etude" if name == "etude" else f"bench/{name}")

    def keep(self, line):
        self.lines.append(line)
        self.results.write(json.dumps(line) + "\n")
        self.results.flush()
        print(json.dumps(line), file=sys.stderr, flush=True)
        return line

    def start(self, command, core=None):
        """Starts a program, on one core when one is named."""
        command = pinned(core, command) if core is not None else [*map(str, command)]
        return subprocess.Popen(command, env=ENVIRONMENT, cwd=ROOT, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def finish(self, process):
        """Waits for a program and gives the JSON lines among what it printed."""
        output, errors = process.communicate()
        if process.returncode != 0:
            sys.exit(f"{' '.join(process.args)}\nended with {process.returncode}:\n{output}{errors}")
        return [json.loads(line) for line in output.splitlines() if line.startswith('{"')]

    def run(self, command, core=CORES[0], keep=True):
        lines = self.finish(self.start(command, core))
        return [self.keep(line) for line in lines] if keep else lines

    def side_by_side(self, command, who):
        """The program twice, each on a core of its own; what both do together."""
        both = [self.start(command, CORES[i % len(CORES)]) for i in range(2)]
        lines = [self.finish(process)[0] for process in both]
        total = {key: sum(line[key] for line in lines) for key in ("figure", "cpu_figure", "peak_mib")}
        self.keep({**lines[0], "what": "ranks", "who": who, **total})

    def seconds_until(self, command, pattern, core=CORES[0]):
        """Seconds from the start of a program until it prints a line that matches, and to its end."""
        command = pinned(core, command)
        began = time.perf_counter()
        process = subprocess.Popen(command, env=ENVIRONMENT, cwd=ROOT, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        seen, output = None, []
        for line in process.stdout:
            output.append(line)
            if seen is None and re.search(pattern, line):
                seen = time.perf_counter() - began
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0 or seen is None:
            sys.exit(f"{' '.join(command)}\nended with {status} or without a line like '{pattern}':\n{''.join(output)}")
        return seen, usage

    # What was found.
    def figure(self, key="figure", **wanted):
        """The median over the rounds of the lines that say what is wanted; None where there is none."""
        found = [line[key] for line in self.lines if all(line.get(name) == value for name, value in wanted.items())]
        return statistics.median(found) if found else None

    def values(self, name, **wanted):
        """The different values of a field, in the order of their first appearance."""
        return list(collections.OrderedDict.fromkeys(
            line[name] for line in self.lines
            if name in line and all(line.get(key) == value for key, value in wanted.items())))


def number(value, digits=0):
    return "–" if value is None else f"{value:,.{digits}f}"


def ratio(a, b):
    return "–" if a is None or b is None else f"{a / b:.2f}"


def table(title, header, rows):
    """Prints a table in Markdown."""
    print(f"\n{title}\n")
    print("| " + " | ".join(header) + " |")
    print("| " + " | ".join("---" if i == 0 else "---:" for i in range(len(header))) + " |")
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
