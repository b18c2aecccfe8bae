#!/usr/bin/env python3
"""Clicks through the page of a report in a headless Chromium.

  tests/report/page/check.py CASE --maker PROGRAM [--pictures FOLDER]

PROGRAM is report_page_maker, which turns a model into the page. Exits with 77 where there is no Chromium. CASE is one of the
functions below that begin with "case_".
"""
import contextlib
import csv
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "support"))
from browser import Browser, Failed, ask, find_chromium, run
from model import HOSTILE, model

maker = pictures = None


def expect(truth, sentence):
    if not truth:
        raise Failed(sentence)


def equal(seen, wanted, what):
    expect(seen == wanted, f"{what}: {seen!r} where {wanted!r} was expected")


@contextlib.contextmanager
def page(content, **window):
    """The page of a model, opened from disk; afterwards nothing may have been complained of, or asked for."""
    with tempfile.TemporaryDirectory(prefix="etude-report-") as folder:
        file = pathlib.Path(folder) / "report.html"
        with open(file, "wb") as output:
            subprocess.run([maker], input=json.dumps(content).encode(), stdout=output, check=True, timeout=60)
        with Browser(find_chromium(), **window) as browser:
            browser.open(file.as_uri())
            yield browser
            if pictures:
                browser.picture(pathlib.Path(pictures) / f"{sys.argv[1]}.png")
            equal(browser.complaints, [], "console")
            equal(browser.evaluate("violations"), [], "violations of the security policy")
            equal(browser.evaluate("typeof window.hacked"), "undefined", "what a text of a run may not set")
            strange = [each for each in browser.addresses if each != file.as_uri() and not each.startswith(("about:", "data:", "blob:"))]
            equal(strange, [], "addresses")


def sections(browser):
    return browser.evaluate("[...document.querySelectorAll('main > section')].map((each) => each.id)")


def show(browser, section):
    """Scrolls to a section, which is drawn only then."""
    browser.evaluate(f"document.getElementById('{section}').scrollIntoView({{block: 'start', behavior: 'instant'}})")
    browser.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 60)))")


def no_overflow(browser, where):
    wide = browser.overflow()
    expect(wide <= 0, f"{where}: the page is {wide} pixels wider than its window")


def no_label_cut(browser, where):
    """No text of a figure reaches over its edge, where it could not be read."""
    cut = browser.evaluate("""[...document.querySelectorAll('main svg.base text')].filter((each) => each.getClientRects().length).map((each) => {
        const text = each.getBoundingClientRect(), edge = each.ownerSVGElement.getBoundingClientRect();
        return text.left < edge.left - 1 || text.right > edge.right + 1 ? each.firstChild.textContent : null; }).filter(Boolean)""")
    equal(cut, [], f"{where}: labels that are cut off")


def cells(browser, selector):
    return browser.evaluate(f"[...document.querySelectorAll('{selector}')].map((each) => (each.innerText ?? each.firstChild.textContent).trim())")


def copied(browser, button):
    """What the button puts into the clipboard, as rows."""
    browser.evaluate("navigator.clipboard.writeText = async (text) => { window.clipped = text; }")
    browser.evaluate("window.clipped = null")
    browser.click(button, "Copy as CSV")
    return list(csv.reader(io.StringIO(browser.wait("window.clipped"))))


def points(browser, selector):
    """Places of the corners of a path."""
    d = browser.evaluate(f"document.querySelector(\"{selector}\").getAttribute('d')")
    return [tuple(map(float, each.split())) for each in d.replace("M", "L").split("L") if each]


