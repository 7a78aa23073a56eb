#!/usr/bin/env python3
"""Run Debian's programs that use libgc on the system's library and on Loam, in turn, and compare them.

The work is that of tests/compat/clients.  Each round measures CPU time, wall time and peak RSS of one run on each
library.  Then one run each with `perf record` tells how much of the CPU time is the library's, and one run each with
GC_PRINT_STATS what the library itself says it spent on collections.  Writes results.jsonl and charts to build/clients.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import charts
from charts import duration
from progress import Progress
from report import kib, ratio

ROOT = Path(__file__).resolve().parent.parent
CLIENT = ROOT / "tests/compat/clients/client"
TIME = "/usr/bin/time"  # from a small process: a child starts with its parent's peak RSS
LIBRARIES = ["loam", "libgc"]
PROGRAM = {"nix": "nix-instantiate"}  # where it is not the part of the name before the slash
RUN_TIMEOUT_S = 300
CALLGRIND_TIMEOUT_S = 3600
SAMPLES_PER_SECOND = 2000


class Failure(Exception):
    pass


# ---- Running ----


def environment_for(library, options, **more):
    """libgc.so.1 is the one in the first directory of LD_LIBRARY_PATH that has one, or else the system's."""
    path = os.environ.get("LD_LIBRARY_PATH")
    if library == "loam":
        path = f"{options.lib}:{path}" if path else str(options.lib)
    return {**os.environ, **({"LD_LIBRARY_PATH": path} if path else {}), **options.set, **more}


def run_client(job, library, options, prefix=(), timeout_s=RUN_TIMEOUT_S, **more):
    """One run; its output must be what it was before, whatever the library."""
    # The prefix itself runs as the system has it: what it starts gets the environment.
    setting = [f"{name}={value}" for name, value in environment_for(library, options, **more).items()
               if os.environ.get(name) != value]
    command = [*prefix, "env", *setting, str(CLIENT), "run", job.name, job.size, str(job.files)]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise Failure(f"gave no result within {timeout_s} s") from None
        out.seek(0)
        err.seek(0)
        output, said = out.read(), err.read().decode(errors="replace").strip().splitlines()
    if done.returncode != 0:
        raise Failure(f"exit status {done.returncode}: {said[-1] if said else 'no message'}")
    if job.output is not None and output != job.output:
        raise Failure("its output differs")
    job.output = output


class Job:
    """A client's work of one size, and what it prints."""

    def __init__(self, name, size, files):
        self.name, self.size, self.files, self.output = name, size, files, None
        done = subprocess.run([str(CLIENT), "prepare", name, size, str(files)], capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"cannot be prepared: {done.stderr.strip()}")


def measure(job, library, options):
    with tempfile.NamedTemporaryFile("r") as report:
        run_client(job, library, options, [TIME, "-f", "%U %S %e %M", "-o", report.name])
        user, system, wall, rss_kib = map(float, report.read().split())
    return {"cpu_seconds": user + system, "system_seconds": system, "wall_seconds": wall, "rss_kib": rss_kib}


def is_library(name):
    return name.startswith("libgc.so")


