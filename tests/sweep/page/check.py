#!/usr/bin/env python3
"""Clicks through the page of a sweep in a headless Chromium.

  tests/sweep/page/check.py CASE [--pictures FOLDER]

Exits with 77 where there is no Chromium. CASE is one of the functions below that begin with "case_".
"""
import contextlib
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from browser import Browser, Failed, ask, find_chromium, run
from stand_in import HOSTILE, StandIn, Study

SECTIONS = ["history", "curves", "trials", "parallel", "slices", "contour", "importance", "timeline"]
ROWS = "document.querySelectorAll('.trials tbody tr:not(.gap)')"
etude = pictures = None


def expect(truth, sentence):
    if not truth:
        raise Failed(sentence)


def equal(seen, wanted, what):
    expect(seen == wanted, f"{what}: {seen!r} where {wanted!r} was expected")


@contextlib.contextmanager
def page(study, token=None, loud=False, server=None, **window):
    """The page of a study; afterwards nothing may have been complained of. `loud`: failing requests are part of it.
    `server`: the controller itself, in place of a stand-in."""
    stand_in = server or StandIn(study, token=token)
    try:
        with Browser(find_chromium(), **window) as browser:
            browser.open(stand_in.url)
            yield browser, stand_in
            if pictures:
                browser.picture(pathlib.Path(pictures) / f"{sys.argv[1]}.png", whole=False)
            complaints = [each for each in browser.complaints if not (loud and each.startswith("network:"))]
            equal(complaints, [], "console")
            equal(browser.evaluate("violations"), [], "violations of the security policy")
            equal(browser.evaluate("typeof window.hacked"), "undefined", "what a text of the study may not set")
            strange = [each for each in browser.addresses if not each.startswith((stand_in.url, "about:", "data:"))]
            equal(strange, [], "addresses elsewhere")
    finally:
        stand_in.stop()


def filled(browser):
    show(browser, "trials")
    browser.wait(f"{ROWS}.length > 0")
    browser.evaluate("scrollTo({top: 0, behavior: 'instant'})")


def dialog_gone(browser):
    browser.wait("!document.querySelector('dialog')")


def show(browser, section):
    """Scrolls to a section, which is drawn only then."""
    browser.wait(f"""(() => {{ const node = document.getElementById('{section}');
                     node.scrollIntoView({{block: 'start', behavior: 'instant'}});
                     const box = node.getBoundingClientRect();
                     return box.top < innerHeight && box.bottom > 0; }})()""")


def no_overflow(browser, where):
    wide = browser.overflow()
    expect(wide <= 0, f"{where}: the page is {wide} pixels wider than its window")


def case_shows():
    """Every part shows what the study holds."""
    study = Study("search", 60)
    done = [t for t in study.trials if t["state"] == "COMPLETE"]
    finite = [t for t in done if isinstance(t["values"][0], float)]
    best = min(finite, key=lambda t: t["values"][0])
    with page(study) as (browser, _):
        filled(browser)
        equal(browser.text("#name"), "chopin-architectures", "name")
        expect(f"{best['values'][0]:.4f}"[:5] in browser.text("#best"), "the best value is not at the top")
        expect(f"trial {best['number']}" in browser.text("#best"), "the best trial is not at the top")
        expect("transformer_xl" in browser.text("#best") or "gpt2" in browser.text("#best"), "the best parameters are not at the top")
        expect(f"{len(done)} " in browser.text("#counts").replace("\n", " "), "the complete trials are not counted")
        budget = browser.text("#budget")
        for words in ("60 of 100, 40 left", "1 h of 12 h", "46 h left", "no bound", "54 USD of 150 USD, 96 USD left"):
            expect(words in budget, f"budget without '{words}': {budget}")
        equal(browser.evaluate("[...document.querySelectorAll('#budget progress')].map((bar) => bar.max)"), [100, 43200, 64, 150], "bounds")
        for section in SECTIONS:
            show(browser, section)
            if section not in ("trials", "importance"):
                browser.wait(f"document.querySelectorAll('#{section} svg.base path').length > 1")
        browser.wait("document.querySelectorAll('#importance tbody tr').length === 6")
        expect("data.mirror" in browser.text("#importance tbody tr:first-child"), "the most important is not first")
        equal(browser.evaluate("document.querySelectorAll('#slices .stage').length"), 6, "slices")
        equal(browser.evaluate("document.getElementById('pareto').hidden"), True, "a Pareto front of one objective")
        show(browser, "history")
        marks = "(document.querySelector('#history path.mark.COMPLETE').getAttribute('d').match(/M/g) || []).length"
        browser.wait(f"{marks} === {len(finite)}")
        # The best of all is where the line ends: nothing lies below it.
        expect("complete trials have no finite value" in browser.text("#history"), "infinite values are passed over in silence")


