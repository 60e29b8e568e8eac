"""Runs the same jobs by gangsaw and its peers, in turns, and prints tables: see README.md."""
import argparse
import json
import math
import os
import re
import shutil
import subprocess
import sys
import time

import table

HERE = os.path.dirname(os.path.abspath(__file__))


class Job:
    def __init__(self, name, text, command, writes=None):
        self.name, self.text = name, text
        self.command = command  # gangsaw's arguments; {own} is its copy, {out} a new file
        self.writes = writes    # which file is checked afterwards


JOBS = [
    Job("sum", "`sum(x)`", ["eval", "sum(x)", "{x}"]),
    Job("meanstd", "`mean(x), std(x)`", ["eval", "mean(x), std(x)", "{x}"]),
    Job("stat", "count, NaN, min, max, sum, mean, std, quartiles, histogram of 256 bins", ["stat", "--quantiles", "0.25,0.5,0.75", "--bins", "256", "{x}"]),
    Job("log1p", "`sum(log1p(abs(x)))`", ["eval", "sum(log1p(abs(x)))", "{x}"]),
    Job("clip", "`clip((x-10)/3, -3, 3)` to a new file",
        ["eval", "clip((x-10)/3, -3, 3)", "{x}", "-o", "{out}", "--overwrite"], "clip"),
    Job("standardise", "`(x-mean(x))/std(x)` in place", ["eval", "(x-mean(x))/std(x)", "{own}", "--in-place"], "own"),
]

PEERS = {"gangsaw": "gangsaw", "numpy": "NumPy", "numexpr": "numexpr", "numba": "Numba", "joblib": "joblib",
         "executor": "ProcessPoolExecutor", "duckdb": "DuckDB", "polars": "Polars"}
NPM = ("duckdb", "polars")


class Left(Exception):
    """A peer is left out, or a run of it failed."""


