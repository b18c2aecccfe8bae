"""What Optuna makes of a storage: does what it is told, one after another, and prints every study as Optuna reads it, as
JSON. Run by optuna_storage_test.cpp, with several versions of Optuna.

  optuna_study.py URL [make] [go-on NAME N] [plot NAME]
    make           studies with all that a study may hold, filled by Optuna itself
    go-on NAME N   N more trials, by Study.optimize
    plot NAME      draws every plot there is of a study with one objective
"""
import json
import math
import sys

import optuna
from optuna.distributions import distribution_to_json
from optuna.storages import JournalStorage
from optuna.trial import TrialState

optuna.logging.set_verbosity(optuna.logging.ERROR)
CHOICES = [None, True, 7, 2.5, "größer", '"quoted"\\\n']


def open_storage(url):
    if not url.startswith("journal:///"):
        return url
    from optuna.storages.journal import JournalFileBackend
    return JournalStorage(JournalFileBackend(url[len("journal:///"):]))


def objective(trial):
    """Conditional parameters of every kind; some trials are pruned, some fail."""
    kind = trial.suggest_categorical("kind", CHOICES)
    x = trial.suggest_float("x", -5, 5)
    if kind is None or isinstance(kind, str):
        trial.suggest_float("lr", 1e-5, 1e-1, log=True)
        trial.suggest_int("layers", 1, 64, log=True)
    else:
        trial.suggest_float("dropout", 0.0, 0.9, step=0.1)
        trial.suggest_int("width", 64, 1024, step=64)
    for step in range(3):
        trial.report(x * x + step, step * 10)
    trial.set_user_attr("note", {"Klang": ["ä", None, 1.5], "nested": {"deep": True}})
    if trial.number % 5 == 3:
        raise optuna.TrialPruned()
    if trial.number % 5 == 4:
        raise ArithmeticError("on purpose")
    return x * x


def make(url):
    storage = open_storage(url)
    study = optuna.create_study(study_name="one objective – études", storage=storage, direction="maximize")
    study.set_user_attr("who", "Optuna")
    study.set_user_attr("Größe", [1, 2.5, None, "drei"])
    study._storage.set_study_system_attr(study._study_id, "etc", {"a": 1})
    study.enqueue_trial({"kind": "größer", "x": 0.5})
    study.optimize(objective, n_trials=10, catch=(ArithmeticError,))

    odd = study.ask()
    odd.report(float("nan"), 0)
    odd.report(float("inf"), 1)
    odd.report(float("-inf"), 2)
    odd.report(0.1, 2**31 - 1)
    study.tell(odd, float("inf"))
    study.tell(study.ask(), float("-inf"))
    study.tell(study.ask(), state=TrialState.PRUNED)
    study.tell(study.ask(), state=TrialState.FAIL)
    study.enqueue_trial({"kind": None, "x": 1.25}, user_attrs={"why": "by hand"})
    study.ask({"x": optuna.distributions.FloatDistribution(-5, 5)})  # takes what was enqueued, and stays RUNNING
    study.enqueue_trial({"x": -1.0})
    study.add_trial(optuna.trial.create_trial(
        value=3.5, params={"x": 2.0}, distributions={"x": optuna.distributions.FloatDistribution(-5, 5)}))

    several = optuna.create_study(study_name="several", storage=storage, directions=["minimize", "maximize", "minimize"])
    several.optimize(lambda trial: (trial.suggest_float("x", 0, 1), float("inf"), -2.0), n_trials=3)
    optuna.create_study(study_name="empty", storage=storage)


def plain(value):
    """JSON that has neither nan nor infinite numbers."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return value


def seconds(time):
    return None if time is None else round(time.timestamp() * 1e6)


def dump(url):
    storage = open_storage(url)
    result = {}
    for summary in optuna.get_all_study_summaries(storage):
        study = optuna.load_study(study_name=summary.study_name, storage=storage)
        result[study.study_name] = plain({
            "directions": [direction.name for direction in study.directions],
            "user_attributes": study.user_attrs,
            "system_attributes": study._storage.get_study_system_attrs(study._study_id),
            "trials": [{
                "number": trial.number, "state": trial.state.name, "values": trial.values, "parameters": trial.params,
                "distributions": {
                    name: json.loads(distribution_to_json(one)) for name, one in trial.distributions.items()},
                "reports": trial.intermediate_values, "user_attributes": trial.user_attrs,
                "system_attributes": trial.system_attrs, "began": seconds(trial.datetime_start),
                "ended": seconds(trial.datetime_complete)} for trial in study.trials]})
    print(json.dumps(result))


def go_on(url, name, trials):
    study = optuna.load_study(study_name=name, storage=open_storage(url))
    study.optimize(objective, n_trials=int(trials), catch=(ArithmeticError,))


def plot(url, name):
    from optuna import visualization
    study = optuna.load_study(study_name=name, storage=open_storage(url))
    for figure in (visualization.plot_optimization_history(study), visualization.plot_intermediate_values(study),
                   visualization.plot_parallel_coordinate(study), visualization.plot_slice(study),
                   visualization.plot_contour(study, params=["x", "lr"]), visualization.plot_edf(study),
                   visualization.plot_timeline(study), visualization.plot_rank(study, params=["x", "lr"])):
        assert figure.data, "an empty plot"


def main(url, *words):
    words = list(words)
    while words:
        word = words.pop(0)
        if word == "make":
            make(url)
        elif word == "go-on":
            go_on(url, words.pop(0), words.pop(0))
        elif word == "plot":
            plot(url, words.pop(0))
    dump(url)


if __name__ == "__main__":
    main(*sys.argv[1:])
