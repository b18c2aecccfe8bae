#!/usr/bin/env python3
"""Takes a listening test in a headless Chromium, as a listener would.

  tests/report/blind/check.py CASE PAGE KEY FOLDER [--pictures FOLDER]

Opens PAGE from disk and prefers pieces of the key's second model throughout; what the page saves lies in FOLDER afterwards.
Exits with 77 where there is no Chromium. CASE is one of the functions below that begin with "case_".
"""
import contextlib
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "support"))
from browser import Browser, Failed, ask, find_chromium, run  # noqa: E402

given = key = None
FIRST, SECOND = ".piece:first-child .play", ".piece:last-child .play"
HOSTILE = "<img src=x onerror='window.hacked = 1'>"


def expect(truth, sentence):
    if not truth:
        raise Failed(sentence)


def equal(seen, wanted, what):
    expect(seen == wanted, f"{what}: {seen!r} where {wanted!r} was expected")


@contextlib.contextmanager
def page(**window):
    with Browser(find_chromium(), **window) as browser:
        browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=given.folder)
        browser.open(pathlib.Path(given.page).resolve().as_uri())
        yield browser
        equal(browser.complaints, [], "console")
        equal(browser.evaluate("violations"), [], "violations of the page's policy")
        equal(browser.evaluate("typeof window.hacked"), "undefined", "what a name may not set")
        strange = [each for each in browser.addresses if not each.startswith(("file:", "about:", "data:", "blob:"))]
        equal(strange, [], "addresses elsewhere")


def press(browser, letter):
    code = {"Enter": 13, "Tab": 9, "ArrowLeft": 37, "ArrowRight": 39, "ArrowDown": 40}.get(letter, ord(letter[0]))
    text = {"Enter": "\r"}.get(letter, letter if len(letter) == 1 else "")
    browser.call("Input.dispatchKeyEvent", type="keyDown", key=letter, windowsVirtualKeyCode=code, **({"text": text} if text else {}))
    browser.call("Input.dispatchKeyEvent", type="keyUp", key=letter, windowsVirtualKeyCode=code)


def pair(browser):
    """The ids of the comparison that is shown, as the page will save them."""
    return browser.evaluate("""(() => { const kept = JSON.parse(Object.values(localStorage)[0]);
      const {order_for} = modules['report/blind/page/order.js'], session = JSON.parse(document.getElementById('session').textContent);
      const {first, second} = order_for(kept.listener, session.rounds)[kept.at];
      return [first, second]; })()""")


def liked(browser):
    """Which of the two shown is of the second model."""
    return [key["pieces"][piece]["model"] for piece in pair(browser)].index(1)


def locked(browser):
    return browser.evaluate("[...document.querySelectorAll('.answers button')].every((each) => each.disabled)")


def heard_both(browser):
    browser.wait("[...document.querySelectorAll('.answers button')].every((each) => !each.disabled)")


def at(browser, number):
    browser.wait(f"document.querySelector('h1').innerText.startsWith('Comparison {number} of {len(key['comparisons'])}')")


def downloaded(browser):
    for _ in range(100):
        found = [each for each in pathlib.Path(given.folder).iterdir() if each.name.startswith("preferences-") and each.suffix == ".json"]
        with contextlib.suppress(ValueError, OSError):  # it is still being written
            if found:
                return json.loads(found[0].read_text()), found[0].name
        browser.receive(0.1)
    raise Failed("nothing was downloaded")


def no_overflow(browser, where):
    wide = browser.overflow()
    expect(wide <= 0, f"{where}: the page is {wide} pixels wider than its window")


def picture(browser, name):
    if given.pictures:
        browser.picture(pathlib.Path(given.pictures) / f"listening-{given.case}-{name}.png")


