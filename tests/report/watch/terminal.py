"""A program in a pseudo-terminal, whose output an emulator of terminals (pyte) draws."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

import pyte

PATIENCE = 30  # seconds until something that does not come is missing
# What a frame is made of; everything else that begins with an escape would be a command of somebody else's.
ALLOWED = re.compile(rb"\x1b\[(\d+;\d+H|[0-9;]*m|2J|\?(1049|25|7)[hl])")


class Failed(Exception):
    pass


class Terminal:
    def __init__(self, command, columns=80, rows=24, **environment):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.code = None
        variables = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **environment}
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, {key: value for key, value in variables.items() if value is not None})
        self.resize(columns, rows)
        self.settings = termios.tcgetattr(self.master)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.kill(self.pid, signal.SIGCONT)
            os.waitpid(self.pid, 0)
        os.close(self.master)

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def read(self, seconds=0.05):
        """What came within that time; empty when nothing did, or the program is gone."""
        if not select.select([self.master], [], [], seconds)[0]:
            return b""
        try:
            came = os.read(self.master, 65536)
        except OSError:  # the other side is closed
            time.sleep(seconds)
            return b""
        self.raw += came
        self.stream.feed(came)
        return came

    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display)

    def wait(self, condition, what):
        """Until condition(text on the screen); `condition` may also be a text that is to appear."""
        holds = condition if callable(condition) else lambda text: condition in text
        deadline = time.monotonic() + PATIENCE
        while not holds(self.text()):
            if time.monotonic() > deadline:
                raise Failed(f"{what}: never seen; the screen shows\n{self.text()}")
            self.read()

    def settle(self, seconds=0.5):
        """Reads until nothing has come for that long, or for three times as long if something always does; returns what
        came."""
        came, began = b"", time.monotonic()
        quiet_since = began
        while time.monotonic() - quiet_since < seconds and time.monotonic() - began < 3 * seconds:
            more = self.read()
            if more:
                came, quiet_since = came + more, time.monotonic()
        return came

    def type(self, keys):
        os.write(self.master, keys)

    def signal(self, number):
        os.kill(self.pid, number)

    def wait_status(self, flags=0):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            self.read()
            pid, status = os.waitpid(self.pid, os.WNOHANG | flags)
            if pid:
                while self.read():
                    pass
                return status
        raise Failed("the program does not end")

    def end(self):
        """The exit code, once the program has ended by itself."""
        self.code = os.waitstatus_to_exitcode(self.wait_status())
        return self.code

    def restored(self):
        """Whether the terminal is again as it was before the program."""
        last = self.raw[-200:]
        order = [last.rfind(code) for code in (b"\x1b[?25h", b"\x1b[?1049l")]
        return min(order) >= 0 and not self.screen.cursor.hidden and termios.tcgetattr(self.master) == self.settings

    def foreign_codes(self):
        """Control bytes that no frame has."""
        return re.findall(rb"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f][^\x1b]{0,20}", ALLOWED.sub(b"", self.raw))