def case_table():
    """Sorted and filtered by what one clicks and types; a click opens the details."""
    study = Study("search", 60)
    with page(study) as (browser, _):
        filled(browser)
        column = lambda i: browser.evaluate(f"[...{ROWS}].map((row) => row.cells[{i}].innerText.trim())")
        equal(column(0)[:3], ["59", "58", "57"], "newest first")
        browser.click(".trials th button", "eval_loss")
        ordered = sorted(t["values"][0] for t in study.trials if t["values"] and isinstance(t["values"][0], float))
        equal(column(2)[:8], [f"{value:.5g}" for value in ordered[:8]], "ascending by value")
        browser.click(".trials th button", "eval_loss")
        equal(browser.evaluate("document.querySelector('.trials th:nth-child(3)').getAttribute('aria-sort')"), "descending", "said aloud")
        for state in ("running", "complete", "pruned", "waiting", "paused"):
            browser.click("#trials .toggle", state)
        failed = [t["number"] for t in study.trials if t["state"] == "FAIL"]
        equal(sorted(map(int, column(0))), failed, "failed ones")
        for state in ("complete",):
            browser.click("#trials .toggle", state)
        browser.click("#trials input[type=search]")
        browser.type("transformer_xl node1:")
        wanted = [t["number"] for t in study.trials if t["state"] in ("FAIL", "COMPLETE")
                  and t["parameters"].get("model.kind") == "transformer_xl" and t["stints"][-1]["worker"].startswith("node1")]
        equal(sorted(map(int, column(0))), wanted, "by text")
        browser.evaluate("(() => { const field = document.querySelector('#trials input'); field.value = 'restarts'; field.dispatchEvent(new Event('input')); })()")
        browser.click(f".trials button[data-number='{failed[0]}']")
        details = browser.wait("document.querySelector('dialog')?.innerText")
        for words in (f"Trial {failed[0]}", "did not answer for 120 s", "node", "Where it ran", "Retries", f"trial-{failed[0]:05}", "model.layers"):
            expect(words in details, f"details without '{words}': {details}")
        browser.press("Escape")
        dialog_gone(browser)
        equal(browser.evaluate("document.activeElement.dataset.number"), str(failed[0]), "the focus is back where it was")