def case_mouse():
    """A whole session by mouse: nothing is answered unheard, a reload loses nothing, the file holds what was pressed."""
    with page() as browser:
        picture(browser, "start")
        browser.click(".field input")
        browser.type(HOSTILE)
        browser.click("button.primary", "Begin")
        count = len(key["comparisons"])
        for number in range(1, count + 1):
            at(browser, number)
            expect(locked(browser), "can be answered before anything was heard")
            expect(browser.evaluate(f"document.querySelector('{SECOND}').disabled"), "the second plays before the first was heard")
            expect(browser.evaluate("document.querySelector('.next').disabled"), "can be passed over unanswered")
            browser.click(FIRST)
            browser.wait(f"!document.querySelector('{SECOND}').disabled")
            expect(locked(browser), "can be answered after the first alone")
            browser.click(SECOND)
            equal(browser.evaluate("document.querySelectorAll('.piece.playing').length"), 1, "how many play at once")
            heard_both(browser)
            if number == 1:
                picture(browser, "comparison")
            browser.click(SECOND)  # stops
            browser.wait("document.querySelectorAll('.piece.playing').length === 0")
            browser.click(".question .first" if liked(browser) == 0 else ".question .second")
            browser.click(".question:last-of-type .neither")
            if number == 2:  # in the middle of it
                before = browser.evaluate("Object.values(localStorage)[0]")
                browser.open(pathlib.Path(given.page).resolve().as_uri())
                browser.click("button.primary", f"Go on (2 of {count} answered)")
                at(browser, 2)
                equal(browser.evaluate("Object.values(localStorage)[0]"), before, "what the browser kept")
                equal(browser.evaluate("[...document.querySelectorAll('.answers [aria-pressed=true]')].length"), 2, "answers after the reload")
                browser.click(".piece:last-child input")
            browser.click(".next")
        browser.wait("document.querySelector('h1').innerText === 'Thank you!'")
        picture(browser, "end")
        browser.click(".save")
        saved, name = downloaded(browser)
        equal(saved["name"], HOSTILE, "nickname")
        equal(saved["complete"], True, "complete")
        equal([each["known"] for each in saved["answers"]], [["second"] if i == 1 else [] for i in range(count)], "known pieces")
        equal({each["choices"][-1] for each in saved["answers"]}, {"neither"}, "the other question")
        equal(json.loads(browser.evaluate("document.querySelector('textarea').value"))["answers"], saved["answers"], "the text")
        expect(re.fullmatch(r"preferences-[A-Za-z0-9-]+\.json", name), f"name of the file: {name}")
        browser.click(".steps button", "Somebody else")
        browser.wait("document.querySelector('.field input')?.value === ''")
        equal(browser.text("button.primary"), "Begin", "the next listener's beginning")


def case_keyboard():
    """The same without a mouse, leaving early; arrows answer nothing before both were heard."""
    with page() as browser:
        press(browser, "Tab")
        press(browser, "Tab")
        equal(browser.evaluate("document.activeElement.innerText"), "Begin", "where two tabs lead")
        press(browser, "Enter")
        for number in (1, 2, 3):
            at(browser, number)
            press(browser, "2")
            press(browser, "ArrowLeft")
            press(browser, "Enter")
            at(browser, number)
            expect(browser.evaluate("!document.querySelector('.answers [aria-pressed=true], .piece.playing')"), "a key did what a mouse may not")
            press(browser, "1")
            browser.wait(f"!document.querySelector('{SECOND}').disabled")
            press(browser, "2")
            heard_both(browser)
            press(browser, "ArrowDown")
            press(browser, "ArrowLeft" if liked(browser) == 0 else "ArrowRight")
            equal(browser.evaluate("document.querySelectorAll('.question:first-of-type [aria-pressed=true]').length"), 1, "answers to one question")
            press(browser, "Enter")
        at(browser, 4)
        browser.evaluate("document.querySelector('.below button').focus()")
        press(browser, "Enter")
        browser.wait("document.querySelector('h1').innerText === '3 of 4 answered'")
        browser.evaluate("document.querySelector('.save').focus()")
        press(browser, "Enter")
        saved, _ = downloaded(browser)
        equal(len(saved["answers"]), 3, "answers")
        equal(saved["complete"], False, "complete")


def case_phone():
    """On a phone in the dark: all of it fits, thumbs hit the buttons, and what an old visit left behind harms nothing."""
    with page(width=360, height=740, dark=True, touch=True) as browser:
        place = f"etude-listening-{key['session']}"
        for left in ("{", "null", "[1]", json.dumps({"listener": 7, "answers": []})):
            browser.evaluate(f"localStorage.setItem({json.dumps(place)}, {json.dumps(left)})")
            browser.open(pathlib.Path(given.page).resolve().as_uri())
            equal(browser.text("button.primary"), "Begin", "after a visit that left nothing whole")
        no_overflow(browser, "the beginning")
        picture(browser, "start")
        browser.click("button.primary", "Begin")
        at(browser, 1)
        no_overflow(browser, "a comparison")
        small = browser.evaluate("[...document.querySelectorAll('main button')].filter((each) => each.getBoundingClientRect().height < 40).length")
        equal(small, 0, "buttons too low for a thumb")
        browser.click(FIRST)
        browser.wait(f"!document.querySelector('{SECOND}').disabled")
        browser.click(SECOND)
        heard_both(browser)
        browser.click(".question .neither")
        picture(browser, "comparison")
        browser.click(".below button")
        no_overflow(browser, "the end")
        picture(browser, "end")
        # Not saved: one press throws nothing away.
        browser.click(".steps button", "Somebody else")
        expect("press again" in browser.text(".steps button.danger"), "answers are thrown away without a word")


def main():
    global given, key
    given = ask(globals(), {"page": "the listening page", "key": "its key", "folder": "where files are saved to"})
    with open(given.key) as file:
        key = json.load(file)
    run(globals(), given.case)


if __name__ == "__main__":
    main()
