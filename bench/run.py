#!/usr/bin/env python3
"""Run the benches, all contenders interleaved, and report medians, ratios and charts.

Reads the binaries that `make bench-build` leaves in build/bench, writes there results.jsonl (one line per
measurement, as the binaries printed it) and the charts.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from contenders import ALL, AUTO, COLLECTORS, COLLECTORS_WITH_MODES, PLAIN, STOP, WITH_MODES
from figures import draw_charts
from progress import Progress
from report import medians, print_modes, print_tables
from targets import print_targets

ROOT = Path(__file__).resolve().parent.parent
RUN_TIMEOUT_S = 600


class Run(NamedTuple):
    """One way to start a workload; a contender's binary prints one JSON line per case."""

    bench: str
    arguments: list = []
    quick: list = None  # arguments under --quick; None: the same; False: left out
    contenders: list = PLAIN
    environment: dict = {}
    rounds: int = 1000  # at most
    needs_gib: int = 0  # of available memory; left out where there is less


def markers(count):
    return {"GC_MARKERS": str(count)}


SMALL_GRAPH = "nodes=1048576"

PLAN = [
    Run("gcbench", ["stretch=18", "long=16", "max=16"]),
    Run("gcbench", ["stretch=21", "long=20", "max=18"], quick=False),
    Run("binarytrees", ["depth=18", "threads=1"], quick=["depth=14", "threads=1"]),
    Run("binarytrees", ["depth=18", "threads=2"], quick=["depth=14", "threads=2"]),
    *[
        Run("graphmark", [f"shape={shape}"], [f"shape={shape}", SMALL_GRAPH], COLLECTORS, markers(count))
        for shape in ("table", "root", "wide", "lists", "shuffled")
        for count in (1, 2)
    ],
    Run("sizes", quick=["mib=16", "count=200000"]),
    Run("threads", ["case=alloc", "threads=1"], ["case=alloc", "threads=1", "operations=2000000"]),
    Run("threads", ["case=alloc", "threads=2"], ["case=alloc", "threads=2", "operations=2000000"]),
    Run("threads", ["case=handover", "threads=2"], ["case=handover", "threads=2", "operations=1000000"]),
    Run("strings", quick=["strings=200000"]),
    Run("latency", ["live_mib=256"], ["live_mib=32", "operations=200000"], WITH_MODES),
    Run("latency", ["live_mib=512", "spread=0"], ["live_mib=64", "spread=0", "operations=100000"], WITH_MODES,
        rounds=3),
    Run("ring", ["bytes=1024"], ["bytes=1024", "window=20000", "operations=200000"], WITH_MODES, rounds=3),
    Run("ring", ["bytes=1024", "pointers=1"], ["bytes=1024", "pointers=1", "window=20000", "operations=100000"],
        WITH_MODES, rounds=3),
    Run("ring", ["bytes=0", "window=4000000", "operations=16000000"],
        ["bytes=0", "window=400000", "operations=800000"], WITH_MODES, rounds=3),
    Run("replace", ["operations=8000000"], ["slots=200000", "operations=400000"], WITH_MODES, rounds=3),
    Run("youngold", ["live_mib=1024"], ["live_mib=32", "young_mib=128"], WITH_MODES, rounds=3, needs_gib=4),
    Run("youngold", ["live_mib=64"], False, COLLECTORS_WITH_MODES, rounds=3),
    Run("youngold", ["live_mib=256"], False, WITH_MODES, rounds=3),
    Run("youngold", ["live_mib=4096", "young_mib=12288"], False, COLLECTORS_WITH_MODES, rounds=1, needs_gib=12),
    Run("youngold", ["live_mib=256", "writes_per_1000=200", "spread=1"], False, COLLECTORS_WITH_MODES, rounds=3),
    Run("youngold", ["live_mib=512", "old=table", "writes_per_1000=1"],
        ["live_mib=32", "old=table", "writes_per_1000=1", "young_mib=128"], COLLECTORS_WITH_MODES, rounds=3),
    Run("youngold", ["live_mib=512", "old=roots"],
        ["live_mib=32", "old=roots", "young_mib=128"], COLLECTORS_WITH_MODES, rounds=3),
    Run("finalizers", quick=["objects=200000"]),
    Run("finalizers", ["batch=1000000"], ["objects=200000", "batch=200000"]),
    *[
        Run("registered", [f"registered={registered}"],
            [f"registered={registered}", "objects=1000000", "young_mib=512"],
            [AUTO, "loam-generational", "libgc"], rounds=5, needs_gib=4)
        for registered in (0, 1)
    ],
    *[
        Run("ephemerons", [f"order={order}", f"length={length}"], [f"order={order}", f"length={length // 10}"], [AUTO])
        for order in ("random", "backward")
        for length in (100000, 1000000)
    ],
    Run("fibers", ["case=switch"], ["case=switch", "switches=5000000"], [AUTO]),
    *[
        Run("fibers", ["case=pause", *parked], ["case=pause", "young_mib=256", *parked],
            [AUTO, "loam-generational"], rounds=5)
        for parked in (
            ["fibers=0"],
            ["fibers=10000"],
            ["fibers=100", "bytes=1048576"],
            ["fibers=100", "bytes=1048576", "written=1"],
        )
    ],
    Run("fragmentation", quick=["mib=32"]),
    Run("spike", quick=["mib=256", "seconds=1"]),
    Run("emptygc", ["libs=0"], contenders=COLLECTORS),
    Run("emptygc", ["libs=50"], contenders=COLLECTORS),
    Run("tinyserver", quick=["requests=50000"]),
]