def case_charts():
    """Pointers, keys, axes and brushes."""
    study = Study("search", 60)
    with page(study) as (browser, _):
        filled(browser)
        x, y = browser.place("#curves .stage")
        browser.mouse("mouseMoved", x - 100, y)
        for dy in range(0, 140, 6):
            browser.mouse("mouseMoved", x - 100, y - 60 + dy)
            if browser.evaluate("!document.querySelector('#curves .tip').hidden"):
                break
        expect("at step" in browser.text("#curves .tip"), "no trial is named under the pointer")
        named = browser.text("#curves .tip").split()[1]
        browser.click_at(x - 100, y - 60 + dy)
        equal(browser.wait("document.querySelector('dialog h2')?.innerText"), f"Trial {named}", "a click on a curve")
        browser.press("Escape")
        dialog_gone(browser)

        ticks = "[...document.querySelectorAll('#curves .tick')].map((each) => each.textContent).join()"
        before = browser.evaluate(ticks)
        browser.click("#curves .toggle", "log step")
        expect(browser.evaluate(ticks) != before, "the axis is not logarithmic now")

        browser.evaluate("document.querySelector('#history .stage').focus()")
        browser.press("ArrowRight")
        first = browser.text("#history .tip")
        browser.press("ArrowRight")
        expect(browser.text("#history .tip") not in (None, "", first), "arrow keys do not move between trials")
        browser.press("Enter")
        browser.wait("document.querySelector('dialog h2')?.innerText")
        browser.press("Escape")
        dialog_gone(browser)

        # The upper choice of the first axis: the trials that have it, and no others.
        show(browser, "parallel")
        kept = "document.querySelector('#parallel .controls span').innerText"
        browser.wait(f"{kept}.includes('trials')")
        finite = [t for t in study.trials if t["state"] == "COMPLETE" and isinstance(t["values"][0], float)]
        upper = [t for t in finite if t["parameters"]["model.kind"] == "transformer_xl"]
        box = browser.evaluate("""(() => { const node = document.querySelector('#parallel .brush'); node.scrollIntoView({block: 'center'});
                                  const box = node.getBoundingClientRect(); return [box.left + 14, box.top, box.height]; })()""")
        browser.drag(box[0], box[1] + 6, box[0], box[1] + box[2] * 0.42)
        equal(browser.evaluate(kept), f"{len(upper)} of {len(finite)} trials", "kept by a brush")
        browser.click("#parallel button", "clear brushes")
        equal(browser.evaluate(kept), f"{len(finite)} trials", "kept without a brush")
        # A conditional parameter by the keyboard: the lowest window holds those that do not have it.
        browser.evaluate("document.querySelectorAll('#parallel .brush')[3].focus()")
        browser.press("ArrowUp")
        lacking = [t for t in finite if "model.memory" not in t["parameters"]]
        low = int(browser.evaluate(kept).split()[0])
        expect(len(lacking) <= low < len(finite), f"{low} kept where {len(lacking)} trials lack the parameter")
        browser.press("Escape")
        equal(browser.evaluate(kept), f"{len(finite)} trials", "kept after Escape")

        show(browser, "contour")
        browser.wait("document.querySelectorAll('#contour .fill').length > 5")
        drawn = "[...document.querySelectorAll('#contour .axis-title')].map((each) => each.textContent)"
        browser.choose("#contour label:first-child select", 2)
        equal(browser.evaluate(drawn)[0], "train.lr", "the axis chosen")
        cells = "[...document.querySelectorAll('#contour path.fill')].map((each) => each.getAttribute('d').length).filter(Boolean).length"
        expect(browser.evaluate(cells) >= 4, "the map is of one shade")
        show(browser, "timeline")
        browser.choose("#timeline select", 1)
        rows = browser.evaluate("[...document.querySelectorAll('#timeline .tick')].map((each) => each.textContent).filter((text) => text.startsWith('node'))")
        equal(rows, ["node0", "node1", "node2"], "rows by host")