def case_shows():
    """Every part shows the numbers of the model."""
    content = model("usual")
    with page(content) as browser:
        equal(browser.text("h1"), content["title"], "title")
        equal(cells(browser, "#runs thead th")[1], "loss per note", "the metric's short name")
        for sentence in content["summary"]:
            expect(sentence in browser.text(".summary"), f"not in the summary: {sentence}")
        equal(sections(browser), ["runs", "comparisons", "curves", "positions", "breakdown", "calibration", "confusion", "music", "copying", "pieces", "preferences",
                                  "configuration", "provenance"], "sections")
        for section in sections(browser):
            show(browser, section)
            no_overflow(browser, section)
            no_label_cut(browser, section)
        # Of what may be compared the best comes first; the run on other music comes last, whatever its loss.
        equal(cells(browser, "#runs tbody th"), ["Transformer-XL, 12 layers, long memory", "GPT-2 with relative positions", "small GPT-2", "other test set"], "order")
        equal(cells(browser, "#runs tbody tr td:nth-child(2)"), ["6.100", "6.350", "6.400", "⚠ 5.200"], "metric")
        expect("not comparable" in browser.text("#runs tbody tr:last-child"), "nothing says that the last is not comparable")
        rows = copied(browser, "#runs .take button")
        equal([row[1] for row in rows[1:]], ["6.1", "6.35", "6.4", "5.2"], "copied metrics")
        texts = cells(browser, "#comparisons .row-note")
        equal(texts.count("within noise"), 1, "verdicts within noise")
        equal(browser.evaluate("document.querySelectorAll('#comparisons figure:nth-of-type(2) .point.open').length"), 1, "hollow marks")
        expect("measured on other music" in browser.text("#comparisons .refused"), "the reason of a refusal is not told")
        table = copied(browser, "#comparisons figure:nth-of-type(2) .take button")
        equal(table[1][:5], ["small GPT-2", "Transformer-XL, 12 layers, long memory", "0.3", "0.22999999999999998", "0.37"], "first comparison")
        expect("7,050 of" not in browser.text("#confusion"), "a number of nothing")
        # The first matrix of the best configuration: its three seeds added up.
        best = [run for run in content["runs"] if run["group"] == "g2"]
        wanted = [[sum(run["evaluation"]["confusion"]["families"]["counts"][i][j] for run in best) for j in range(5)] for i in range(5)]
        equal([[int(cell) for cell in row[1:]] for row in copied(browser, "#confusion .take button")[1:]], wanted, "matrix")
        parts = copied(browser, "#breakdown figure > .take button")
        pitch = next(row for row in parts if row[0].startswith("Pitch") and row[1] == "GPT-2 with relative positions")
        equal(float(pitch[3]), 6.35 / 3 * 1.5, "loss of pitches")
        expect("64 notes" in browser.text("#pieces .copied-words") and "chopin/op28_7.mid, bars 9 to 12" in browser.text("#pieces .copied-words"), "a copy is not named with its source")
        expect("6 listeners gave 60 answers" in browser.text("#preferences"), "listeners")
        equal(cells(browser, "#configuration .data thead th")[:2], ["run", "model.kind"], "options that differ")
        expect("node1" in browser.text("#provenance"), "environment")
        equal(len(copied(browser, "#positions .take button")), 1 + 4 * 8, "positions")


def case_copies():
    """What one seed copied is told, whatever another seed of its configuration did; so are both seeds' figures."""
    content = model("usual")
    for run in content["runs"]:
        if run["id"] != "r2":
            run["music"]["copying"]["copies"], run["music"]["copying"]["generated"]["copied"] = [], 0
    with page(content) as browser:
        show(browser, "copying")
        expect("small GPT-2-seed2: sample-0001.mid, bars 5 to 8" in (browser.text("#copying .remarks") or ""), "the copy is not named")
        expect("No generated piece is called a copy" not in browser.text("#copying"), "it is said that there is none")
        copies = {row[0]: row[1] for row in copied(browser, "#copying .data .take button")[1:]}
        equal(len(copies), len(content["runs"]), "runs with figures of copying")
        equal([name for name, n in copies.items() if n == "1"], ["small GPT-2-seed2"], "runs that copied")
        show(browser, "music")
        equal(browser.evaluate("document.querySelector('#music select.of-line').length"), len(content["runs"]), "runs with music")
        browser.choose("#music select.of-line", 1)
        chosen = browser.evaluate("document.querySelector('#music select.of-line').selectedOptions[0].textContent")
        expect(f"Pieces by {chosen} beside 40 pieces of the test split" in browser.text("#music"), "whose music it is")
        # A remark about one seed has its name.
        content["runs"][1]["marks"] = ["unfinished: step 5 of 4000"]
    with page(content) as browser:
        expect("small GPT-2-seed2: unfinished: step 5" in browser.text("#runs"), "the run that a remark is about")


