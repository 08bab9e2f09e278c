"""One line that tells how far the sweep is: rewritten on a terminal, elsewhere said anew."""

import shutil
import sys
import time

PAUSE = 5  # seconds between lines that are not rewritten


class Progress:
    def __init__(self, stream=sys.stderr):
        self.stream = stream
        self.terminal = stream.isatty()
        self.begun = time.monotonic()
        self.done_before = None
        self.said, self.next = "", 0.0

    def show(self, view, here, last=False):
        """`here` of the running trials are on this machine."""
        counts = self.counts(view, here)
        now = time.monotonic()
        if self.terminal:
            width = shutil.get_terminal_size().columns
            line = f"{counts}  {self.times(view, now)}"[: width - 1]
            self.stream.write(f"\r\033[K{line}" + ("\n" if last else ""))
        elif counts != self.said and (last or now >= self.next):
            self.stream.write(f"{counts}  {self.times(view, now)}\n")
            self.said, self.next = counts, now + PAUSE
        self.stream.flush()

    def note(self, text):
        """A line of its own."""
        self.stream.write(("\r\033[K" if self.terminal else "") + text + "\n")
        self.stream.flush()

    def counts(self, view, here):
        all_of_them = view.done + view.waiting + len(view.failed) + len(view.running)
        elsewhere = len(view.running) - here
        return (
            f"{view.done} of {all_of_them} done, {len(view.running)} running"
            + (f" ({elsewhere} elsewhere)" if elsewhere else "")
            + f", {view.waiting} waiting, {len(view.failed)} failed"
        )

    def times(self, view, now):
        if self.done_before is None:
            self.done_before = view.done
        elapsed = now - self.begun
        finished, left = view.done - self.done_before, view.waiting + len(view.running)
        text = f"{duration(elapsed)} so far"
        return text + (f", {duration(elapsed * left / finished)} left" if finished and left else "")


def duration(seconds):
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600}h{whole // 60 % 60:02}m"
    return f"{whole // 60}m{whole % 60:02}s"
