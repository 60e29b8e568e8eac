"""Tables of medians and ratios, in Markdown."""
import os
import platform
from statistics import median


def machine():
    model = platform.machine()
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return f"{len(os.sched_getaffinity(0))} CPUs of {model}, Linux {platform.release()}"


def milliseconds(seconds):
    ms = 1000 * seconds
    return f"{ms:.0f} ms" if ms >= 100 else f"{ms:.1f} ms"


def ratio(times, base):
    r = median(times) / base
    return f"{r:.0f}" if r >= 100 else f"{r:.1f}" if r >= 9.95 else f"{r:.2f}"


def rows(names, results, kind, size):
    yield "| job | " + " | ".join(names.values()) + " |"
    yield "|---" * (1 + len(names)) + "|"
    for r in results:
        times = r[kind]
        base = median(times["gangsaw"])
        cells = [f"{milliseconds(base)}, {size / base / 1e9:.1f} GB/s"]
        for name in list(names)[1:]:
            cells.append(f"{milliseconds(median(times[name]))}, {ratio(times[name], base)}×" if name in times else "–")
        yield f"| {r['text']} | " + " | ".join(cells) + " |"


def show(peers, versions, left, results, first, n, rounds):
    names = {k: v for k, v in peers.items() if v in versions}
    print(f"{n} float64 ({8 * n / 2**30:.3g} GiB), medians of {rounds} rounds in turns, on {machine()}.")
    print(", ".join(f"{k} {v}" for k, v in versions.items()) + ".")
    for name, why in left.items():
        print(f"{name} is left out: {why}.")
    for kind, title in (("warm", "Warm: the process is up, the data loaded or mapped and touched"),
                        ("whole", "Whole: a process is started, does the job, and ends; the file is in the page cache")):
        print(f"\n{title}; × is how many times as long as gangsaw.\n")
        print("\n".join(rows(names, results, kind, 8 * n)))
    if "numpy" in first:
        base = median(first["gangsaw"])
        print(f"\n`gangsaw stat` of a file of 1 KiB takes {milliseconds(base)} in all; "
              f"`python3 -c 'import numpy'` {milliseconds(median(first['numpy']))}, {ratio(first['numpy'], base)}×.")