def case_table():
    """Sorted and filtered by what one clicks and types."""
    with page(model("usual")) as browser:
        names = "#runs tbody th"
        browser.click("#runs th button", "loss per note")
        equal(cells(browser, names)[0], "other test set", "ascending")
        browser.click("#runs th button", "loss per note")
        equal(cells(browser, names)[:2], ["small GPT-2", "GPT-2 with relative positions"], "descending")
        equal(browser.evaluate("[...document.querySelectorAll('#runs th')].filter((each) => each.getAttribute('aria-sort') === 'descending').length"), 1, "said aloud")
        browser.click("#runs .toggle", "each seed by itself")
        equal(len(cells(browser, names)), 8, "runs")
        browser.click("#runs input[type=search]")
        browser.type("xl seed2")
        equal(cells(browser, names), ["Transformer-XL, 12 layers, long memory-seed2"], "filtered")
        expect("1 of 8 runs" in browser.text("#runs"), "how many are shown is not said")


def case_curves():
    """Zoomed by dragging, smoothed, turned to other axes, read with pointer and keys, hidden by the legend."""
    content = model("usual")
    with page(content) as browser:
        show(browser, "curves")
        ticks = lambda: cells(browser, "#curves svg.base .tick")
        tip = lambda: browser.text("#curves .tip")
        x, y = browser.place("#curves .stage")
        whole = ticks()
        browser.drag(x - 100, y, x + 60, y + 5)
        expect(ticks() != whole, "dragging does not zoom")
        low, high = float(ticks()[0]), float([each for each in ticks() if float(each) >= 100][-1])
        expect(1000 < low < high < 3500, f"zoomed from {low} to {high}")
        for clicks in (1, 2):
            for kind in ("mousePressed", "mouseReleased"):
                browser.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=clicks)
        equal(ticks(), whole, "after a double click")
        browser.mouse("mouseMoved", x, y)
        browser.mouse("mouseMoved", x + 3, y)
        expect("Transformer-XL" in tip() and "small GPT-2" in tip(), f"under the pointer: {tip()}")
        browser.evaluate("document.querySelector('#curves .stage').focus()")
        browser.press("ArrowRight")
        first = tip()
        browser.press("ArrowRight")
        expect(first != tip(), "arrow keys do not move")
        step, read = tip().split("\n")[:2]
        group, seed = {"Tran": ("g2", read.split(":")[0][-1]), "smal": ("g1", read.split(":")[0][-1]), "GPT-": ("g3", "1"), "othe": ("g4", "1")}[read[:4]]
        curve = next(run for run in content["runs"] if run["group"] == group and run["seed"] == seed)["curves"]["evaluation"]
        at = curve["step"].index(int(step.removeprefix("steps ")))
        expect(read.endswith(f": {curve['loss_per_note'][at]:.3f}"), f"'{read}' at step {curve['step'][at]} where {curve['loss_per_note'][at]} was expected")
        # Training loss: smoothed by a mean that forgets, worked out here again.
        browser.choose("#curves select.what", 2)
        browser.evaluate("(() => { const slider = document.querySelector('#curves .smoothing input'); slider.value = 0.9; slider.dispatchEvent(new Event('input')); })()")
        rows = copied(browser, "#curves .take button")
        raw = next(run for run in content["runs"] if run["group"] == "g2")["curves"]["train"]["loss"]
        mean = weight = 0
        for value in raw:
            mean, weight = 0.9 * mean + 0.1 * value, 0.9 * weight + 0.1
        mine = [row for row in rows if row[0].startswith("Transformer-XL") and row[0].endswith("seed 1")]
        equal(len(mine), len(raw), "points")
        expect(abs(float(mine[-1][2]) - mean / weight) < 1e-9, f"smoothed: {mine[-1]} where {mean / weight} was expected")
        browser.choose("#curves select.over", 2)
        equal(cells(browser, "#curves .axis-title")[0], "training time", "axis")
        before = ticks()
        browser.click("#curves .toggle", "log across")
        expect(ticks() != before, "the axis is not logarithmic now")
        lines = "document.querySelectorAll('#curves svg.base path.curve:not(.faint)').length"
        equal(browser.evaluate(lines), 8, "lines")
        browser.click("#curves .line-toggle", "small GPT-2")
        equal(browser.evaluate(lines), 5, "lines without one configuration")
        equal(browser.evaluate("document.querySelector('#curves .line-toggle[aria-pressed=false]').innerText.trim()"), "small GPT-2 (3 seeds)", "hidden")
        show(browser, "positions")
        equal(browser.evaluate("document.querySelectorAll('#positions svg.base path.curve').length"), 3, "hidden in other figures too")
        browser.evaluate("document.querySelector('#positions .line-toggle[aria-pressed=false]').focus()")
        browser.press("Enter")
        equal(browser.evaluate("document.querySelectorAll('#positions svg.base path.curve').length"), 4, "shown again by the keyboard")


