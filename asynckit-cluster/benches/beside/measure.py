"""What each of them is asked to do, and how its row of the table is printed. `ours.rs` does the same."""

import os
import time

SINGLE = 1_000
BATCH = 1_024
SECONDS = 5.0
LARGE = 1 << 20
LARGES = 50


def quantile(times, part):
    times = sorted(times)
    return times[int((len(times) - 1) * part)]


def timed(call, argument, wanted):
    begin = time.perf_counter()
    got = call(argument)
    took = time.perf_counter() - begin
    assert got == wanted, f"{got} is not {wanted}"
    return took


def row(name, empty, empties, length):
    """`empty(n)` gives n back, `empties(numbers)` all of them, out at once, and `length(data)` the number of bytes."""
    numbers = list(range(BATCH))
    for _ in range(3):
        assert empties(numbers) == numbers
    singles = [timed(empty, n, n) for n in range(SINGLE)]
    count, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < SECONDS:
        assert empties(numbers) == numbers
        count += BATCH
    rate = count / (time.perf_counter() - begin)
    # Other bytes each time, so that nobody has them already.
    larges = [timed(length, os.urandom(LARGE), LARGE) for _ in range(LARGES)]
    p50, p99, large = quantile(singles, 0.5), quantile(singles, 0.99), quantile(larges, 0.5)
    print(f"| {name} | {p50 * 1e3:.2f} ms | {p99 * 1e3:.2f} ms | {rate:.0f} | {large * 1e3:.2f} ms |", flush=True)
