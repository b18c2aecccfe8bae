#!/usr/bin/env python3
"""Stands in for the controller of a sweep while its page is worked on or tested: serves the files of sweep/page, with
the headers that the controller sends, and a made-up study.

  tests/sweep/page/stand_in.py [--kind search|objectives|hostile|foreign|empty] [--trials N] [--port P] [--token T]

Without --still, the study goes on: trials report, end, and new ones begin.
"""
import argparse
import http.server
import json
import math
import pathlib
import random
import socketserver
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAGE, SHARED = ROOT / "sweep" / "page", ROOT / "page"
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")

# What must not run, break a layout or be taken for something else.
HOSTILE = ["<img src=x onerror='window.hacked=1'>", "</script><script>window.hacked=2</script>", "<svg onload=window.hacked=3>",
           "\"><iframe srcdoc='<script>parent.hacked=4</script>'>", "javascript:window.hacked=5", "{{constructor.constructor('window.hacked=6')()}}",
           "<style>*{display:none}</style>", "__proto__", "constructor", "long" * 80, "\u202egnp.exe", "𝄞 Für Elise\nsecond line", "' onclick='window.hacked=7"]


def real(low, high, log=False, step=None):
    return {"name": "FloatDistribution", "attributes": {"step": step, "low": low, "high": high, "log": log}}


def whole(low, high, log=False, step=1):
    return {"name": "IntDistribution", "attributes": {"log": log, "step": step, "low": low, "high": high}}


def choice(*choices):
    return {"name": "CategoricalDistribution", "attributes": {"choices": list(choices)}}


def number(value):
    if value is None or math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