def case_matrix():
    """Cells are read with pointer and keys; counts or shares."""
    content = model("usual")
    with page(content) as browser:
        show(browser, "confusion")
        browser.choose("#confusion select.of-line", 1)
        browser.choose("#confusion select.of-kind", 1)
        counts = content["runs"][6]["evaluation"]["confusion"]["pitches"]["counts"]
        browser.evaluate("document.querySelector('#confusion .stage').focus()")
        used = next(i for i in range(88) if any(counts[i]) or any(row[i] for row in counts))
        names = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"]
        name = lambda i: f"{names[(21 + i) % 12]}{(21 + i) // 12 - 1}"
        for key, j in (("ArrowDown", used), ("ArrowRight", used + 1)):
            browser.press(key)
            said, n, all_of = browser.text("#confusion .tip"), counts[used][j], sum(counts[used])
            equal(said, f"{name(used)} was due, {name(j)} the likeliest:\n{n} time{'' if n == 1 else 's'} of {all_of:,}, {100 * n / all_of:.1f} %", f"cell after {key}")
        expect(counts[used][used + 1] != counts[used + 1][used], "the model does not tell rows from columns")
        shares = browser.evaluate("[...document.querySelectorAll('#confusion path.fill')].map((each) => each.getAttribute('d').length).join()")
        browser.click("#confusion .toggle", "shares")
        expect(browser.evaluate("[...document.querySelectorAll('#confusion path.fill')].map((each) => each.getAttribute('d').length).join()") != shares, "counts look like shares")
        x, y = browser.place("#confusion .stage")
        browser.mouse("mouseMoved", x, y)
        expect("was due" in browser.text("#confusion .tip"), "nothing is read under the pointer")


def case_player():
    """The player goes on, rests, seeks, keeps to its tempo and comes to an end; only one plays."""
    content = model("usual")
    content["runs"][0]["pieces"][1]["notes"] = [[0.2 * i, 0.2, 60 + i, 90] for i in range(5)]
    with page(content) as browser:
        show(browser, "pieces")
        equal(browser.evaluate("document.querySelectorAll('#pieces .piece').length"), 3, "pieces at first")
        head = lambda n: f"Number([...document.querySelectorAll('#pieces .playhead')][{n}].dataset.seconds)"
        browser.click(".piece:nth-child(1) .play")
        browser.wait(f"{head(0)} > 0.5")
        equal(browser.text(".piece:nth-child(1) .play"), "❚❚ Pause", "button")
        browser.click(".piece:nth-child(1) .play")
        rested = browser.evaluate(head(0))
        expect(rested > 0.5, f"it rests at {rested} s")
        time.sleep(0.3)
        equal(browser.evaluate(head(0)), rested, "position while it rests")
        browser.evaluate("(() => { const slider = document.querySelector('.piece .position'); slider.value = 20; slider.dispatchEvent(new Event('input')); })()")
        equal(browser.evaluate(head(0)), 20, "position after seeking")
        browser.click(".piece:nth-child(1) .play")
        browser.wait(f"{head(0)} > 20.2")
        browser.click(".piece:nth-child(2) .play")
        browser.wait("document.querySelector('.piece:nth-child(1) .play').innerText === '▶ Play'", 3)
        browser.wait(f"{head(1)} === 1 && document.querySelector('.piece:nth-child(2) .play').innerText === '▶ Play'")
        x, y = browser.place(".piece:nth-child(3) .roll svg")
        browser.click_at(x, y)
        middle = browser.evaluate(head(2))
        expect(10 < middle < 22, f"a click into the middle of the roll goes to {middle} s")
        browser.choose(".piece:nth-child(3) .player select", 5)
        browser.click(".piece:nth-child(3) .play")
        browser.wait(f"{head(2)} > {middle} + 0.6")
        equal(browser.evaluate("document.querySelectorAll('.piece:nth-child(1) .roll-copied').length"), 1, "marks of copied passages")
        copied_notes = [note for note in content["runs"][0]["pieces"][0]["notes"] if 8 <= note[0] < 16]
        equal(browser.evaluate("document.querySelector('.piece:nth-child(1) .tone.copied').getAttribute('d').match(/M/g).length"), len(copied_notes), "copied notes")
        browser.click(".piece:nth-child(3) .controls button", "Larger")
        expect(browser.evaluate("document.querySelector('.piece:nth-child(3) .roll').scrollWidth > 1200"), "not larger")
        no_overflow(browser, "pieces")


