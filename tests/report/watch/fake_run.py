"""A run folder that a test writes as `etude train` does: docs/formats.md."""
import fcntl
import json
import os


class FakeRun:
    def __init__(self, folder, steps=400, evaluate_every=50):
        self.folder, self.steps = folder, steps
        self.lock = None
        os.makedirs(folder / "checkpoints")
        self.hold()
        (folder / "config.yaml").write_text(f"name: fake\nevaluate:\n  every: {evaluate_every}\n")

    def hold(self):
        self.lock = open(self.folder / ".lock", "a")
        fcntl.flock(self.lock, fcntl.LOCK_EX)

    def release(self):
        self.lock.close()

    def append(self, text):
        with open(self.folder / "metrics.jsonl", "a") as file:
            file.write(text)

    def line(self, step, loss=None, **more):
        return json.dumps({"step": step, "steps": self.steps, "epoch": step / 100, "lr": 3e-4, "tokens": step * 1000,
                           "loss": 5 * step ** -0.2 if loss is None else loss, "seconds": step * 0.5,
                           "tokens_per_second": 2000.0, "data_wait": 0.01, "communication_wait": 0.02, "norm": 1.0,
                           "padding": 0, **more}) + "\n"

    def step(self, step, loss=None, **more):
        self.append(self.line(step, loss, **more))

    def evaluation_line(self, step, loss):
        return json.dumps({"step": step, "epoch": step / 100, "eval_loss": loss, "eval_loss_per_note": 3 * loss,
                           "eval_tokens": 1000}) + "\n"

    def evaluation(self, step, loss):
        self.append(self.evaluation_line(step, loss))

    def cut_after(self, step, then=""):
        """As a run does that is resumed there, and then writes on."""
        with open(self.folder / "metrics.jsonl", "r+") as file:
            kept = [line for line in file.read().splitlines(True) if json.loads(line)["step"] <= step]
            at = len("".join(kept))
            file.seek(at)
            file.write(then)
            file.truncate()

    def log(self, level, message):
        with open(self.folder / "log.txt", "a") as file:
            file.write(f"2024-05-01 18:03:11.482 +0200  {level:7}  {message}\n")

    def checkpoint(self, step, *links, pack="p"):
        name = f"step-{step:08}"
        os.makedirs(self.folder / "checkpoints" / name, exist_ok=True)
        state = {"made_from": {"the pack (its hash)": pack}}
        (self.folder / "checkpoints" / name / "state.json").write_text(json.dumps(state))
        (self.folder / "checkpoints" / name / "config.json").write_text(json.dumps({"vocab_size": 256}))
        for link in ("last", *links):
            path = self.folder / "checkpoints" / link
            path.unlink(missing_ok=True)
            path.symlink_to(name)

    def finish(self):
        self.checkpoint(self.steps, "final", "best")
        self.release()