class Peer:
    """A warm process that does jobs, and how to start one for a single job."""

    def __init__(self, name, options):
        self.name, self.options = name, options
        if name == "gangsaw":
            warm = [options.warm, options.dir]
        else:
            warm = self.argv()
        self.process = subprocess.Popen(warm, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.version = self.reply()["version"]

    def argv(self):
        if self.name in NPM:
            return [self.options.node, os.path.join(HERE, "peer.js"), self.name, self.options.dir]
        return [self.options.python, os.path.join(HERE, "peer.py"), self.name, self.options.dir]

    def reply(self):
        line = self.process.stdout.readline()
        if not line:
            said = self.process.communicate()[1].strip().splitlines()
            raise Left(said[-1] if said else f"ended with status {self.process.returncode}")
        return json.loads(line)

    def ask(self, line):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the reply says why
        return self.reply()

    def path(self, job):
        """Where the peer writes a job's output, if that is a new file."""
        return os.path.join(self.options.dir, f"clip.{self.name}.{'parquet' if self.name in NPM else 'npy'}")

    def tidy(self, job):
        """Leaves nothing of the run before that this one would pay for."""
        if job.writes == "clip" and os.path.exists(self.path(job)):
            os.remove(self.path(job))
        if job.writes:
            os.sync()

    def warm(self, job):
        self.tidy(job)
        return self.ask(job.name)

    def whole(self, job):
        self.tidy(job)
        if self.name == "gangsaw":
            names = {"x": "x.npy", "own": "own.gangsaw.npy", "out": "clip.gangsaw.npy"}
            files = {k: os.path.join(self.options.dir, v) for k, v in names.items()}
            argv = [self.options.gangsaw] + [a.format(**files) for a in job.command]
        else:
            argv = self.argv() + [job.name]
        return spawn(argv)

    def values(self, job, reply):
        if job.writes:
            return self.ask("check " + job.name)["values"]
        return reply["values"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def spawn(argv):
    """Seconds that a process takes from its start to its end."""
    begin = time.perf_counter()
    done = subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    took = time.perf_counter() - begin
    if done.returncode:
        raise Left(f"{argv}: status {done.returncode}: {done.stderr.strip()[-300:]}")
    return took


def differences(want, got, n):
    """Names of the values that both have and that differ by more than rounding."""
    def close(name, a, b):
        if isinstance(a, list):
            if name == "histogram":
                return len(a) == len(b) and sum(abs(p - q) for p, q in zip(a, b)) <= 8 + 1e-6 * n
            return len(a) == len(b) and all(close("", p, q) for p, q in zip(a, b))
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-11 * (n if name == "sum" else 1))
    return [k for k in want if k in got and not close(k, want[k], got[k])]


def measure(job, peers, options, n):
    """Times by peer, warm and whole, and who disagrees."""
    warm, whole, wrong = {}, {}, []
    able, want = [], {}
    for p in peers:  # a first run, which counts for nothing, tells what comes out
        reply = p.warm(job)
        if reply.get("absent"):
            continue
        able.append(p)
        got = p.values(job, reply)
        for k in differences(want, got, n):
            wrong.append(f"{PEERS[p.name]}: {job.name}: {k} is {str(got[k])[:100]}, elsewhere {str(want[k])[:100]}")
        want = {**got, **want}
        p.whole(job)
        if job.writes and (again := differences(want, p.values(job, {}), n)):
            wrong.append(f"{PEERS[p.name]}: {job.name}: another process differs in {again}")
    for r in range(options.rounds):
        turn = able[r % len(able):] + able[:r % len(able)]
        for p in turn:
            warm.setdefault(p.name, []).append(p.warm(job)["seconds"])
        for p in turn:
            whole.setdefault(p.name, []).append(p.whole(job))
        print(f"{job.name}: round {r + 1} of {options.rounds}", file=sys.stderr)
    return warm, whole, wrong


def prepare(options, n):
    """The data, in the form that each peer reads best. Returns why some have none."""
    os.makedirs(options.dir, exist_ok=True)
    x = os.path.join(options.dir, "x.npy")
    spawn([options.gangsaw, "gen", x, "--overwrite", "--shape", str(n)])
    spawn([options.gangsaw, "gen", os.path.join(options.dir, "small.npy"), "--overwrite", "--shape", "112"])
    for name in PEERS:
        if name not in NPM and "standardise" in options.jobs:
            shutil.copyfile(x, os.path.join(options.dir, f"own.{name}.npy"))
    try:
        spawn([options.node, os.path.join(HERE, "peer.js"), "polars", options.dir, "convert"])
    except (Left, OSError) as e:
        return f"no Parquet file, which Polars makes: {e}"
    return None


def first_result(options):
    """A whole command beside the import of NumPy alone."""
    commands = {"gangsaw": [options.gangsaw, "stat", os.path.join(options.dir, "small.npy")],
                "numpy": [options.python, "-c", "import numpy"]}
    times = {name: [] for name in commands}
    for _ in range(1 + 4 * options.rounds):
        for name, argv in commands.items():
            try:
                times[name].append(spawn(argv))
            except (Left, OSError):
                times[name].append(math.nan)
    return {name: t[1:] for name, t in times.items() if not math.isnan(t[0])}


def size_of(text):
    m = re.fullmatch(r"(\d+)(KiB|MiB|GiB)?", text)
    if not m:
        raise argparse.ArgumentTypeError(f"{text} is not a size: write one such as 64MiB or 1GiB")
    return int(m[1]) << {None: 0, "KiB": 10, "MiB": 20, "GiB": 30}[m[2]]


def names_of(known):
    def parse(text):
        names = text.split(",")
        if unknown := set(names) - set(known):
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: the names are {', '.join(known)}")
        return names
    return parse


def arguments():
    root = os.path.dirname(os.path.dirname(HERE))
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--size", type=size_of, default="1GiB", help="of the file (default 1GiB)")
    p.add_argument("--rounds", type=int, default=5, help="of which the medians are printed (default 5)")
    p.add_argument("--jobs", type=names_of([j.name for j in JOBS]), default=[j.name for j in JOBS], help="names, with commas")
    p.add_argument("--peers", type=names_of(PEERS), default=list(PEERS), help="names, with commas")
    p.add_argument("--dir", default=os.path.join(root, "data", "peers"), help="where the files go, some ten times the size")
    p.add_argument("--keep", action="store_true", help="leave them there")
    p.add_argument("--json", help="write all times to this file")
    p.add_argument("--python", default="/usr/bin/python3", help="whose packages are the peers")
    p.add_argument("--node", default="node")
    p.add_argument("--gangsaw", default=os.path.join(root, "bin", "gangsaw"), help="the command")
    p.add_argument("--warm", default=os.path.join(root, "bin", "gangsaw-peer"), help="the program in gangsaw/")
    o = p.parse_args()
    if o.rounds < 1 or o.size < 1 << 16:
        p.error("give at least one round, and a size of 64KiB")
    return o


def main():
    options = arguments()
    n = options.size // 8
    no_parquet = prepare(options, n)
    peers, left, wrong, results = [], {}, [], []
    try:
        for name in ["gangsaw"] + [p for p in options.peers if p != "gangsaw"]:
            try:
                if name in NPM and no_parquet:
                    raise Left(no_parquet)
                peers.append(Peer(name, options))
            except (Left, OSError) as e:
                if name == "gangsaw":
                    sys.exit(f"gangsaw does not run: {e}")
                left[PEERS[name]] = str(e)
        for job in JOBS:
            if job.name in options.jobs:
                warm, whole, differ = measure(job, peers, options, n)
                results.append({"job": job.name, "text": job.text, "warm": warm, "whole": whole})
                wrong += differ
        first = first_result(options)
        for p in peers:
            p.close()
    finally:
        if not options.keep:
            shutil.rmtree(options.dir, ignore_errors=True)
    versions = {PEERS[p.name]: p.version for p in peers}
    table.show(PEERS, versions, left, results, first, n, options.rounds)
    if options.json:
        with open(options.json, "w") as f:
            json.dump({"schema": 1, "bytes": 8 * n, "rounds": options.rounds, "versions": versions, "left_out": left,
                       "jobs": results, "first_result": first, "disagreements": wrong}, f, indent=1)
    for line in wrong:
        print("differs:", line, file=sys.stderr)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
