"""The shortest time of several works that take turns."""

import gc
import time
from dataclasses import dataclass


@dataclass
class Timing:
    seconds: float = float("inf")  # the shortest
    calls: int = 0

    def add(self, seconds):
        self.seconds = min(self.seconds, seconds)
        self.calls += 1


def timed(run):
    """A run as a function that does the work once and tells its seconds."""

    def once():
        start = time.perf_counter()
        run()
        return time.perf_counter() - start

    return once


def fastest(timers, seconds, least_rounds=3, turn=0.002):
    """Lets all timers (functions that tell how long their work took) take turns for about `seconds`
    and at least `least_rounds` rounds: what disturbs the machine for a while then disturbs all alike.
    A turn lasts at least `turn` seconds and three calls, so that each finds its own data in the
    caches and not its predecessor's.

    {name: timer} -> {name: Timing}
    """
    results = {name: Timing() for name in timers}
    for timer in timers.values():
        timer()  # compiles, allocates
    gc.collect()
    gc.disable()
    deadline, rounds = time.perf_counter() + seconds, 0
    while rounds < least_rounds or time.perf_counter() < deadline:
        for name, timer in timers.items():
            spent = calls = 0
            while calls < 3 or spent < turn:
                took = timer()
                results[name].add(took)
                spent += took
                calls += 1
        rounds += 1
    gc.enable()
    return results