def shares(job, library, options):
    """CPU seconds in the library's own code and in the kernel, from samples of the CPU clock."""
    with tempfile.NamedTemporaryFile() as samples:
        record = ["perf", "record", "-q", "-F", str(SAMPLES_PER_SECOND), "-e", "cpu-clock", "-o", samples.name]
        run_client(job, library, options, record)
        report = subprocess.run(["perf", "report", "-i", samples.name, "--sort", "dso", "--stdio"],
                                capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
    total = re.search(r"Event count \(approx\.\): (\d+)", report)
    if not total:
        raise Failure("perf recorded nothing")
    percent = defaultdict(float)
    for share, dso in re.findall(r"^ +([\d.]+)% +(\S+)", report, re.MULTILINE):
        percent["library" if is_library(dso) else dso] += float(share)
    seconds = int(total[1]) / 1e9
    return {"library_seconds": seconds * percent["library"] / 100,
            "kernel_seconds": seconds * percent["[kernel.kallsyms]"] / 100}


def account(job, library, options):
    """The collections that the library tells of, and the time from their beginnings to their ends."""
    with tempfile.NamedTemporaryFile("r", errors="replace") as log:
        run_client(job, library, options, GC_PRINT_STATS="1", GC_LOG_FILE=log.name)
        text = log.read()
    if library == "libgc":
        spent = [int(ms) * 1e-3 + int(ns) * 1e-9
                 for ms, ns in re.findall(r"Complete collection took (\d+) ms (\d+) ns", text)]
    else:
        lines = [line for line in text.splitlines() if line.startswith("loam: collection")]
        spent = [cycle_us(line) * 1e-6 for line in lines]
        if not lines:
            raise Failure("did not run on Loam, or without a collection")
    return {"collections": len(spent), "collection_seconds": sum(spent)}


def cycle_us(line):
    if whole := re.search(r" after (\d+) us", line):
        return int(whole[1])
    pauses = re.search(r"pauses? ([^u]*) us", line)
    return sum(map(int, re.findall(r"\d+", pauses[1]))) if pauses else 0


# ---- Callgrind ----


def instructions(job, library, options):
    """Instructions within the library, and of the whole program, as callgrind counts them."""
    with tempfile.TemporaryDirectory() as directory:
        prefix = ["valgrind", "--tool=callgrind", "--trace-children=yes", f"--callgrind-out-file={directory}/%p"]
        run_client(job, library, options, prefix, CALLGRIND_TIMEOUT_S)
        counts = [count_instructions(path) for path in Path(directory).iterdir()]
    return {"library_instructions": sum(inside for inside, _ in counts),
            "instructions": sum(total for _, total in counts)}


def count_instructions(path):
    """(inside the library, in all) of callgrind's file: lines of costs below `ob=` lines, which name the object."""
    names, inside, total, in_library, of_call = {}, 0, 0, False, False
    with open(path, errors="replace") as lines:
        for line in lines:
            if line.startswith("ob="):
                number, _, name = line[3:].strip().partition(" ")
                in_library = is_library(os.path.basename(names.setdefault(number, name)))
            elif line.startswith("cob="):
                number, _, name = line[4:].strip().partition(" ")
                names.setdefault(number, name)
            elif line.startswith("calls="):
                of_call = True  # the next line has the callee's costs
            elif line[0] in "+-*0123456789":
                cost = 0 if of_call else int(line.split()[-1])
                of_call = False
                total += cost
                inside += cost if in_library else 0
    return inside, total


# ---- All of it ----


def run_job(job, options, progress):
    """{library: {figure: median}} of one client."""
    samples, figures = defaultdict(list), {}
    rounds = 0 if options.callgrind else options.rounds
    for number in range(rounds):
        for library in LIBRARIES if number % 2 == 0 else LIBRARIES[::-1]:
            progress.step(f"{job.name} on {library}, round {number + 1}")
            samples[library].append(measure(job, library, options))
    for library in LIBRARIES:
        progress.step(f"{job.name} on {library}, accounts")
        figures[library] = {name: statistics.median(sample[name] for sample in samples[library])
                            for name in (samples[library] or [{}])[0]}
        if options.callgrind:
            figures[library].update(instructions(job, library, options))
        else:
            if options.perf:
                figures[library].update(shares(job, library, options))
            figures[library].update(account(job, library, options))
    return figures


def run_all(clients, options):
    progress = Progress(len(clients) * len(LIBRARIES) * ((0 if options.callgrind else options.rounds) + 1))
    table, failures = {}, []
    with tempfile.TemporaryDirectory(prefix="clients-") as files:
        for name, size in clients:
            try:
                table[name] = run_job(Job(name, size, files), options, progress)
                progress.say(summary(name, table[name]))
            except Failure as failure:
                failures.append(name)
                progress.say(f"FAILED {name}: {failure}")
    progress.end()
    return table, failures


# ---- Tables and charts ----

SHORT = {
    "cpu_seconds": "CPU time",
    "wall_seconds": "wall time",
    "rss_kib": "peak RSS",
    "system_seconds": "system time",
    "library_seconds": "in the library",
    "kernel_seconds": "in the kernel",
    "collection_seconds": "collecting, by its own account",
    "collections": "collections",
    "library_instructions": "instructions in the library",
    "instructions": "instructions",
}


def shown(figure, value):
    if figure.endswith("_seconds"):
        return duration(value * 1e9)
    return kib(value) if figure.endswith("_kib") else f"{value:.0f}" if value < 1e6 else f"{value / 1e6:.0f} M"


def summary(name, figures):
    first = "library_instructions" if "library_instructions" in figures["loam"] else "cpu_seconds"
    cells = [f"{library} {shown(first, figures[library][first]):>9}" for library in LIBRARIES]
    return f"  {name:16} {SHORT[first]}: {'   '.join(cells)} {ratio(figures['libgc'][first], figures['loam'][first])}"


def print_table(table):
    """A block per figure: each client on both libraries, and libgc's figure by Loam's."""
    for figure, title in SHORT.items():
        rows = [(name, lines) for name, lines in table.items() if all(figure in lines[each] for each in LIBRARIES)]
        if not rows:
            continue
        print(f"\n{title:34} {'loam':>11} {'libgc':>11}   libgc/loam")
        for name, lines in rows:
            loam, libgc = lines["loam"][figure], lines["libgc"][figure]
            print(f"  {name:32} {shown(figure, loam):>11} {shown(figure, libgc):>11} {ratio(libgc, loam):>12}")


CHARTS = {
    "cpu_seconds": ("cpu", "CPU time of programs, seconds", 1),
    "library_seconds": ("library", "CPU time in the collector's library, seconds", 1),
    "rss_kib": ("rss", "Peak resident memory of programs, MiB", 1024),
    "library_instructions": ("instructions", "Instructions in the collector's library, millions", 1e6),
}


def draw(table, directory):
    written = []
    for figure, (stem, title, unit) in CHARTS.items():
        names = [name for name, lines in table.items() if all(figure in lines[each] for each in LIBRARIES)]
        if not names:
            continue
        series = {each: [table[name][each][figure] / unit for name in names] for each in LIBRARIES}
        groups = [name.replace("/", "\n") for name in names]
        written.append(charts.bars(directory / f"{stem}.svg", title, title.split(", ")[-1], groups, series))
    return [path for path in written if path]


# ---- Main ----


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", metavar="CLIENT", help="these clients only: a part of the name")
    parser.add_argument("--rounds", type=int, default=5, help="runs on each library (default 5)")
    parser.add_argument("--short", action="store_true", help="the sizes of the tests instead of several seconds each")
    parser.add_argument("--callgrind", action="store_true",
                        help="count instructions within the library instead, with a tenth of the work; minutes each")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="something for the environment of all runs, as GC_MODE=concurrent")
    parser.add_argument("--lib", type=Path, default=ROOT / "build/release/compat", help="where Loam's libgc.so.1 is")
    parser.add_argument("--out", type=Path, default=ROOT / "build/clients", help="where results and charts go")
    options = parser.parse_args()
    options.lib, options.set = options.lib.resolve(), dict(text.split("=", 1) for text in options.set)
    options.perf = shutil.which("perf") is not None
    return options


