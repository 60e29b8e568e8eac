"""The Python peers: peer.py ENGINE DIR [JOB]. README.md says how they are spoken to."""
import json
import math
import os
import sys
import time

import numpy as np

import parts

CPUS = len(os.sched_getaffinity(0))
BINS = 256


class NumPy:
    version = np.__version__

    def __init__(self, directory, name):
        self.path = os.path.join(directory, "x.npy")
        self.out = os.path.join(directory, f"clip.{name}.npy")
        self.own = os.path.join(directory, f"own.{name}.npy")
        self.x = np.load(self.path, mmap_mode="r")

    def touch(self):
        """Has the pages of all that is mapped, and, by a first sum, the workers."""
        self.x.max()

    def sum(self):
        return {"sum": float(self.x.sum())}

    def meanstd(self):
        return {"mean": float(self.x.mean()), "std": float(self.x.std())}

    def stat(self):
        x = self.x
        low, high = float(x.min()), float(x.max())
        return {
            "count": x.size, "nan": int(np.isnan(x).sum()), "min": low, "max": high,
            "sum": float(x.sum()), "mean": float(x.mean()), "std": float(x.std()),
            "quartiles": np.quantile(x, [0.25, 0.5, 0.75]).tolist(),
            "histogram": np.histogram(x, BINS, (low, high))[0].tolist(),
        }

    def log1p(self):
        return {"sum": float(np.log1p(np.abs(self.x)).sum())}

    def clip(self):
        parts.clip(self.x, self.new_file())

    def standardise(self):
        x = np.load(self.own, mmap_mode="r+")
        parts.standardise(x, x.mean(), x.std())

    def new_file(self):
        return np.lib.format.open_memmap(self.out, "w+", self.x.dtype, self.x.shape)

    def check(self, job):
        """What a job has written, in numbers that can be compared."""
        y = np.load(self.out if job == "clip" else self.own, mmap_mode="r")
        values = {"min": float(y.min()), "max": float(y.max()), "first": y[:3].tolist(), "last": y[-3:].tolist()}
        values["mean"] = math.fsum(float(p.sum()) for p in np.array_split(y, 64)) / y.size
        return values


class NumExpr(NumPy):
    def __init__(self, directory, name):
        super().__init__(directory, name)
        import numexpr
        self.version = numexpr.__version__
        numexpr.set_num_threads(CPUS)
        self.evaluate = numexpr.evaluate

    stat = None

    def sum(self):
        return {"sum": float(self.evaluate("sum(x)", {"x": self.x}))}

    def moments(self, x):
        mean = float(self.evaluate("sum(x)", {"x": x})) / x.size
        return mean, math.sqrt(float(self.evaluate("sum((x - mean)**2)", {"x": x, "mean": mean})) / x.size)

    def meanstd(self):
        mean, std = self.moments(self.x)
        return {"mean": mean, "std": std}

    def log1p(self):
        return {"sum": float(self.evaluate("sum(log1p(abs(x)))", {"x": self.x}))}

    def clip(self):
        text = "where((x - 10) / 3 < -3, -3, where((x - 10) / 3 > 3, 3, (x - 10) / 3))"
        self.evaluate(text, {"x": self.x}, out=self.new_file())

    def standardise(self):
        x = np.load(self.own, mmap_mode="r+")
        mean, std = self.moments(x)
        self.evaluate("(x - mean) / std", {"x": x, "mean": mean, "std": std}, out=x)


