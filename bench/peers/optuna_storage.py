"""How many trials of 4 parameters and 5 reports Optuna's storages take a second, with random suggestions, as bench_storage
writes them. One JSON line."""
import argparse
import json
import multiprocessing
import pathlib
import resource
import time

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend


def open_storage(arguments):
    file = arguments.folder / f"optuna-{arguments.format}-{arguments.workers}"
    return f"sqlite:///{file}" if arguments.format == "sqlite" else JournalStorage(JournalFileBackend(str(file)))


def objective(trial):
    values = [trial.suggest_float(f"x{i}", 0, 1) for i in range(4)]
    for step in range(5):
        trial.report(0.3 * step, step)
    return sum(values)


def work(arguments, trials):
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.load_study(study_name="bench", storage=open_storage(arguments),
                              sampler=optuna.samplers.RandomSampler(seed=1))
    study.optimize(objective, n_trials=trials)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--format", choices=["sqlite", "journal"], default="sqlite")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--trials", type=int, default=60)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for old in arguments.folder.glob(f"optuna-{arguments.format}-{arguments.workers}*"):
        old.unlink()
    optuna.create_study(study_name="bench", storage=open_storage(arguments))

    began = time.perf_counter()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    share = arguments.trials // arguments.workers
    processes = [multiprocessing.Process(target=work, args=(arguments, share)) for _ in range(arguments.workers)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # A worker that finds the database locked for too long ends: what it did until then counts, what it left does not.
    study = optuna.load_study(study_name="bench", storage=open_storage(arguments))
    done = sum(trial.state == optuna.trial.TrialState.COMPLETE for trial in study.trials)
    print(json.dumps({"what": "storage", "who": f"Optuna {optuna.__version__}", "format": arguments.format,
                      "workers": arguments.workers, "figure": done / wall,
                      "cpu_figure": done / cpu, "unit": "trials/s",
                      "workers_lost": sum(process.exitcode != 0 for process in processes),
                      "peak_mib": after.ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
