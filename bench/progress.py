"""Progress for people: a counter line that is rewritten on a terminal, plain lines elsewhere."""

import sys


class Progress:
    def __init__(self, total, stream=sys.stderr):
        self.total, self.done, self.stream = total, 0, stream
        self.rewrites = stream.isatty()

    def step(self, text):
        """What is about to run; seen on a terminal only."""
        self.done += 1
        if self.rewrites:
            self._write(f"\r\033[K[{self.done}/{self.total}] {text}")

    def say(self, text):
        """A line that stays."""
        self._write(f"\r\033[K{text}\n" if self.rewrites else f"{text}\n")

    def end(self):
        if self.rewrites:
            self._write("\r\033[K")

    def _write(self, text):
        self.stream.write(text)
        self.stream.flush()