def case_saved():
    """A figure that is saved stands by itself."""
    with tempfile.TemporaryDirectory(prefix="etude-saved-") as folder, page(model("usual"), dark=True) as browser:
        browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=folder)
        for section, name in (("comparisons", "differences.svg"), ("curves", "learning-curves.svg"), ("confusion", "what-is-taken-for-what.svg"), ("pieces", "sample-0001.svg")):
            show(browser, section)
            figure = f"#{section} figure:nth-of-type(2) " if section == "comparisons" else f"#{section} "
            browser.click(f"{figure}button", "Save as SVG")
            file, end = pathlib.Path(folder) / name, time.monotonic() + 10
            while not file.exists() and time.monotonic() < end:
                time.sleep(0.05)
            expect(file.exists(), f"{name} was not saved, but {[each.name for each in pathlib.Path(folder).iterdir()]}")
            text = file.read_text()
            root = xml.etree.ElementTree.fromstring(text)
            equal(root.tag, "{http://www.w3.org/2000/svg}svg", "root")
            expect("var(--" not in text and "class=" not in text, f"{name} needs a style sheet")
            expect(float(root.get("width")) > 200 and len(list(root.iter())) > 10, f"{name} is empty")
            background = next(root.iter("{http://www.w3.org/2000/svg}rect")).get("fill")
            equal(background, "#fff", "background, though the page is dark")


def case_hostile():
    """Whatever a run is called, it stays text."""
    content = model("hostile")
    with page(content) as browser:
        elements = "document.querySelectorAll('img, iframe, script:not(#model):not(:last-of-type), style ~ style').length"
        for section in sections(browser):
            show(browser, section)
            no_overflow(browser, section)
        equal(browser.evaluate("document.title"), " ".join(HOSTILE[1].split()), "title")
        equal(browser.text("h1"), HOSTILE[1], "heading")
        for text in HOSTILE:
            expect(browser.evaluate(f"document.querySelector('#runs').textContent.includes({json.dumps(text)})"), f"not shown letter by letter: {text}")
        for kind in range(3):
            browser.choose("#breakdown .controls label:nth-child(1) select", kind)
        equal(browser.evaluate(elements), 0, "elements made of text")
        # A cell that a spreadsheet would take for a formula is none.
        content["runs"][0]["name"] = "=HYPERLINK(\"http://example.org\")"
    content["groups"][0]["name"] = "=1+1\u2028"
    with page(content) as browser:
        expect(any(row[0].startswith("'=HYPERLINK") for row in copied(browser, "#runs .take button")), "a formula reaches the clipboard")
        equal(browser.text("#curves .line-toggle").strip(), "=1+1", "a name with an end of line that JavaScript knows")