def case_actions():
    """What is done by hand asks first, reaches the controller, and shows its refusals."""
    study = Study("search", 40)
    running = next(t["number"] for t in study.trials if t["state"] == "RUNNING")
    failed = next(t["number"] for t in study.trials if t["state"] == "FAIL")
    with page(study, loud=True) as (browser, stand_in):
        filled(browser)
        browser.click(f".trials button[data-number='{running}']")
        browser.click("dialog.details button", "Prune")
        browser.click("dialog.narrow button", "Cancel")
        equal(stand_in.posts, [], "nothing is asked without a yes")
        browser.click("dialog.details button", "Prune")
        browser.click("dialog.narrow button.primary", "Prune")
        browser.wait("document.querySelector('dialog.details dl').innerText.includes('pruned')")
        equal(stand_in.posts.pop(), (f"/api/trials/{running}/prune", {}), "asked")
        browser.press("Escape")
        dialog_gone(browser)

        browser.evaluate("(() => { const field = document.querySelector('#trials input'); field.value = 'restarts'; field.dispatchEvent(new Event('input')); })()")
        browser.click(f".trials button[data-number='{failed}']")
        browser.click("dialog.details button", "Retry")
        stand_in.refusals.append((409, {"error": "Trial 5 is running already."}))
        browser.click("dialog.narrow button.primary", "Retry")
        browser.wait("document.querySelector('dialog.narrow .error').innerText === 'Trial 5 is running already.'")
        browser.click("dialog.narrow button.primary", "Retry")
        browser.wait("!document.querySelector('dialog.narrow')")
        (path, first), (_, second) = stand_in.posts[-2:]
        equal(path, f"/api/trials/{failed}/retry", "asked")
        expect(first["request"] == second["request"] != "", "asked again under another word: it could be done twice")
        browser.press("Escape")
        dialog_gone(browser)

        browser.click("header button", "Enqueue")
        hidden = "[...document.querySelectorAll('dialog .field')].find((each) => each.innerText.includes('model.memory') || each.textContent.includes('model.memory')).hidden"
        equal(browser.evaluate(hidden), False, "as long as the sampler chooses the kind")
        browser.choose("dialog .field:nth-child(1) select", 1)
        equal(browser.evaluate(hidden), True, "gpt2 has no memory")
        browser.choose("dialog .field:nth-child(1) select", 2)
        equal(browser.evaluate(hidden), False, "transformer_xl has one")
        browser.click("dialog .field:nth-child(2) input")
        browser.type("99")
        browser.click("dialog button.primary", "Enqueue")
        equal(stand_in.posts[-1][0], path, "a value beyond its range does not leave the form")
        browser.evaluate("document.querySelector('dialog .field:nth-child(2) input').value = ''")
        browser.click("dialog .field:nth-child(2) input")
        browser.type("7")
        browser.click("dialog .field:nth-child(3) input")
        browser.type("0.0005")
        browser.choose("dialog .field:nth-child(6) select", 5)
        browser.click("dialog button.primary", "Enqueue")
        dialog_gone(browser)
        equal(stand_in.posts[-1][0], "/api/enqueue", "asked")
        equal(stand_in.posts[-1][1]["parameters"], {"model.kind": "transformer_xl", "model.layers": 7, "train.lr": 0.0005, "data.mirror": "1.5"}, "values")
        expect("Enqueued as trial" in browser.text("#away"), "nothing says that it was done")

        browser.click("header button", "Best as YAML")
        browser.wait("document.querySelector('dialog pre')?.innerText.includes('model: {kind: gpt2}')")
        browser.click("dialog .close")
        dialog_gone(browser)
        browser.click("header button", "Stop")
        browser.click("dialog button.primary", "Stop")
        browser.wait("document.getElementById('state').innerText.includes('stopped by hand')")
        equal(stand_in.posts[-1], ("/api/stop", {}), "asked")
        equal(browser.evaluate("[...document.querySelectorAll('header button')].some((each) => each.innerText.startsWith('Stop'))"), False, "stop again")


def case_live():
    """Trials go on without anybody's doing, and only what changed is fetched."""
    study = Study("search", 30)
    with page(study) as (browser, stand_in):
        filled(browser)
        last = study.trials[-1]["number"]
        browser.click(f".trials button[data-number='{last}']")
        browser.wait("document.querySelector('dialog')?.innerText.includes('500')")
        study.step()
        browser.wait("document.querySelector('dialog').innerText.includes('600')")
        browser.press("Escape")
        with study.lock:
            study.add(study.parameters, time.time(), done=False)
        browser.wait(f"{ROWS}[0].cells[0].innerText === '30'")
        expect(stand_in.sinces[0] == -1 and all(since > 0 for since in stand_in.sinces[1:]) and len(stand_in.sinces) > 1,
               f"asked for what changed since {stand_in.sinces}")


def case_away():
    """The page says when the controller is away, and goes on by itself when another one is there."""
    study = Study("search", 30)
    with page(study, loud=True) as (browser, stand_in):
        filled(browser)
        stand_in.stop()
        browser.wait("document.getElementById('away').innerText.includes('does not answer')")
        equal(browser.evaluate(f"{ROWS}.length > 0"), True, "what was known is still shown")
        stand_in.study = Study("search", 12, seed=2)
        stand_in.study.incarnation = "second"
        stand_in.start()
        browser.wait("document.getElementById('away').hidden", 20)
        browser.wait(f"{ROWS}.length === 12")