class Study:
    """Made from a seed, so that each run sees the same one."""

    def __init__(self, kind="search", trials=60, seed=1):
        self.kind, self.random = kind, random.Random(seed)
        self.lock = threading.RLock()
        self.began = time.time() - 3600
        self.revision, self.incarnation = 0, "first"
        self.over, self.read_only = "", False
        self.directions, self.metrics = ["minimize"], ["eval_loss_per_note"]
        self.parameters = [
            {"name": "model.kind", "distribution": choice("gpt2", "transformer_xl"), "when": {}},
            {"name": "model.layers", "distribution": whole(2, 12), "when": {}},
            {"name": "train.lr", "distribution": real(1e-5, 1e-2, log=True), "when": {}},
            {"name": "model.memory", "distribution": whole(64, 1024, step=64), "when": {"model.kind": ["transformer_xl"]}},
            {"name": "train.dropout", "distribution": real(0, 0.5, step=0.05), "when": {}},
            {"name": "data.mirror", "distribution": choice(None, True, False, 1.5, "1.5"), "when": {}}]
        if kind == "objectives":
            self.directions, self.metrics = ["minimize", "maximize", "minimize"], ["eval_loss", "notes_per_second", "memory"]
        if kind == "hostile":
            self.metrics = [HOSTILE[0]]
            self.parameters += [{"name": name, "distribution": choice(*HOSTILE), "when": {}} for name in HOSTILE[:4]]
            self.parameters += [{"name": name, "distribution": real(0, 1), "when": {HOSTILE[0]: HOSTILE[:2]}} for name in HOSTILE[7:10]]
        declared, self.trials = self.parameters, []
        if kind != "empty":
            for n in range(trials):
                self.add(declared, self.began + 3400 * n / trials, done=n < trials - 4)
        if kind == "foreign":  # a study of somebody else's: nothing is known of its parameters
            self.parameters = []

    def add(self, declared, began, done):
        values, n = {}, len(self.trials)
        for each in declared:
            if any(values.get(other) not in allowed for other, allowed in each["when"].items()):
                continue
            attributes = each["distribution"]["attributes"]
            if "choices" in attributes:
                values[each["name"]] = self.random.choice(attributes["choices"])
            elif attributes["log"]:
                values[each["name"]] = math.exp(self.random.uniform(math.log(attributes["low"]), math.log(attributes["high"])))
            else:
                value = self.random.uniform(attributes["low"], attributes["high"])
                step = attributes["step"]
                value = attributes["low"] + round((value - attributes["low"]) / step) * step if step else value
                values[each["name"]] = int(value) if each["distribution"]["name"] == "IntDistribution" else value
        host = f"node{n % 3}"
        worker = HOSTILE[n % len(HOSTILE)] if self.kind == "hostile" else f"{host}:{n % 6}"
        trial = {"number": n, "state": "RUNNING", "values": None, "parameters": values, "reports": [], "began": began, "ended": None,
                 "parent": None, "reason": "", "retries": 0, "user_attributes": {}, "folder": f"sweeps/demo/trial-{n:05}",
                 "stints": [{"worker": worker, "host": host, "began": began, "ended": began, "open": True, "nodes": 1, "cores": 4, "gpus": 1}]}
        if self.kind == "hostile":
            trial["user_attributes"] = {text: text for text in HOSTILE}
            trial["folder"] = trial["reason"] = HOSTILE[n % len(HOSTILE)]
        self.trials.append(trial)
        if done:
            state = "FAIL" if n % 11 == 5 else "PRUNED" if n % 4 == 3 else "WAITING" if n % 29 == 13 else "PAUSED" if n % 17 == 16 else "COMPLETE"
            length = 20 if state == "COMPLETE" else 0 if state == "WAITING" else self.random.randint(1, 12)
            for _ in range(length):
                self.report(trial)
            self.end(trial, state, began + 20 + 10 * length)
        else:
            for _ in range(5):
                self.report(trial)
        self.touch(trial)
        return trial

    def loss(self, trial):
        values = trial["parameters"]
        base = 2 + abs(math.log10(values.get("train.lr", 1e-3)) + 3) + 4 / values.get("model.layers", 4)
        base += 0.4 if values.get("model.kind") == "gpt2" else values.get("model.memory", 512) / 4096
        return base + self.random.gauss(0, 0.05)

    def report(self, trial):
        k = len(trial["reports"])
        value = self.loss(trial) + 5 * math.exp(-k / 4)
        if trial["number"] % 13 == 6 and k == 3:
            value = math.nan
        if trial["number"] % 19 == 7 and k == 4:
            value = math.inf
        trial["reports"].append([100 * (k + 1), number(value)])
        self.touch(trial)

    def end(self, trial, state, when):
        trial["state"] = state
        if state == "WAITING":
            trial.update(began=None, stints=[], parameters=dict(list(trial["parameters"].items())[:2]))
            return
        stint = trial["stints"][-1]
        stint.update(ended=when, open=False)
        if state == "PAUSED":
            return
        trial["ended"] = when
        if state == "COMPLETE":
            loss = math.inf if trial["number"] % 23 == 2 else self.loss(trial)
            trial["values"] = [number(loss), 800 - 60 * trial["parameters"].get("model.layers", 4) + self.random.gauss(0, 40),
                               float(trial["parameters"].get("model.layers", 4))][:len(self.directions)]
        if state == "PRUNED":
            trial["values"] = [trial["reports"][-1][1]]
            trial["reason"] = trial["reason"] or "median pruner: 5.1 is worse than 4.2 at step 600"
        if state == "FAIL":
            trial["reason"] = trial["reason"] or "node1 did not answer for 120 s; 2 of 2 restarts are used"
            trial["retries"] = 2
            again = dict(stint, began=when + 5, ended=when + 40)
            trial["stints"].append(again)
            trial["ended"] = again["ended"]

    def touch(self, trial):
        self.revision += 1
        trial["revision"] = self.revision

    def step(self):
        """One more look of the controller: what runs reports, now and then one ends and another begins."""
        with self.lock:
            for trial in [each for each in self.trials if each["state"] == "RUNNING"]:
                self.report(trial)
                if len(trial["reports"]) >= 20:
                    self.end(trial, "COMPLETE", time.time())
                    self.touch(trial)
                    if self.parameters:
                        self.add(self.parameters, time.time(), done=False)

    def best(self):
        done = [t for t in self.trials if t["state"] == "COMPLETE" and all(isinstance(v, (int, float)) for v in t["values"])]
        signs = [1 if direction == "minimize" else -1 for direction in self.directions]
        losses = {t["number"]: [s * v for s, v in zip(signs, t["values"])] for t in done}
        if len(signs) == 1:
            return sorted(losses, key=lambda n: (losses[n], n))[:1]
        beats = lambda a, b: all(x <= y for x, y in zip(a, b)) and a != b
        return [n for n, each in losses.items() if not any(beats(other, each) for other in losses.values())]

    def info(self):
        counts = {state: 0 for state in ("RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING", "PAUSED")}
        for trial in self.trials:
            counts[trial["state"]] += 1
        n = len(self.trials)
        return {"name": HOSTILE[1] if self.kind == "hostile" else "chopin-architectures", "directions": self.directions, "metrics": self.metrics,
                "parameters": self.parameters, "sampler": {"kind": "tpe"}, "pruner": {"kind": "hyperband"},
                "budget": {"trials": 100, "wall": 43200, "gpu_hours": 64, "core_hours": None, "cost": 150, "currency": "USD"},
                "spent": {"trials": n, "wall": time.time() - self.began, "gpu_hours": n * 0.3, "core_hours": n * 1.2, "cost": n * 0.9},
                "counts": counts, "best": self.best(), "over": HOSTILE[0] if self.kind == "hostile" else self.over, "now": time.time(),
                "version": "0.7", "incarnation": self.incarnation, "revision": self.revision, "read_only": self.read_only}

    def importance(self):
        names = sorted({name for trial in self.trials for name in trial["parameters"]})
        shares = [1 / 2 ** (i + 1) for i in range(len(names))]
        return {"parameters": [{"name": name, "importance": share, "deviation": share / 4} for name, share in zip(names, shares)],
                "trials": len(self.trials)}


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="application/json"):
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(content))), ("Content-Security-Policy", POLICY),
                            ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-store")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def parts(self):
        url = urllib.parse.urlsplit(self.path)
        return url.path, {key: values[0] for key, values in urllib.parse.parse_qs(url.query).items()}

    def allowed(self):
        token = self.server.token
        if token is None or self.headers.get("Authorization") == f"Bearer {token}":
            return True
        self.answer(401, {"error": "The token is missing or wrong."})
        return False

    def do_GET(self):
        path, query = self.parts()
        study = self.server.study
        if not path.startswith("/api/"):
            folder, name = (SHARED, path[6:]) if path.startswith("/page/") else (PAGE, "page.html" if path == "/" else path[1:])
            file = folder / name
            if file.suffix in TYPES and file.resolve().is_relative_to(folder) and file.is_file():
                return self.answer(200, file.read_bytes(), TYPES[file.suffix])
            return self.answer(404, {"error": f"There is no {path}."})
        if not self.allowed():
            return None
        with study.lock:
            if path == "/api/study":
                return self.answer(200, study.info())
            if path == "/api/trials":
                since = int(query.get("since", 0)) if query.get("incarnation") == study.incarnation else -1
                self.server.sinces.append(since)
                return self.answer(200, {"incarnation": study.incarnation, "revision": study.revision,
                                         "trials": [trial for trial in study.trials if trial["revision"] > since]})
            if path == "/api/importance":
                return self.answer(200, study.importance())
            if path == "/api/best":
                return self.answer(200, {"trials": [study.trials[n] for n in study.best()], "yaml": "name: best\nmodel: {kind: gpt2}\n"})
        return self.answer(404, {"error": f"There is no {path}."})

    def do_POST(self):
        path, _ = self.parts()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.allowed():
            return None
        if self.headers.get("Content-Type") != "application/json":
            return self.answer(415, {"error": "The body has to be application/json."})
        asked = json.loads(body)
        study, words = self.server.study, path.strip("/").split("/")
        with study.lock:
            self.server.posts.append((path, asked))
            if self.server.refusals:
                return self.answer(*self.server.refusals.pop(0))
            if path == "/api/stop":
                study.over = "stopped by hand"
                study.revision += 1
                return self.answer(200, {})
            if path == "/api/enqueue" or words[3:] == ["retry"]:
                trial = study.add(study.parameters, time.time(), done=False)
                study.end(trial, "WAITING", None)
                trial["parameters"] = asked.get("parameters") or study.trials[int(words[2])]["parameters"]
                trial["reports"] = []
                return self.answer(200, {"number": trial["number"]})
            if words[3:] == ["prune"]:
                trial = study.trials[int(words[2])]
                study.end(trial, "PRUNED", time.time())
                study.touch(trial)
                return self.answer(200, {})
        return self.answer(404, {"error": f"There is no {path}."})


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_):
        pass  # a browser that was ended in the middle of an answer


class StandIn:
    """Serves a study on a free port of this machine; `stop` and `start` are a controller that goes away and comes back."""

    def __init__(self, study, port=0, token=None):
        self.study, self.port, self.token = study, port, token
        self.posts, self.refusals, self.sinces = [], [], []
        self.start()

    def start(self):
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        self.server.study, self.server.token = self.study, self.token
        self.server.posts, self.server.refusals, self.server.sinces = self.posts, self.refusals, self.sinces
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", default="search", choices=["search", "objectives", "hostile", "foreign", "empty"])
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token")
    parser.add_argument("--still", action="store_true")
    given = parser.parse_args()
    stand_in = StandIn(Study(given.kind, given.trials), given.port, given.token)
    print(stand_in.url, flush=True)
    while True:
        time.sleep(2)
        if not given.still:
            stand_in.study.step()


if __name__ == "__main__":
    main()
