"""Numba's loops. Sums may be reordered, as gangsaw's are; NaN keep their meaning."""
import math

import numpy as np
from numba import get_num_threads, njit, prange

loop = njit(parallel=True, cache=True, fastmath={"reassoc", "nsz", "arcp", "contract"})


@loop
def total(x):
    s = 0.0
    for i in prange(x.size):
        s += x[i]
    return s


@loop
def squares(x, mean):
    s = 0.0
    for i in prange(x.size):
        d = x[i] - mean
        s += d * d
    return s


@loop
def log1p(x):
    s = 0.0
    for i in prange(x.size):
        s += math.log1p(abs(x[i]))
    return s


@loop
def extremes(x):
    nan, low, high = 0, math.inf, -math.inf
    for i in prange(x.size):
        nan += x[i] != x[i]
        low = min(low, x[i])
        high = max(high, x[i])
    return nan, low, high


@loop
def histogram(x, low, high, bins):
    threads = get_num_threads()
    counts = np.zeros((threads, bins), np.int64)
    by = bins / (high - low)
    for t in prange(threads):
        for i in range(t * x.size // threads, (t + 1) * x.size // threads):
            counts[t, min(int((x[i] - low) * by), bins - 1)] += 1
    return counts.sum(0)


@loop
def clip(x, out):
    for i in prange(x.size):
        out[i] = min(max((x[i] - 10.0) / 3.0, -3.0), 3.0)


@loop
def standardise(x, mean, std):
    for i in prange(x.size):
        x[i] = (x[i] - mean) / std
