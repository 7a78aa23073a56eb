#!/usr/bin/env python3
"""Run the Scheme interpreter on its programs with three allocators and compare them.

The same interpreter is built on Loam, on libgc and on malloc without free (build/examples/scheme-*).  Every program
checks its own result and prints "NAME: ok"; the interpreter appends one JSON line about its run to the file named by
SCHEME_STATS.  The three builds take turns on each program.  Writes build/demo/results.jsonl and the
histogram of all pauses, build/demo/pauses.svg.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import charts
from charts import duration
from progress import Progress
from report import add_histograms, kib, ratio

ROOT = Path(__file__).resolve().parent.parent
ALLOCATORS = ["loam", "libgc", "malloc"]
MALLOC_SHARE_OF_MEMORY = 0.7  # malloc never frees here: stop it before it takes the machine down
OUT_OF_MEMORY = "out of memory"  # which for malloc without free is a result, no failure


# ---- Running ----


def available_bytes():
    with open("/proc/meminfo") as meminfo:
        for line in meminfo:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 4 << 30


def limit_memory(limit_bytes):
    resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))


def run_program(binary, allocator, program, timeout_s):
    """One run: (measurement, None), or (None, what went wrong)."""
    limit_bytes = int(available_bytes() * MALLOC_SHARE_OF_MEMORY) if allocator == "malloc" else None
    with tempfile.NamedTemporaryFile("r", prefix="scheme-stats-") as stats:
        start = time.monotonic()
        try:
            done = subprocess.run(
                [str(binary), os.path.relpath(program, ROOT)],
                cwd=ROOT,
                env={**os.environ, "SCHEME_STATS": stats.name},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                timeout=timeout_s,
                preexec_fn=(lambda: limit_memory(limit_bytes)) if limit_bytes else None,
            )
        except subprocess.TimeoutExpired:
            return None, f"no result within {timeout_s} s"
        seconds = time.monotonic() - start
        lines = [json.loads(line) for line in stats.read().splitlines() if line.strip()]
    if trouble := trouble_of(done):
        return None, OUT_OF_MEMORY if limit_bytes and reached(limit_bytes) else trouble
    measurement = {"seconds": seconds, "collections": 0, "peak_rss_kib": 0, **(lines[-1] if lines else {})}
    return {**measurement, "program": program.stem, "allocator": allocator}, None


def reached(limit_bytes):
    """Whether some program so far came near the limit; only those on malloc have one."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 > 0.8 * limit_bytes


def trouble_of(done):
    last_words = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
    if done.returncode < 0:
        return f"killed by signal {-done.returncode}: {last_words}"
    if done.returncode > 0:
        return f"exit status {done.returncode}: {last_words}"
    if not any(line.rstrip().endswith(": ok") for line in done.stdout.splitlines()):
        return f"did not say ok: {last_words}"
    return None


def run_all(options, binaries):
    """All programs with all allocators in turn.  Returns the measurements and the failures."""
    progress = Progress(len(options.programs) * len(binaries) * options.rounds, sys.stdout)
    width = max(len(program.stem) for program in options.programs)
    results, failures = [], []
    for number, program in enumerate(options.programs, 1):
        of_program = defaultdict(list)
        failed = {}
        for _ in range(options.rounds):
            for allocator, binary in binaries.items():
                progress.step(f"{program.stem} on {allocator}")
                if allocator in failed:
                    continue
                measurement, trouble = run_program(binary, allocator, program, options.timeout)
                if trouble:
                    failed[allocator] = trouble
                else:
                    of_program[allocator].append(measurement)
        results += [measurement for measurements in of_program.values() for measurement in measurements]
        failures += [(program.stem, allocator, trouble) for allocator, trouble in failed.items()]
        cells = [outcome(allocator, of_program, failed) for allocator in binaries]
        counter = f"{number:{len(str(len(options.programs)))}}/{len(options.programs)}"
        progress.say(f"  {counter}  {program.stem:{width}}  {'   '.join(cells)}")
    progress.end()
    return results, failures


def outcome(allocator, of_program, failed):
    if allocator in failed:
        return f"{allocator} {failed[allocator] if failed[allocator] == OUT_OF_MEMORY else 'FAILED':13}"
    seconds = statistics.median(measurement["seconds"] for measurement in of_program[allocator])
    return f"{allocator} {duration(seconds * 1e9):>9}"


# ---- The table ----


def medians(results):
    """{program: {allocator: measurement}}, medians over the rounds."""
    samples = defaultdict(list)
    for measurement in results:
        samples[measurement["program"], measurement["allocator"]].append(measurement)
    table = {}
    for (program, allocator), measurements in samples.items():
        row = {
            field: statistics.median(measurement.get(field) or 0 for measurement in measurements)
            for field in ("seconds", "collections", "peak_rss_kib", "pause_p50_ns", "pause_p99_ns", "pause_max_ns")
        }
        row["histogram"] = add_histograms([measurement.get("histogram") or [] for measurement in measurements])
        table.setdefault(program, {})[allocator] = row
    return table