class Numba(NumPy):
    def __init__(self, directory, name):
        os.environ.setdefault("NUMBA_CACHE_DIR", os.path.join(directory, "numba"))
        super().__init__(directory, name)
        import numba
        import loops
        self.version = numba.__version__
        self.loops = loops
        numba.set_num_threads(CPUS)

    def sum(self):
        return {"sum": self.loops.total(self.x)}

    def moments(self, x):
        mean = self.loops.total(x) / x.size
        return mean, math.sqrt(self.loops.squares(x, mean) / x.size)

    def meanstd(self):
        mean, std = self.moments(self.x)
        return {"mean": mean, "std": std}

    def stat(self):
        x = self.x
        nan, low, high = self.loops.extremes(x)
        mean, std = self.moments(x)
        return {
            "count": x.size, "nan": nan, "min": low, "max": high, "sum": mean * x.size, "mean": mean, "std": std,
            "quartiles": np.quantile(x, [0.25, 0.5, 0.75]).tolist(),
            "histogram": self.loops.histogram(x, low, high, BINS).tolist(),
        }

    def log1p(self):
        return {"sum": self.loops.log1p(self.x)}

    def clip(self):
        self.loops.clip(self.x, self.new_file())

    def standardise(self):
        x = np.load(self.own, mmap_mode="r+")
        self.loops.standardise(x, *self.moments(x))


class InParts(NumPy):
    """Work in processes, on parts of the array. Subclasses say how it gets there."""

    stat = None

    def bounds(self):
        n, pieces = self.x.size, 4 * CPUS
        return [(i * n // pieces, (i + 1) * n // pieces) for i in range(pieces)]

    def touch(self):
        self.sum()

    def sum(self):
        return {"sum": math.fsum(self.each(parts.total, self.path))}

    def moments(self, path):
        mean = math.fsum(self.each(parts.total, path)) / self.x.size
        return mean, math.sqrt(math.fsum(self.each(parts.squares, path, mean)) / self.x.size)

    def meanstd(self):
        mean, std = self.moments(self.path)
        return {"mean": mean, "std": std}

    def log1p(self):
        return {"sum": math.fsum(self.each(parts.log1p, self.path))}

    def standardise(self):
        self.each(parts.standardise, self.own, *self.moments(self.own))


class Joblib(InParts):
    def __init__(self, directory, name):
        super().__init__(directory, name)
        import joblib
        self.version = joblib.__version__
        self.joblib = joblib
        self.workers = joblib.Parallel(n_jobs=CPUS)

    def each(self, function, path, *args):
        # Slices of a memmap go to the workers by reference.
        x = self.x if path == self.path else np.load(path, mmap_mode="r+")
        return self.workers(self.joblib.delayed(function)(x[a:b], *args) for a, b in self.bounds())

    def clip(self):
        out = self.new_file()
        self.workers(self.joblib.delayed(parts.clip)(self.x[a:b], out[a:b]) for a, b in self.bounds())


class Executor(InParts):
    version = sys.version.split()[0]

    def __init__(self, directory, name):
        super().__init__(directory, name)
        from concurrent.futures import ProcessPoolExecutor
        self.workers = ProcessPoolExecutor(CPUS)

    def each(self, function, path, *args):
        return [f.result() for f in [self.workers.submit(parts.on_file, function, path, a, b, *args) for a, b in self.bounds()]]

    def clip(self):
        self.new_file()
        for f in [self.workers.submit(parts.clip_file, self.path, self.out, a, b) for a, b in self.bounds()]:
            f.result()


ENGINES = {"numpy": NumPy, "numexpr": NumExpr, "numba": Numba, "joblib": Joblib, "executor": Executor}


def answer(engine, line):
    verb, _, job = line.partition(" ")
    if verb == "check":
        return {"values": engine.check(job)}
    run = getattr(engine, verb)
    if run is None:
        return {"absent": True}
    begin = time.perf_counter()
    values = run()
    return {"seconds": time.perf_counter() - begin, "values": values}


def main():
    name, directory, *job = sys.argv[1:]
    engine = ENGINES[name](directory, name)
    if job:
        print(json.dumps(answer(engine, job[0])))
        return
    engine.touch()
    print(json.dumps({"version": engine.version}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(engine, line.strip())), flush=True)


if __name__ == "__main__":
    main()