# ---- Running ----


def plan_for(options):
    for run in PLAN:
        if options.only and run.bench not in options.only:
            continue
        if options.quick and run.quick is False:
            continue
        contenders = contenders_for(run, options)
        if not contenders:
            continue
        arguments = run.quick if options.quick and run.quick is not None else run.arguments
        if not options.quick and available_gib() < run.needs_gib:
            print(f"left out, needs {run.needs_gib} GiB of memory: {run.bench} {' '.join(arguments)}", file=sys.stderr)
            continue
        extra = ["perf=1"] if options.perf else []
        yield run._replace(arguments=arguments + extra, contenders=contenders, rounds=min(run.rounds, options.rounds))


def contenders_for(run, options):
    if options.modes:
        return [AUTO, STOP] if AUTO in run.contenders else []
    if options.contender:
        return [name for name in ALL if name in options.contender and ALL[name].binary in run.contenders]
    return run.contenders


def available_gib():
    with open("/proc/meminfo") as meminfo:
        kib = next(int(line.split()[1]) for line in meminfo if line.startswith("MemAvailable:"))
    return kib / (1 << 20)


def run_once(binary, run, contender):
    """The measurements one process printed; a failure is told and gives none."""
    try:
        done = subprocess.run(
            [str(binary), *run.arguments],
            env={**os.environ, **run.environment, **ALL[contender].environment},
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return None, f"gave no result within {RUN_TIMEOUT_S} s"
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        return None, f"exit status {done.returncode}: {said[-1] if said else 'no message'}"
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [{**line, "contender": contender} for line in lines], None


def run_all(options):
    """All rounds of all runs; contenders take turns within a round, so that a slow minute hits them all.

    Each round begins with another one, so that none always has the same predecessor's heat and free memory.
    """
    runs = list(plan_for(options))
    progress = Progress(sum(len(run.contenders) * run.rounds for run in runs))
    results, failures = [], []
    for run in runs:
        for round_number in range(run.rounds):
            for contender in rotated(run.contenders, round_number):
                binary = options.bin / f"{run.bench}-{ALL[contender].binary}"
                what = f"{run.bench}-{contender} {' '.join(run.arguments)}"
                progress.step(what)
                if not binary.exists() or (contender, run) in failures:
                    continue
                lines, trouble = run_once(binary, run, contender)
                if trouble:
                    failures.append((contender, run))
                    progress.say(f"FAILED {what}: {trouble}")
                    continue
                results += [{**line, "round": round_number} for line in lines]
    progress.end()
    return results, failures


def rotated(names, by):
    by %= len(names)
    return names[by:] + names[:by]


# ---- Main ----


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", metavar="WORKLOAD", help="run this workload only (may be repeated)")
    parser.add_argument("--contender", action="append", choices=ALL, help="run this contender only (may be repeated)")
    parser.add_argument("--modes", action="store_true", help=f"compare {AUTO} with {STOP} on every workload")
    parser.add_argument("--rounds", type=int, default=None, help="rounds per workload, at most (default 5, quick 3)")
    parser.add_argument("--quick", action="store_true", help="smaller parameters: a minute or two instead of many")
    parser.add_argument("--perf", action="store_true", help="ask for hardware counters in the JSON lines")
    parser.add_argument("--bin", type=Path, default=ROOT / "build/bench", help="where the binaries are")
    parser.add_argument("--out", type=Path, default=ROOT / "build/bench", help="where results and charts go")
    parser.add_argument("--report", type=Path, metavar="JSONL", help="run nothing, report these results again")
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 5)
    unknown = set(options.only or []) - {run.bench for run in PLAN}
    if unknown:
        parser.error(f"no workload {', '.join(sorted(unknown))}; there are "
                     + ", ".join(dict.fromkeys(run.bench for run in PLAN)))
    return options


def missing_contenders(options):
    return [name for name in PLAIN if not list(options.bin.glob(f"*-{name}"))]


def main():
    options = parse_arguments()
    failures = []
    if options.report:
        results = [json.loads(line) for line in options.report.read_text().splitlines()]
    else:
        for name in missing_contenders(options):
            where = os.path.relpath(options.bin)
            print(f"no binaries for {name} in {where}: left out (make bench-build)", file=sys.stderr)
        results, failures = run_all(options)
        options.out.mkdir(parents=True, exist_ok=True)
        with open(options.out / "results.jsonl", "w") as out:
            out.writelines(json.dumps(line) + "\n" for line in results)
    table = medians(results)
    print_tables(table)
    if options.modes:
        print_modes(table)
    print_targets(table, options.quick)
    draw_charts(table, options.out)
    for contender, run in failures:
        known = " (a known limit of it, no failure of this run)" if ALL[contender].may_fail else ""
        print(f"FAILED {run.bench}-{contender} {' '.join(run.arguments)}{known}")
    return 1 if not results or not all(ALL[contender].may_fail for contender, _ in failures) else 0


if __name__ == "__main__":
    sys.exit(main())
