#!/usr/bin/env python3
"""Looks at `etude watch` in a terminal while a run is written.

  PYTHONPATH=.deps/oracle-watch tests/report/watch/check.py CASE PROGRAM ARGUMENT…

PROGRAM with its arguments is what stands before the runs ("build/release/etude watch"). CASE is one of the functions
below that begin with "case_".
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

from fake_run import FakeRun
from terminal import Failed, Terminal

program = None
root = None


def expect(truth, sentence):
    if not truth:
        raise Failed(sentence)


def watch(*paths, options=(), **terminal):
    return Terminal([*program, "--interval", "0.1", *options, *map(str, paths)], **terminal)


def trained(name, to=100, every=10, **run):
    """A run that has got so far."""
    fake = FakeRun(root / name, **run)
    for step in range(every, to + 1, every):
        fake.step(step)
    return fake


def case_live():
    """One run, from before there is one to its end."""
    with watch(root / "run") as terminal:
        terminal.wait("no run here yet", "a run that is not there yet")
        run = FakeRun(root / "run")
        terminal.wait("starting", "a run that has measured nothing yet")
        run.step(10, loss=4.5)
        terminal.wait(lambda text: "training" in text and "10/400" in text and "loss 4.5000" in text, "the first line")
        for step in range(20, 60, 10):
            run.step(step)
        terminal.wait(lambda text: "evaluating" in text and "50/400" in text, "an evaluation that is under way")
        run.evaluation(50, 3.25)
        terminal.wait(lambda text: "evaluation 3.2500 at 50" in text and "training" in text, "an evaluation")
        terminal.wait("Evaluation loss 3.250 per token", "the plain word")

        line = run.line(60, loss=2.75)
        run.append(line[:40])
        terminal.settle()
        expect("50/400" in terminal.text(), f"half a line was taken for one:\n{terminal.text()}")
        run.append(line[40:])
        terminal.wait("loss 2.7500", "the line once it is whole")

        for step in range(70, 110, 10):
            run.step(step, loss=2.5)
        run.evaluation(100, 3.5)
        terminal.wait("evaluation 3.5000 at 100", "the second evaluation")
        run.log("warning", "rank 1 is slower than the others")
        terminal.wait("rank 1 is slower", "a line of the log")
        # Killed, and resumed at step 50: before anybody looks the file is as long as before.
        run.cut_after(50, then="".join(run.line(step, loss=2.125) for step in range(60, 110, 10))
                      + run.evaluation_line(100, 3.0))
        terminal.wait(lambda text: "evaluation 3.0000 at 100" in text and "loss 2.1250" in text, "what a resumed run says")
        run.cut_after(50)
        terminal.wait(lambda text: "50/400" in text and "evaluation 3.2500 at 50" in text, "a run that was cut")
        terminal.wait("best 3.2500 at 50", "the best of what is left")

        run.step(400, loss=1.5, mfu=0.31, rank_seconds={"min": 0.41, "median": 0.42, "max": 0.61, "slowest": 3})
        terminal.wait(lambda text: "mfu 31.0 %" in text and "slowest is rank 3" in text, "figures of ranks")
        run.evaluation(400, 2.0)
        run.finish()
        terminal.wait(lambda text: "finished" in text and "100%" in text, "the end")
        expect(max(len(line) for line in terminal.text().splitlines()) <= 80, "a line is too long")
        expect(not terminal.foreign_codes(), f"stray codes {terminal.foreign_codes()[:5]}")
        terminal.type(b"q")
        expect(terminal.end() == 0, "quitting is no failure")


def case_states():
    """Stopped, dead and removed runs are told apart."""
    stopped, dead, removed = (trained(name, evaluate_every=1000) for name in ("halted", "killed", "erased"))
    stopped.checkpoint(100)
    dead.checkpoint(50)
    with watch(stopped.folder, dead.folder, removed.folder, columns=100) as terminal:
        terminal.wait(lambda text: text.count("training") >= 3, "three runs that train")
        for run in (stopped, dead, removed):
            run.release()
        shutil.rmtree(removed.folder)
        row = lambda name, state: lambda text: re.search(rf"{name} +{state}", text)
        terminal.wait(row("halted", "stopped"), "a stopped run")
        terminal.wait(row("killed", "dead"), "a dead run")
        terminal.wait(row("erased", "removed"), "a removed run")
        terminal.type(b"j")
        terminal.wait("--resume goes back to step 50", "what a dead run has lost")


def case_sizes():
    """Tiny windows, windows that grow and shrink."""
    run = trained("run", to=200)
    run.evaluation(200, 3.0)
    with watch(run.folder, columns=20, rows=5) as terminal:
        terminal.wait(lambda text: "run" in text and "50%" in text and "loss" in text, "the essentials in 20 × 5")
        expect(not terminal.foreign_codes(), "stray codes")
        terminal.resize(80, 24)
        terminal.wait(lambda text: "└" in text and "evaluation 3.0000" in text and "q quit" in text, "the curves")
        expect("─" in terminal.text() and terminal.text().count("└") == 1, "the frame of the curves")
        terminal.resize(132, 50)
        terminal.wait(lambda text: any(len(line) > 120 for line in text.splitlines()), "a wide window that is used")
        terminal.resize(2, 2)
        terminal.settle()
        terminal.resize(40, 10)
        terminal.wait("q quit", "a window that was very small")
        terminal.signal(signal.SIGTERM)
        terminal.end()


def case_restores():
    """However it ends, the terminal is as it was."""
    run = trained("run")
    ends = [("q", lambda terminal: terminal.type(b"q"), 0), ("Ctrl-C", lambda terminal: terminal.type(b"\x03"), 0),
            ("SIGTERM", lambda terminal: terminal.signal(signal.SIGTERM), 128 + signal.SIGTERM),
            ("SIGHUP", lambda terminal: terminal.signal(signal.SIGHUP), 128 + signal.SIGHUP)]
    for name, act, code in ends:
        with watch(run.folder) as terminal:
            terminal.wait("training", "a run")
            expect(not terminal.restored() and terminal.screen.cursor.hidden, "the cursor is in the way")
            act(terminal)
            found = terminal.end()
            expect(found == code, f"{name}: exit code {found} where {code} was expected")
            expect(terminal.restored(), f"{name}: the terminal was not restored; last came {terminal.raw[-80:]}")


def case_suspended():
    """Ctrl-Z gives the terminal back for the while."""
    run = trained("run")
    with watch(run.folder) as terminal:
        terminal.wait("training", "a run")
        terminal.type(b"\x1a")
        expect(os.WIFSTOPPED(terminal.wait_status(os.WUNTRACED)), "it did not stop")
        expect(terminal.restored(), "the terminal is not as it was")
        run.step(110)
        terminal.screen.reset()
        terminal.signal(signal.SIGCONT)
        terminal.wait("110/400", "the screen once it goes on")


def case_quiet():
    """Little is written where little changes; and no cell that stays as it is."""
    run = trained("run")
    with watch(run.folder) as terminal:
        terminal.wait("training", "a run")
        terminal.settle()
        idle = len(terminal.settle(3))
        expect(idle == 0, f"{idle} bytes were written though nothing changed")
        before = len(terminal.raw)
        for step in range(110, 310, 10):
            run.step(step)
            terminal.wait(f" {step}/400", "a step")
        each = (len(terminal.raw) - before) / 20
        expect(each < 1200, f"{each:.0f} bytes for each line of the run")
        expect(b"\x1b[2J" not in terminal.raw[before:], "the screen was cleared, which flickers")
        print(f"{each:.0f} bytes a line")


def case_plain():
    """Without a terminal, and on a dumb one: lines, until the runs are over."""
    run = trained("run", to=50)
    command = [*program, "--interval", "0.1", str(run.folder)]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=environment) as reader:
        first = reader.stdout.readline().decode()
        expect("50/400" in first and "loss" in first, f"the first line is {first!r}")
        run.evaluation(50, 3.25)
        line = ""
        while "evaluation 3.2500 at 50" not in line:
            line = reader.stdout.readline().decode()
            expect(line, "it ended before the evaluation was told of")
        run.step(400)
        run.finish()
        rest = reader.stdout.read().decode()
        expect("finished" in rest and "Evaluation loss 3.250 per token" in rest, f"the end is {rest!r}")
        expect("\x1b" not in first + line + rest, "escape codes in a file")
    expect(reader.returncode == 0, "it failed")
    with watch(run.folder, TERM="dumb") as terminal:
        expect(terminal.end() == 0, "it failed on a dumb terminal")
        expect(b"finished" in terminal.raw and b"\x1b" not in terminal.raw, "escape codes on a dumb terminal")


def case_once():
    run = trained("run")
    for variables, seen in (({"LC_ALL": "C.UTF-8"}, "└"), ({"LC_ALL": "C"}, "+---")):
        done = subprocess.run([*program, "--once", str(run.folder)], capture_output=True, check=True, stdin=subprocess.DEVNULL,
                              env={**os.environ, **variables})
        text = done.stdout.decode()
        expect("100/400" in text and "training" in text and seen in text, f"one frame: {text}")
        expect("\x1b" not in text and len(text.splitlines()) <= 24, "one frame of plain text")
    expect(text.isascii(), "more than ASCII where the locale has no more")
    with watch(run.folder, options=["--once"], NO_COLOR="1") as terminal:
        expect(terminal.end() == 0 and b"training" in terminal.raw, "one frame in a terminal")
        expect(not re.search(rb"\x1b\[[0-9;]*3[0-7]m", terminal.raw), "colours in spite of NO_COLOR")


def case_several():
    """A folder of runs: a table, one of which is chosen."""
    for number in range(3):
        trained(f"runs/run-{number}", to=100 + 50 * number).checkpoint(100)
    with watch(root / "runs", columns=100) as terminal:
        terminal.wait(lambda text: "3 runs" in text and all(f"run-{i}" in text for i in range(3)), "three runs")
        terminal.wait("▸ run-0", "the first one chosen")
        late = trained("runs/run-3", to=10)
        terminal.wait(lambda text: "4 runs" in text and "run-3" in text, "a run that came later")
        terminal.type(b"j")
        terminal.wait("▸ run-1", "the second one")
        terminal.type(b"\x1b[B")
        terminal.wait("▸ run-2", "the third one")
        terminal.type(b"\x1b[A")
        terminal.wait("▸ run-1", "the second one again")
        terminal.type(b"\r")
        terminal.wait(lambda text: "150/400" in text and "run-3" not in text, "the run alone")
        terminal.type(b"x")
        terminal.wait("x axis: tokens", "another axis")
        terminal.wait("150k tokens", "labels of that axis")
        terminal.type(b"x")
        terminal.wait("1m15s", "time")
        terminal.type(b"l")
        terminal.wait("l linear scale", "another scale")
        terminal.type(b"\r")
        terminal.wait("4 runs", "all of them again")
        late.release()
        for number in range(60):
            trained(f"runs/more-{number:02}", to=10)
        terminal.wait("64 runs", "more runs than there are rows")
        for _ in range(70):
            terminal.type(b"j")
            terminal.read()
        terminal.wait(lambda text: re.search("▸ more-59", text), "the last one, scrolled to")


def case_hostile():
    """Nothing that a run is called or says commands the terminal."""
    evil = "\x1b]0;taken\x07\x1b[31m\u202eabc\u009b2J\x08"
    run = trained("evil" + evil)
    run.log("warning", "from the log " + evil + "\x1bc")
    (run.folder / "log.txt").open("ab").write(b"2024-05-01 18:03:11.482 +0200  info     bytes \xff\xfe\xc0\x80\x1b[2J\n")
    with watch(run.folder) as terminal:
        terminal.wait(lambda text: "from the log" in text and "bytes" in text, "the log")
        expect(terminal.screen.title != "taken", "the window has another title")
        expect(not terminal.foreign_codes(), f"stray codes {terminal.foreign_codes()[:5]}")
        shown = terminal.raw.decode()
        expect(not re.search("[\u0080-\u009f\u202e]", shown), "a hidden character")
    done = subprocess.run([*program, "--once", str(run.folder)], capture_output=True, check=True, stdin=subprocess.DEVNULL)
    expect(b"\x1b" not in done.stdout and b"\x07" not in done.stdout, "codes in plain lines")


def main():
    global program, root
    case, program = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        try:
            globals()["case_" + case]()
        except Failed as failed:
            sys.exit(f"{case}: {failed}")


if __name__ == "__main__":
    main()