def case_bare():
    """Parts without data are absent; a report of one run stands."""
    with page(model("bare")) as browser:
        equal(sections(browser), ["runs"], "sections")
        expect("only one" in browser.text("#runs"), "the run")
    with page({"title": "nothing"}) as browser:
        equal(sections(browser), [], "sections of nothing")
    with page(model("seeds")) as browser:
        show(browser, "runs")
        equal(cells(browser, "#runs tbody th"), ["one configuration"], "seeds of one configuration")
        expect("comparisons" not in sections(browser), "one configuration is compared with nothing")


def case_phone():
    """At 360 pixels nothing is wider than the page, and all of it can be used."""
    for kind, dark in (("usual", True), ("hostile", False)):
        with page(model(kind), width=360, height=740, touch=True, dark=dark) as browser:
            no_overflow(browser, "top")
            for section in sections(browser):
                show(browser, section)
                no_overflow(browser, f"{kind}, {section}")
                no_label_cut(browser, f"{kind}, {section}")
            small = browser.evaluate("""[...document.querySelectorAll('main button, main select')].filter((each) => each.getClientRects().length)
                .filter((each) => each.getBoundingClientRect().height < 24).map((each) => each.innerText)""")
            equal(small, [], "buttons too small for a finger")
            if kind == "usual":
                verdicts = [each.split(" – ")[-1] for each in cells(browser, "#comparisons figure:nth-of-type(2) .row-name")]
                equal(set(verdicts), {"first is better", "second is better", "within noise"}, "verdicts beside long names")
                wide = browser.evaluate("document.querySelector('#runs .standings dd').clientWidth")
                expect(wide > 250, f"sentences {wide} pixels wide")
                browser.click("#curves .line-toggle", "small GPT-2")
                browser.click("#pieces .play")
                browser.wait("Number(document.querySelector('#pieces .playhead').dataset.seconds) > 0.1")


def case_paper():
    """Printed, the whole of it is there, light and without buttons."""
    with tempfile.TemporaryDirectory(prefix="etude-paper-") as folder, page(model("usual"), dark=True) as browser:
        file = pathlib.Path(pictures or folder) / "report.pdf"
        browser.paper(file)
        content = file.read_bytes()
        expect(content.startswith(b"%PDF") and content.count(b"/Type /Page\n") + content.count(b"/Type /Page ") >= 3, "no paper of several pages")
        browser.call("Emulation.setEmulatedMedia", media="print")
        browser.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        equal(browser.evaluate("[...document.querySelectorAll('button:not(.line-toggle, th button), select, input')].filter((each) => each.getClientRects().length).length"), 0, "buttons on paper")
        equal(browser.evaluate("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)", "paper")
        drawn = browser.evaluate("[...document.querySelectorAll('main figure svg.base')].filter((each) => each.querySelectorAll('path').length < 2).length")
        equal(drawn, 0, "figures that are not drawn")
        # A4 less Chromium's margins is 718 pixels wide: what is drawn for more is shrunk with its texts, and leaves a gap below.
        widths = browser.evaluate("[...document.querySelectorAll('main figure svg.base')].map((each) => each.viewBox.baseVal.width)")
        expect(all(640 <= width <= 718 for width in widths), f"figures drawn for {widths} pixels")


def case_many():
    """Two hundred runs of a thousand points."""
    with page(model("many")) as browser:
        equal(len(cells(browser, "#runs tbody th")), 200, "runs")
        show(browser, "curves")
        lines = "document.querySelectorAll('#curves svg.base path.curve:not(.faint)').length"
        equal(browser.evaluate(lines), 10, "the ten best at first")
        browser.click("#curves button.small", "Show all")
        browser.wait(f"{lines} === 200", 20)
        x, y = browser.place("#curves .stage")
        browser.mouse("mouseMoved", x, y)
        expect("more" in browser.text("#curves .tip"), "two hundred values at once")
        show(browser, "comparisons")
        expect(browser.evaluate("document.querySelectorAll('#comparisons figure:nth-of-type(2) .row-name').length") <= 24, "all comparisons are drawn at once")


def main():
    global maker, pictures
    given = ask(globals(), {"--maker": "the program report_page_maker"})
    maker, pictures = given.maker, given.pictures
    run(globals(), given.case)


if __name__ == "__main__":
    main()