def case_token():
    """Nothing is shown without the token; a wrong one is told so; it survives a reload and is in no address."""
    study = Study("search", 30)
    with page(study, token="right", loud=True) as (browser, stand_in):
        browser.wait("!!document.querySelector('dialog.token')")
        equal(browser.evaluate(f"{ROWS}.length"), 0, "rows without a token")
        browser.type("wrong")
        browser.press("Enter")
        browser.wait("document.querySelector('dialog.token .error').innerText.includes('missing or wrong')")
        browser.evaluate("document.querySelector('dialog.token input').value = ''")
        browser.click("dialog.token input")
        browser.type("right")
        browser.press("Enter")
        filled(browser)
        dialog_gone(browser)
        browser.open(stand_in.url)
        filled(browser)
        equal(browser.evaluate("!!document.querySelector('dialog')"), False, "asked again after a reload")
        expect(not any("right" in address for address in browser.addresses), "the token is in an address")


def case_hostile():
    """Whatever is stored in a study is text."""
    study = Study("hostile", 40)
    with page(study) as (browser, stand_in):
        filled(browser)
        equal(browser.text("#name"), HOSTILE[1], "the name, letter by letter")
        expect(HOSTILE[0] in browser.text("#state"), "the reason, letter by letter")
        elements = "document.querySelectorAll('main img, main script, main iframe, dialog img, dialog script, dialog iframe, header img, header script, body style').length"
        for section in SECTIONS:
            show(browser, section)
            no_overflow(browser, section)
        browser.wait("document.querySelectorAll('#importance tbody tr').length > 6")
        shown = browser.evaluate("[...document.querySelectorAll('.trials th')].map((each) => each.innerText)")
        for name in ("__proto__", "constructor", HOSTILE[0]):
            expect(name in shown, f"no column of the parameter {name}")
        for stage in ("curves", "history", "timeline"):
            show(browser, stage)
            browser.evaluate(f"document.querySelector('#{stage} .stage').focus()")
            browser.press("ArrowRight")
            browser.wait(f"!document.querySelector('#{stage} .tip').hidden")
        number = study.trials[13]["number"]
        browser.evaluate("(() => { const box = document.querySelector('.table-box'); box.scrollTop = box.scrollHeight; })()")
        browser.click(f".trials button[data-number='{number}']")
        details = browser.wait("document.querySelector('dialog')?.textContent")
        for text in HOSTILE:
            expect(text in details, f"an attribute is not shown letter by letter: {text}")
        browser.press("Escape")
        dialog_gone(browser)
        browser.click("header button", "Enqueue")
        browser.wait("document.querySelectorAll('dialog .field').length > 6")
        browser.evaluate("[...document.querySelectorAll('dialog .field')].filter((each) => ['__proto__', 'constructor'].includes(each.querySelector('.field-name').textContent))"
                         ".forEach((each) => { each.querySelector('input').value = '0.5'; })")
        equal(browser.evaluate(elements), 0, "elements made of text")
        browser.click("dialog button.primary", "Enqueue")
        dialog_gone(browser)
        equal(stand_in.posts[-1][1]["parameters"], {"__proto__": 0.5, "constructor": 0.5}, "odd names are names like others")


def case_phone():
    """At 360 pixels nothing is wider than the page, and all of it can be used."""
    for kind in ("search", "objectives", "hostile"):
        with page(Study(kind, 40), width=360, height=740, touch=True, dark=kind == "objectives") as (browser, _):
            filled(browser)
            no_overflow(browser, "top")
            for section in SECTIONS + (["pareto"] if kind == "objectives" else []):
                show(browser, section)
                no_overflow(browser, section)
                if section not in ("trials", "importance"):
                    browser.wait(f"document.querySelectorAll('#{section} svg.base path').length > 1")
            show(browser, "trials")
            browser.click(".trials td button")
            browser.wait("!!document.querySelector('dialog')")
            no_overflow(browser, "details")
            equal(browser.evaluate("(() => { const box = document.querySelector('dialog').getBoundingClientRect(); return box.left >= 0 && box.right <= 360; })()"), True, "details within the window")
            browser.click("dialog button", "Enqueue one")
            browser.wait("!!document.querySelector('dialog.narrow')")
            no_overflow(browser, "form")
            browser.click("dialog.narrow button", "Cancel")


