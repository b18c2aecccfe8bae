"""Optuna's regret: the least loss after so many trials, less the optimum, for each function and seed. One JSON line a
function, as bench_regret prints it. The functions are those of bench/regret_functions.h."""
import argparse
import importlib.metadata
import json
import math
import multiprocessing
import statistics
import time
import warnings

import optuna

HARTMANN6_A = ((10, 3, 17, 3.5, 1.7, 8), (.05, 10, 17, .1, 8, 14), (3, 3.5, 1.7, 10, 17, 8), (17, 8, .05, 10, .1, 14))
HARTMANN6_P = ((1312, 1696, 5569, 124, 8283, 5886), (2329, 4135, 8307, 3736, 1004, 9991),
               (2348, 1451, 3522, 2883, 3047, 6650), (4047, 8828, 8732, 5743, 1091, 381))
HARTMANN3_A = ((3, 10, 30), (.1, 10, 35), (3, 10, 30), (.1, 10, 35))
HARTMANN3_P = ((3689, 1170, 2673), (4699, 4387, 7470), (1091, 8732, 5547), (381, 5743, 8828))
ALPHA = (1, 1.2, 3, 3.2)


def hartmann(x, a, p):
    return -sum(w * math.exp(-sum(c * (v - q * 1e-4) ** 2 for c, v, q in zip(row, x, centre)))
                for w, row, centre in zip(ALPHA, a, p))


def branin(x):
    a, b = x
    return ((b - 5.1 / (4 * math.pi**2) * a * a + 5 / math.pi * a - 6) ** 2
            + 10 * (1 - 1 / (8 * math.pi)) * math.cos(a) + 10)


def sphere(x):
    return sum(v * v for v in x)


def rosenbrock(x):
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in zip(x, x[1:]))


def ackley(x):
    n = len(x)
    return (20 + math.e - 20 * math.exp(-.2 * math.sqrt(sphere(x) / n))
            - math.exp(sum(math.cos(2 * math.pi * v) for v in x) / n))


def rastrigin(x):
    return sum(v * v - 10 * math.cos(2 * math.pi * v) + 10 for v in x)


def styblinski(x):
    return sum(v**4 - 16 * v * v + 5 * v for v in x) / 2


def levy(x):
    w = [1 + (v - 1) / 4 for v in x]
    return (math.sin(math.pi * w[0]) ** 2
            + sum((v - 1) ** 2 * (1 + 10 * math.sin(math.pi * v + 1) ** 2) for v in w[:-1])
            + (w[-1] - 1) ** 2 * (1 + math.sin(2 * math.pi * w[-1]) ** 2))


def griewank(x):
    return 1 + sphere(x) / 4000 - math.prod(math.cos(v / math.sqrt(i)) for i, v in enumerate(x, 1))


def ellipsoid(x):
    return sum(i * v * v for i, v in enumerate(x, 1))


def schwefel(x):
    return 418.98288727243369 * len(x) - sum(v * math.sin(math.sqrt(abs(v))) for v in x)


def moved(function, shift):
    """The optimum where nothing is special: each coordinate by another share of `shift`."""
    return lambda x: function([v - shift * (1 - .35 * i) for i, v in enumerate(x)])


def box(function, dimensions, low, high):
    return lambda trial: function([trial.suggest_float(f"x{i}", low, high) for i in range(dimensions)])


def mixed(trial):
    kind = trial.suggest_categorical("kind", ["linear", "forest", "network"])
    rate = math.log10(trial.suggest_float("rate", 1e-5, 1, log=True))
    if kind == "linear":
        return .2 + (rate + 2) ** 2 / 10
    if kind == "forest":
        return .1 + .01 * (trial.suggest_int("depth", 1, 12) - 7) ** 2 + abs(trial.suggest_float("share", 0, 1) - .6) / 5
    layers, dropout = trial.suggest_int("layers", 1, 8), trial.suggest_float("dropout", 0, .9)
    return (rate + 3) ** 2 / 10 + .02 * (layers - 4) ** 2 + (dropout - .35) ** 2


