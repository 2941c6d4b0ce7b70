"""The same calls kept by joblib's Memory: a hit, and results of 100 bytes that are kept a second.

Prints two figures: microseconds a hit, results a second.
"""

import sys
import tempfile
import time

import joblib

HITS, ROUND, RESULTS = 2_000, 100, 2_000

with tempfile.TemporaryDirectory() as folder:
    memory = joblib.Memory(folder, verbose=0)

    @memory.cache
    def kept(n):
        return [n] * 4

    @memory.cache
    def hundred_bytes(n):
        return f"{n:0100}"

    for n in range(HITS):
        kept(n)
    rounds = []
    for first in range(0, HITS, ROUND):
        begun = time.perf_counter()
        for n in range(first, first + ROUND):
            assert kept(n) == [n] * 4
        rounds.append(time.perf_counter() - begun)
    begun = time.perf_counter()
    for n in range(RESULTS):
        hundred_bytes(n)
    kept_in = time.perf_counter() - begun

print(min(rounds) / ROUND * 1e6, RESULTS / kept_in)
print("joblib", joblib.__version__, "Python", sys.version.split()[0], file=sys.stderr)
