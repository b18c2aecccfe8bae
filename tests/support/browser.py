"""Drives a headless Chromium through its DevTools protocol, over a pair of pipes: needs nothing but Python."""
import argparse
import base64
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time


class Failed(Exception):
    pass


def find_chromium():
    return next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)


# Written down by the page itself, whatever becomes of the console.
WATCH = """
window.violations = [];
document.addEventListener('securitypolicyviolation', (event) => violations.push(`${event.violatedDirective}: ${event.blockedURI}`));
"""


class Browser:
    """One window. Names are resolved to nothing, so that only this machine can be reached."""

    def __init__(self, program, width=1280, height=900, dark=False, touch=False):
        self.folder = tempfile.mkdtemp(prefix="etude-page-")
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        flags = ["--headless=new", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
                 "--disable-extensions", "--disable-dev-shm-usage", "--remote-debugging-pipe", f"--user-data-dir={self.folder}", "--lang=en",
                 "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"] + (["--no-sandbox"] if os.geteuid() == 0 else [])
        # Chromium expects its ends as 3 and 4.
        self.process = subprocess.Popen(["sh", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "sh", program, *flags, "about:blank"],
                                        pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(theirs_in)
        os.close(theirs_out)
        self.reader, self.writer, self.rest = ours_in, ours_out, b""
        self.count, self.session, self.complaints, self.addresses = 0, None, [], []
        try:
            target = next(each for each in self.call("Target.getTargets")["targetInfos"] if each["type"] == "page")
            self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(f"{domain}.enable")
            self.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
            self.width = width
            self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=touch)
            self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
                                                              {"name": "prefers-reduced-motion", "value": "reduce"}])
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.reader)
        os.close(self.writer)
        for _ in range(20):  # its children take a moment to let go of the folder
            shutil.rmtree(self.folder, ignore_errors=True)
            if not os.path.exists(self.folder):
                break
            time.sleep(0.1)

    # ---- the protocol ----
    def call(self, method, **parameters):
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.writer, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive(30)
            if answer is None:
                raise Failed(f"Chromium did not answer to {method}")
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise Failed(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def receive(self, seconds):
        end = time.monotonic() + seconds
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.reader], [], [], max(0, end - time.monotonic()))
            if not ready:
                return None
            piece = os.read(self.reader, 1 << 20)
            if not piece:
                raise Failed("Chromium has ended")
            self.rest += piece
        text, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(text)
        self.note(message.get("method"), message.get("params", {}))
        return message

    def note(self, method, event):
        if method == "Runtime.exceptionThrown":
            details = event["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        if method == "Runtime.consoleAPICalled" and event["type"] in ("error", "warning", "assert"):
            self.complaints.append("console: " + " ".join(str(each.get("value", each.get("description"))) for each in event["args"]))
        if method == "Log.entryAdded" and event["entry"]["level"] in ("error", "warning"):
            self.complaints.append(f"{event['entry']['source']}: {event['entry']['text']}")
        if method == "Network.requestWillBeSent":
            self.addresses.append(event["request"]["url"])
        if method == "Page.javascriptDialogOpening":
            self.complaints.append(f"a dialog of a script: {event['message']}")

    # ---- what a person does ----
    def open(self, url):
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise Failed(f"{expression}: {details.get('exception', {}).get('description', details['text'])}")
        return answer["result"].get("value")

    def wait(self, expression, seconds=15):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = self.evaluate(expression)
            if value:
                return value
            self.receive(0.05)
        raise Failed(f"still not after {seconds} s: {expression}\n" + "\n".join(self.complaints))

    def place(self, selector, text=None):
        """The middle of an element, scrolled into sight, after which nothing may lie above it."""
        return self.wait(f"""(() => {{
          const all = [...document.querySelectorAll({json.dumps(selector)})].filter((each) => each.getClientRects().length > 0);
          const node = all.find((each) => {json.dumps(text)} === null || each.textContent.includes({json.dumps(text)}));
          if (!node) return null;
          const inside = (box) => box.top > 60 && box.bottom < innerHeight && box.left >= 0 && box.right <= innerWidth;
          if (!inside(node.getBoundingClientRect())) node.scrollIntoView({{block: 'center', inline: 'center', behavior: 'instant'}});
          const box = node.getBoundingClientRect(), x = box.left + box.width / 2, y = box.top + box.height / 2;
          const above = document.elementFromPoint(x, y);
          if (!above || !(node.contains(above) || above.contains(node))) return null;
          window.hit = false;
          window.addEventListener('click', ({{target}}) => {{
            window.hit = [...document.querySelectorAll({json.dumps(selector)})].some((each) => each.contains(target) || target.contains(each));
          }}, {{capture: true, once: true}});
          return [x, y];
        }})()""", 5)

    def mouse(self, kind, x, y, pressed=0):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left" if kind != "mouseMoved" or pressed else "none",
                  buttons=pressed, clickCount=1)

    def click(self, selector, text=None):
        """Clicks, and once more where the page moved away under the pointer."""
        for _ in range(3):
            self.click_at(*self.place(selector, text))
            for _ in range(20):
                if self.evaluate("window.hit !== false"):  # a click that opens another page leaves nothing to ask
                    return
                self.receive(0.05)
        raise Failed(f"{selector} cannot be hit")

    def click_at(self, x, y):
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y, 1)
        self.mouse("mouseReleased", x, y)

    def drag(self, x, y, to_x, to_y):
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y, 1)
        for part in (0.3, 0.7, 1):
            self.mouse("mouseMoved", x + part * (to_x - x), y + part * (to_y - y), 1)
        self.mouse("mouseReleased", to_x, to_y)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def press(self, key):
        for kind in ("keyDown", "keyUp"):
            extra = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            code = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowUp": 38, "ArrowDown": 40, "ArrowRight": 39, "ArrowLeft": 37}[key]
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **extra)

    def choose(self, selector, index):
        self.evaluate(f"""(() => {{ const select = document.querySelector({json.dumps(selector)}); select.selectedIndex = {index};
                          select.dispatchEvent(new Event('input', {{bubbles: true}})); select.dispatchEvent(new Event('change', {{bubbles: true}})); }})()""")

    def overflow(self):
        """How many pixels the page is wider than the window was made: on a phone innerWidth grows with the page."""
        return self.evaluate("document.documentElement.scrollWidth") - self.width

    def text(self, selector):
        return self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? null")

    def picture(self, path, whole=True):
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole, **(
            {"clip": {"x": 0, "y": 0, "width": self.evaluate("innerWidth"), "height": self.evaluate("document.documentElement.scrollHeight"), "scale": 1}}
            if whole else {}))
        with open(path, "wb") as file:
            file.write(base64.b64decode(answer["data"]))

    def paper(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.printToPDF", printBackground=False)["data"]))


def ask(names, arguments):
    """What the command line of a program with cases says: `names`, its globals(), hold the cases as functions case_…;
    `arguments` are further ones with their help."""
    parser = argparse.ArgumentParser(description=names["__doc__"], formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", choices=[name[5:] for name in names if name.startswith("case_")])
    for name, text in arguments.items():
        parser.add_argument(name, help=text)
    parser.add_argument("--pictures", help="a folder for pictures of how it ended")
    return parser.parse_args()


def run(names, case):
    """Ends the program with 1 and a sentence when the case fails, with 77 where there is no Chromium."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the browser is closed on the way out
    if find_chromium() is None:
        print("there is no Chromium here")
        sys.exit(77)
    try:
        names["case_" + case]()
    except Failed as failure:
        sys.exit(f"{names['case_' + case].__doc__}\n{failure}")