def training(trial):
    """As a learning curve's end may look: parameters that depend on each other, of every kind."""
    rate = math.log10(trial.suggest_float("rate", 1e-5, 1e-1, log=True))
    batch = math.log2(trial.suggest_int("batch", 8, 512, log=True))
    width = trial.suggest_int("width", 64, 1024, step=64) / 1024
    optimizer = trial.suggest_categorical("optimizer", ["sgd", "adam", "lion", "adagrad"])
    activation = trial.suggest_categorical("activation", ["relu", "gelu", "tanh"])
    decay = trial.suggest_float("decay", 0, .3, step=.01)
    best_rate = {"sgd": -1.5, "adam": -3, "lion": -4, "adagrad": -2}[optimizer] + .25 * (batch - 6)
    return ({"sgd": .05, "adam": 0, "lion": .02, "adagrad": .1}[optimizer]
            + {"relu": .03, "gelu": 0, "tanh": .08}[activation] + .15 * (rate - best_rate) ** 2
            + .02 * (batch - 5) ** 2 + .3 * (width - .625) ** 2 + 2 * (decay - .08) ** 2)


BRANIN = 0.39788735772973816
FUNCTIONS = {  # name: (objective, optimum); the first eight are those of the table
    "branin": (lambda t: branin((t.suggest_float("x0", -5, 10), t.suggest_float("x1", 0, 15))), BRANIN),
    "sphere5": (box(sphere, 5, -5, 10), 0),
    "rosenbrock5": (box(rosenbrock, 5, -5, 10), 0),
    "ackley5": (box(ackley, 5, -32.768, 32.768), 0),
    "rastrigin5": (box(rastrigin, 5, -5.12, 5.12), 0),
    "styblinski5": (box(styblinski, 5, -5, 5), 5 * -39.16616570377142),
    "hartmann6": (box(lambda x: hartmann(x, HARTMANN6_A, HARTMANN6_P), 6, 0, 1), -3.3223680114155),
    "mixed": (mixed, 0),
    # Whether what is good there is good elsewhere.
    "hartmann3": (box(lambda x: hartmann(x, HARTMANN3_A, HARTMANN3_P), 3, 0, 1), -3.862782147820),
    "levy4": (box(levy, 4, -10, 10), 0),
    "griewank3 moved": (box(moved(griewank, 117), 3, -600, 600), 0),
    "ellipsoid8 moved": (box(moved(ellipsoid, 2.7), 8, -5, 5), 0),
    "ackley3 moved": (box(moved(ackley, 11.3), 3, -32.768, 32.768), 0),
    "rastrigin2 moved": (box(moved(rastrigin, 1.9), 2, -5.12, 5.12), 0),
    "schwefel3": (box(schwefel, 3, -500, 500), 0),
    "rosenbrock3": (box(rosenbrock, 3, -5, 10), 0),
    "sphere10 moved": (box(moved(sphere, 1.3), 10, -5, 10), 0),
    "training": (training, 0),
}


def make_sampler(kind, seed):
    samplers = optuna.samplers
    return {"tpe": lambda: samplers.TPESampler(seed=seed),
            "random": lambda: samplers.RandomSampler(seed=seed),
            "cma_es": lambda: samplers.CmaEsSampler(seed=seed),
            "gaussian_process": lambda: samplers.GPSampler(seed=seed),
            "quasi_random": lambda: samplers.QMCSampler(seed=seed)}[kind]()


def regret(task):
    kind, name, seed, trials = task
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    objective, optimum = FUNCTIONS[name]
    study = optuna.create_study(sampler=make_sampler(kind, seed))
    begin = time.process_time()
    study.optimize(objective, n_trials=trials)
    return study.best_value - optimum, (time.process_time() - begin) / trials


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--function", nargs="*", default=list(FUNCTIONS))
    parser.add_argument("--sampler", default="tpe")
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    with multiprocessing.Pool(options.jobs) as pool:
        for name in options.function:
            found = pool.map(regret, [(options.sampler, name, seed, options.trials) for seed in range(options.seeds)])
            print(json.dumps({
                "what": "regret", "who": f"Optuna {importlib.metadata.version('optuna')}", "function": name,
                "sampler": options.sampler, "trials": options.trials, "seeds": options.seeds,
                "figure": statistics.median(value for value, _ in found),
                "milliseconds": 1e3 * statistics.mean(seconds for _, seconds in found)}), flush=True)


if __name__ == "__main__":
    main()