def case_objectives():
    """Several objectives: a front, and each objective by itself."""
    study = Study("objectives", 60)
    front = study.best()
    with page(study) as (browser, _):
        filled(browser)
        expect(f"{len(front)} trials" in browser.text("#best"), "the front is not counted")
        show(browser, "pareto")
        marks = "(document.querySelector('#pareto path.best-mark').getAttribute('d').match(/M/g) || []).length"
        browser.wait(f"{marks} === {len(front)}")
        browser.choose("#pareto label:nth-child(2) select", 2)
        titles = "[...document.querySelectorAll('#pareto .axis-title')].map((each) => each.textContent)"
        equal(browser.evaluate(titles), ["eval_loss (less is better)", "memory (less is better)"], "axes")
        show(browser, "history")
        browser.choose("#objective", 1)
        browser.wait("[...document.querySelectorAll('#history .axis-title')].some((each) => each.textContent === 'notes_per_second')")
        # More is better here: the line of the best only climbs.
        line = browser.evaluate("document.querySelector('#history path.best-line').getAttribute('d')")
        heights = [float(part.split("H")[0]) for part in line.replace("M", "V").split("V")[2:]]
        equal(heights, sorted(heights, reverse=True), "heights of the best so far")


def case_many():
    """Ten thousand trials: the table holds few rows at a time, and each can be reached."""
    study = Study("search", 10000)
    with page(study) as (browser, _):
        filled(browser)
        expect(browser.evaluate(f"{ROWS}.length") < 100, "all rows are elements")
        browser.evaluate("(() => { const box = document.querySelector('.table-box'); box.scrollTop = box.scrollHeight; })()")
        browser.wait(f"[...{ROWS}].at(-1).cells[0].innerText === '0'")
        for section in SECTIONS:
            show(browser, section)
        browser.wait("document.getElementById('curves').innerText.includes('curves are drawn')")
        browser.click("#trials input[type=search]")
        browser.type("node1:4 gpt2")
        browser.wait("document.querySelector('#trials .note').innerText.includes('of 10,000')")


def case_foreign():
    """A study of somebody else's, whose search space is not known, and one of which nothing has begun."""
    with page(Study("foreign", 30)) as (browser, _):
        filled(browser)
        show(browser, "slices")
        browser.wait("document.querySelectorAll('#slices .stage').length === 6")
    empty = Study("empty")
    empty.read_only = True
    with page(empty) as (browser, _):
        browser.wait("document.getElementById('name').innerText === 'chopin-architectures'")
        for section in SECTIONS:
            show(browser, section)
        equal(browser.evaluate("document.querySelectorAll('header button').length"), 0, "what can be done by hand where nothing may be written")


