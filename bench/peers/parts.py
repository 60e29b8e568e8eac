"""What joblib and ProcessPoolExecutor run in their worker processes, on a part of an array."""
import numpy as np

SCALE = (10.0, 3.0, -3.0, 3.0)  # of clip


def total(x):
    return float(x.sum())


def squares(x, mean):
    d = x - mean
    return float(np.dot(d, d))


def log1p(x):
    return float(np.log1p(np.abs(x)).sum())


def clip(x, out):
    shift, by, low, high = SCALE
    np.clip((x - shift) / by, low, high, out=out)


def standardise(x, mean, std):
    np.divide(x - mean, std, out=x)


def on_file(function, path, begin, end, *args):
    """For executors that pass no arrays by reference: each worker maps the file itself."""
    mode = "r+" if function is standardise else "r"
    return function(np.load(path, mmap_mode=mode)[begin:end], *args)


def clip_file(path, out, begin, end):
    clip(np.load(path, mmap_mode="r")[begin:end], np.load(out, mmap_mode="r+")[begin:end])