def total_of(table, allocators):
    """The programs that every collector finished, taken together; malloc only if it finished them as well."""
    collectors = [allocator for allocator in allocators if allocator != "malloc"]
    complete = [rows for rows in table.values() if all(allocator in rows for allocator in collectors)]
    total = {}
    for allocator in allocators:
        if complete and all(allocator in rows for rows in complete):
            total[allocator] = sum_of([rows[allocator] for rows in complete])
    return len(complete), total


def sum_of(rows):
    histogram = add_histograms([row["histogram"] for row in rows])
    return {
        "seconds": sum(row["seconds"] for row in rows),
        "collections": sum(row["collections"] for row in rows),
        "peak_rss_kib": max(row["peak_rss_kib"] for row in rows),
        "pause_p50_ns": quantile(histogram, 0.50),
        "pause_p99_ns": quantile(histogram, 0.99),
        "pause_max_ns": max(row["pause_max_ns"] for row in rows),
        "histogram": histogram,
    }


def quantile(histogram, share):
    """The upper end of the bucket that holds the quantile; 0 without pauses."""
    wanted, seen = share * sum(count for _, _, count in histogram), 0
    for _, high, count in histogram:
        seen += count
        if seen >= wanted:
            return high
    return 0


HEADER = (f"  {'program':14} {'':7} {'time':>9} {'':7}  {'peak RSS':>10} {'':7}  {'collections':>11}"
          f"  {'pause p50':>9} {'p99':>9} {'max':>9}")


def print_rows(program, rows):
    reference = rows.get("loam") or next(iter(rows.values()))
    for number, (allocator, row) in enumerate(rows.items()):
        cells = [
            f"  {program if number == 0 else '':14} {allocator:7}",
            f"{duration(row['seconds'] * 1e9):>9} {ratio(row['seconds'], reference['seconds'])} ",
            f"{kib(row['peak_rss_kib']):>10} {ratio(row['peak_rss_kib'], reference['peak_rss_kib'])} ",
        ]
        if allocator != "malloc":
            pauses = [duration(row[f"pause_{which}_ns"]) for which in ("p50", "p99", "max")]
            cells.append(f"{row['collections']:11.0f}  {pauses[0]:>9} {pauses[1]:>9} {pauses[2]:>9}")
        print(" ".join(cells).rstrip())


def print_table(table, allocators):
    print("\n" + HEADER + "\n  " + "-" * (len(HEADER) - 2))
    for program, rows in table.items():
        print_rows(program, {allocator: rows[allocator] for allocator in allocators if allocator in rows})
        print()
    count, total = total_of(table, allocators)
    if total:
        print_rows(f"all {count}", total)
        print("\n  Ratios are against Loam's figure.  The last rows add up the times and collections, give the largest")
        print("  peak RSS, and take the pauses of all programs together.  malloc never frees and never pauses.")
    return total


# ---- Main ----


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", metavar="PROGRAM", help="this program only (may be repeated)")
    parser.add_argument("--rounds", type=int, default=1, help="runs of each program with each allocator (default 1)")
    parser.add_argument("--timeout", type=int, default=300, metavar="S", help="seconds a program may take (default 300)")
    parser.add_argument("--bin", type=Path, default=ROOT / "build/examples", help="where the interpreters are")
    parser.add_argument("--programs", type=Path, default=ROOT / "examples/scheme/programs", help="where the programs are")
    parser.add_argument("--out", type=Path, default=ROOT / "build/demo", help="where results and chart go")
    options = parser.parse_args()
    directory = options.programs
    options.programs = sorted(directory.glob("*.scm"))
    if options.only:
        options.programs = [program for program in options.programs if program.stem in options.only]
    if not options.programs:
        parser.error(f"no programs to run in {os.path.relpath(directory)}")
    return options


def find_binaries(options):
    binaries = {}
    for allocator in ALLOCATORS:
        binary = (options.bin / f"scheme-{allocator}").resolve()
        if binary.exists():
            binaries[allocator] = binary
        else:
            print(f"{os.path.relpath(binary)} is not built: the demo runs without it", file=sys.stderr)
    return binaries


def save(results, options):
    options.out.mkdir(parents=True, exist_ok=True)
    raw = options.out / "results.jsonl"
    raw.write_text("".join(json.dumps(measurement) + "\n" for measurement in results))
    return raw


def main():
    options = parse_arguments()
    binaries = find_binaries(options)
    if not binaries:
        return 1
    print(f"The Scheme interpreter on {len(options.programs)} programs, with {', '.join(binaries)} in turn")
    results, failures = run_all(options, binaries)
    written = [save(results, options)]
    total = print_table(medians(results), list(binaries)) if results else {}
    pauses = {allocator: row["histogram"] for allocator, row in total.items()}
    written.append(charts.histogram(options.out / "pauses.svg", "Pauses of all programs", "pauses", pauses))
    print("\n  Written: " + " ".join(os.path.relpath(path) for path in written if path))
    for program, allocator, trouble in failures:
        print(f"{'NOTE' if trouble == OUT_OF_MEMORY else 'FAILED'} {program} on {allocator}: {trouble}")
    failed = any(trouble != OUT_OF_MEMORY for _, _, trouble in failures)
    return 1 if failed or "loam" not in binaries else 0


if __name__ == "__main__":
    sys.exit(main())