class Controller:
    """`etude sweep serve` on a free port, with a search space of its own and workers played from here."""

    SWEEP = """
name: "{name}"
experiment: experiment.yaml
metric: {{name: eval_loss, goal: minimize}}
parameters:
  model.kind: {{values: [gpt2, transformer_xl]}}
  model.layers: {{type: int, low: 2, high: 12}}
  train.lr: {{type: float, low: 1.0e-5, high: 1.0e-2, log: true}}
  model.memory: {{type: int, low: 64, high: 1024, step: 64, when: {{model.kind: transformer_xl}}}}
sampler: {{kind: random, seed: 1}}
budget: {{trials: 100, wall: 12h}}
"""

    def __init__(self, program, name):
        self.folder = tempfile.TemporaryDirectory(prefix="etude-page-")
        place = pathlib.Path(self.folder.name)
        (place / "sweep.yaml").write_text(self.SWEEP.format(name=name))
        (place / "experiment.yaml").write_text("name: small\ndata: {pack: nowhere, sequence_length: 48}\nmodel: {kind: gpt2, layers: 2, width: 24, heads: 2}\n"
                                               "train: {steps: 5, global_batch: 2, micro_batch: 2}\n")
        self.log = open(place / "log", "w+")
        self.process = subprocess.Popen([program, "sweep", "serve", "sweep.yaml", "--port", "0"], cwd=place, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.url = self.process.stdout.readline().strip().removeprefix("page: ") + "/"
        if not self.url.startswith("http://127.0.0.1:"):
            self.process.kill()
            self.log.seek(0)
            raise Failed(f"etude sweep serve did not begin: {self.url} {self.log.read()}")

    def post(self, path, body):
        request = urllib.request.Request(f"{self.url}api/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Failed(f"{path}: {error.code} {error.read().decode()}") from None

    def get(self, path):
        with urllib.request.urlopen(f"{self.url}api/{path}", timeout=20) as answer:
            return json.load(answer)

    def ask(self, worker):
        return self.post("trials", {"request": str(time.monotonic_ns()), "worker": {"name": worker, "host": "node1", "nodes": 1, "cores": 4, "gpus": 1}})["trial"]["number"]

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()
        self.folder.cleanup()


def case_controller():
    """All of it against the controller itself: its headers, its JSON, and what is done by hand."""
    expect(etude, "--etude names the program")
    controller = Controller(etude, "page of <b>this")
    with page(None, server=controller, loud=True) as (browser, _):
        browser.wait("document.getElementById('name').innerText === 'page of <b>this'")
        for i in range(12):
            number = controller.ask(HOSTILE[i][:200])
            for step in (10, 20, 30):
                controller.post(f"trials/{number}/reports", {"reports": [{"step": step, "value": 9 - i / 4 - step / 10}]})
            end = {"state": "FAIL", "reason": HOSTILE[0]} if i == 5 else {"state": "COMPLETE", "value": 5 - i / 4}
            if i < 11:
                controller.post(f"trials/{number}/end", end)
        filled(browser)
        browser.wait(f"{ROWS}.length === 12")
        browser.wait("document.getElementById('best').innerText.includes('2.5')")
        for section in SECTIONS:
            show(browser, section)
            no_overflow(browser, section)
            if section not in ("trials", "importance"):
                browser.wait(f"document.querySelectorAll('#{section} svg.base path').length > 1")
        browser.wait("document.querySelectorAll('#importance tbody tr').length > 0")
        browser.click(".trials button[data-number='5']")
        browser.wait(f"document.querySelector('dialog').textContent.includes({json.dumps(HOSTILE[0])})")
        browser.click("dialog.details button", "Retry")
        browser.click("dialog.narrow button.primary")
        browser.wait("!document.querySelector('dialog.narrow')")
        browser.press("Escape")
        browser.wait(f"{ROWS}.length === 13")  # rows move when the new trial's comes
        browser.click(".trials button[data-number='11']")
        browser.click("dialog.details button", "Prune")
        browser.click("dialog.narrow button.primary")
        browser.wait("!document.querySelector('dialog.narrow')")
        browser.press("Escape")
        answer = controller.post("trials/11/reports", {"reports": []})
        equal(answer["verdict"], "prune", "what the worker of the pruned trial is told")
        browser.click("header button", "Enqueue")
        browser.choose("dialog .field:nth-child(1) select", 1)
        browser.click("dialog .field:nth-child(2) input")
        browser.type("7")
        browser.click("dialog button.primary", "Enqueue")
        dialog_gone(browser)
        enqueued = controller.get("trials")["trials"][-1]
        equal(enqueued["state"], "WAITING", "the trial enqueued")
        browser.click("header button", "Best as YAML")
        browser.wait("document.querySelector('dialog pre')?.innerText.includes('layers:')")
        browser.press("Escape")
        browser.click("header button", "Stop")
        browser.click("dialog button.primary", "Stop")
        browser.wait("document.getElementById('state').innerText.startsWith('over')")
        expect(controller.get("study")["over"], "the controller knows of no stop")


def main():
    global etude, pictures
    given = ask(globals(), {"--etude": "the program, for the case 'controller'"})
    etude, pictures = given.etude, given.pictures
    run(globals(), given.case)


if __name__ == "__main__":
    main()