def chosen_clients(options):
    names = subprocess.run([str(CLIENT), "names"], capture_output=True, text=True, check=True).stdout
    clients = []
    for name, short, long in (line.split() for line in names.splitlines()):
        program = name.split("/")[0]
        if options.only and not any(part in name for part in options.only):
            continue
        if not shutil.which(PROGRAM.get(program, program)):
            print(f"{program} is not installed: {name} is left out", file=sys.stderr)
            continue
        tenth = str(max(int(short), int(long) // 10))
        clients.append((name, short if options.short else tenth if options.callgrind else long))
    return clients


def main():
    options = parse_arguments()
    clients = chosen_clients(options)
    if not (options.lib / "libgc.so.1").exists():
        print(f"{options.lib}/libgc.so.1 is missing (make all)", file=sys.stderr)
        return 1
    if not options.perf and not options.callgrind:
        print("perf is missing (package linux-perf): the library's share of the time is left out", file=sys.stderr)
    table, failures = run_all(clients, options)
    print_table(table)
    options.out.mkdir(parents=True, exist_ok=True)
    results = options.out / "results.jsonl"
    results.write_text("".join(json.dumps({"client": name, "library": library, **figures}) + "\n"
                               for name, lines in table.items() for library, figures in lines.items()))
    written = [results, *draw(table, options.out)]
    print("\n  Written: " + " ".join(os.path.relpath(path) for path in written))
    for name in failures:
        print(f"FAILED {name}")
    return 1 if failures or not table else 0


if __name__ == "__main__":
    sys.exit(main())
