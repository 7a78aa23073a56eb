"""Minimum mutator utilisation (Cheng and Blelloch, 2001): the least share of any window that is the program's.

A pause of 1 ms is harmless alone, and not when the next follows at once: the longest pause does not tell, the
curve over window sizes does.
"""

from bisect import bisect_right
from itertools import accumulate

# Microseconds: 0.1 ms to 1 s, five to a decade.
WINDOWS_US = [round(100 * 10 ** (step / 5), 1) for step in range(21)]


def curve(timeline, run_us):
    """[[window_us, share]] for the windows that fit into the run; timeline: [[start_us, length_us]], apart."""
    spans = sorted((max(0, start), min(start + length, run_us)) for start, length in timeline)
    spans = [(start, end) for start, end in spans if end > start]
    longest = max((end - start for start, end in spans), default=0)
    stopped = Stopped(spans)
    return [[window, 0.0 if longest >= window else max(0.0, 1 - stopped.most_within(window, run_us) / window)]
            for window in WINDOWS_US if window <= run_us]


class Stopped:
    def __init__(self, spans):
        self.spans = spans
        self.starts = [start for start, _ in spans]
        self.before = [0, *accumulate(end - start for start, end in spans)]  # stopped time before each span

    def until(self, time):
        """How much of [0, time) was stopped."""
        index = bisect_right(self.starts, time)
        if index == 0:
            return 0
        start, end = self.spans[index - 1]
        return self.before[index - 1] + min(time, end) - start

    def most_within(self, window, run_us):
        """The most that was stopped within any window; one that starts or ends with a pause or the run has it."""
        most = max(self.until(window), self.before[-1] - self.until(run_us - window))
        for i, (start, end) in enumerate(self.spans):
            if start + window <= run_us:
                most = max(most, self.until(start + window) - self.before[i])
            if end >= window:
                most = max(most, self.before[i + 1] - self.until(end - window))
        return most
