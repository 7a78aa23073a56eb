#!/usr/bin/env python3
"""Run the benches, all contenders interleaved, and report medians, ratios and charts.

Reads the binaries that `make bench-build` leaves in build/bench, writes there results.jsonl (one line per
measurement, as the binaries printed it) and the charts.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import charts
from charts import duration

ROOT = Path(__file__).resolve().parent.parent
CONTENDERS = ["loam", "libgc", "malloc", "mimalloc"]
COLLECTORS = ["loam", "libgc"]
RUN_TIMEOUT_S = 600


class Run(NamedTuple):
    """One way to start a workload; a contender's binary prints one JSON line per case."""

    bench: str
    arguments: list = []
    quick: list = None  # arguments under --quick; None: the same; False: left out
    contenders: list = CONTENDERS
    environment: dict = {}


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
    Run("latency", ["live_mib=256"], ["live_mib=32", "operations=300000"]),
    Run("fragmentation", quick=["mib=32"]),
    Run("spike", quick=["mib=256", "seconds=1"]),
    Run("emptygc", ["libs=0"], contenders=COLLECTORS),
    Run("emptygc", ["libs=50"], contenders=COLLECTORS),
    Run("tinyserver", quick=["requests=50000"]),
]

# What a bench is judged by, in nanoseconds or seconds, and what else its table shows.
METRIC = defaultdict(
    lambda: "seconds",
    graphmark="ns_per_object",
    sizes="ns_per_op",
    threads="ns_per_op",
    strings="ns_per_op",
    latency="max_ns",
    emptygc="ns_per_op",
    tinyserver="ns_per_op",
)
MORE_COLUMNS = defaultdict(
    list,
    graphmark=["random_load_ns"],
    threads=["million_per_second"],
    strings=["insert_ns", "lookup_ns", "replace_ns"],
    latency=["mean_ns", "p50_ns", "p99_ns", "p999_ns"],
    fragmentation=["rss_per_live_dropped", "rss_per_live_refilled"],
    spike=["rss_mib_at_end", "vmas_max"],
    tinyserver=["gc_share_percent"],
)
ONE_LINE_PER_CASE = {"sizes"}


# ---- Running ----


def plan_for(options):
    for run in PLAN:
        if options.only and run.bench not in options.only:
            continue
        if options.quick and run.quick is False:
            continue
        arguments = run.quick if options.quick and run.quick is not None else run.arguments
        extra = ["perf=1"] if options.perf else []
        yield run._replace(arguments=arguments + extra)


def run_once(binary, run):
    """The measurements one process printed; a failure is told and gives none."""
    try:
        done = subprocess.run(
            [str(binary), *run.arguments],
            env={**os.environ, **run.environment},
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return None, f"gave no result within {RUN_TIMEOUT_S} s"
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        return None, f"exit status {done.returncode}: {said[-1] if said else 'no message'}"
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")], None


class Progress:
    """A line that is rewritten on a terminal, and nothing elsewhere."""

    def __init__(self, total):
        self.total, self.done, self.shown = total, 0, sys.stderr.isatty()

    def step(self, text):
        self.done += 1
        if self.shown:
            print(f"\r\033[K[{self.done}/{self.total}] {text}", end="", file=sys.stderr, flush=True)

    def say(self, text):
        print(f"{chr(13)}\033[K{text}" if self.shown else text, file=sys.stderr, flush=True)

    def end(self):
        if self.shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def run_all(options):
    """All rounds of all runs; contenders take turns within a round, so that a slow minute hits them all."""
    runs = list(plan_for(options))
    progress = Progress(sum(len(run.contenders) for run in runs) * options.rounds)
    results, failures = [], []
    for run in runs:
        for round_number in range(options.rounds):
            for contender in run.contenders:
                binary = options.bin / f"{run.bench}-{contender}"
                what = f"{run.bench}-{contender} {' '.join(run.arguments)}"
                progress.step(what)
                if not binary.exists() or (contender, run) in failures:
                    continue
                lines, trouble = run_once(binary, run)
                if trouble:
                    failures.append((contender, run))
                    progress.say(f"FAILED {what}: {trouble}")
                    continue
                results += [{**line, "round": round_number} for line in lines]
    progress.end()
    return results, failures


# ---- Medians ----


def medians(results):
    """{bench: {case: {contender: {field: median}}}}, in the order the results came."""
    samples = defaultdict(list)
    for line in results:
        samples[line["bench"], line["case"], line["contender"]].append(line)
    table = {}
    for (bench, case, contender), lines in samples.items():
        table.setdefault(bench, {}).setdefault(case, {})[contender] = median_line(lines)
    return table


def median_line(lines):
    merged = {}
    for field, value in lines[0].items():
        values = [line[field] for line in lines if field in line]
        if field.endswith("histogram"):
            merged[field] = add_histograms(values)
        elif isinstance(value, (int, float)):
            merged[field] = statistics.median(values)
        else:
            merged[field] = value  # text, or a timeline: the first round's
    return merged


def add_histograms(histograms):
    counts = defaultdict(int)
    for rows in histograms:
        for low, high, count in rows:
            counts[low, high] += count
    return [[low, high, count] for (low, high), count in sorted(counts.items())]


def metric_ns(bench, line):
    metric = METRIC[bench]
    return line[metric] * (1e9 if metric == "seconds" else 1)


# ---- Tables ----


def reference_of(lines):
    """The contender all others are compared with: Loam, or the first there is."""
    return next((name for name in CONTENDERS if name in lines), None)


def ratio(value, reference):
    return f"{value / reference:6.2f}x" if reference else "      -"


def kib(value):
    return f"{value:.0f} KiB" if value < 10240 else f"{value / 1024:.1f} MiB"


def print_case(bench, case, lines):
    reference = lines[reference_of(lines)]
    more = MORE_COLUMNS[bench]
    print(f"  {case}")
    for contender in CONTENDERS:
        if contender not in lines:
            continue
        line = lines[contender]
        time_ns = metric_ns(bench, line)
        cells = [
            f"    {contender:9}",
            f"{duration(time_ns):>9} {ratio(time_ns, metric_ns(bench, reference))}",
            f"{kib(line['rss_kib']):>11} {ratio(line['rss_kib'], reference['rss_kib'])}",
        ]
        if "collections" in line:
            share = 100 * line["gc_seconds"] / line["seconds"] if line["seconds"] else 0
            cells.append(f"{line['collections']:6.0f} gc {share:5.1f} %  {duration(line['pause_max_ns']):>8}")
        elif more:
            cells.append(" " * 28)
        cells += [more_cell(field, line) for field in more if field in line]
        print("  ".join(cells).rstrip())


def more_cell(field, line):
    if field.endswith("_ns"):
        return f"{field[:-3].replace('_', ' ')} {duration(line[field])}"
    return f"{field.replace('_', ' ')} {line[field]:.3g}"


def print_matrix(bench, cases):
    """One line per case, for benches with many: time of each contender and its ratio to the reference."""
    present = [name for name in CONTENDERS if any(name in lines for lines in cases.values())]
    print("  " + " " * 16 + "".join(f"{name:>18}" for name in present))
    for case, lines in cases.items():
        reference = metric_ns(bench, lines[reference_of(lines)])
        cells = [f"  {case:16}"]
        for name in present:
            time_ns = metric_ns(bench, lines[name]) if name in lines else None
            cells.append(f"{duration(time_ns):>10} {ratio(time_ns, reference)}" if time_ns else " " * 18)
        print("".join(cells))


def print_tables(table):
    for bench, cases in table.items():
        metric = METRIC[bench].removesuffix("_ns")
        reference = reference_of(next(iter(cases.values())))
        print(f"\n{bench}: {metric.replace('_', ' ')} and peak RSS, each against {reference}"
              + ("" if bench in ONE_LINE_PER_CASE else "; collections, share of the time in them, longest pause"))
        if bench in ONE_LINE_PER_CASE:
            print_matrix(bench, cases)
            continue
        for case, lines in cases.items():
            print_case(bench, case, lines)


# ---- Targets ----


class Target(NamedTuple):
    text: str
    value: float
    bound: float
    at_least: bool = True

    def met(self):
        return self.value >= self.bound if self.at_least else self.value <= self.bound


def targets(table):
    """What Loam promises and these results can show; cases that were not run are left out."""
    yield from gcbench_targets(table)
    yield from graphmark_targets(table)
    yield from sizes_targets(table)
    yield from scaling_targets(table)
    yield from small_heap_targets(table)


def against(table, bench, case, other, field=None):
    """How many times Loam's figure the other's is, or None."""
    lines = table.get(bench, {}).get(case, {})
    if "loam" not in lines or other not in lines:
        return None
    if field:
        return lines[other][field] / lines["loam"][field]
    return metric_ns(bench, lines[other]) / metric_ns(bench, lines["loam"])


def gcbench_targets(table):
    for case, libgc, mimalloc, rss in (("18 16 16", 2.5, 1.5, 1 / 1.2), ("21 20 18", 1.8, None, 1)):
        if (value := against(table, "gcbench", case, "libgc")) is None:
            continue
        yield Target(f"gcbench {case}: libgc's time / Loam's", value, libgc)
        yield Target(f"gcbench {case}: libgc's RSS / Loam's", against(table, "gcbench", case, "libgc", "rss_kib"), rss)
        if mimalloc and (value := against(table, "gcbench", case, "mimalloc")) is not None:
            yield Target(f"gcbench {case}: mimalloc's time / Loam's", value, mimalloc)


def graphmark_targets(table):
    bounds = {"table": 8, "root": 5, "wide": 2, "lists": 2}
    for case, lines in table.get("graphmark", {}).items():
        shape = case.split()[0]
        if "loam" not in lines:
            continue
        if case.endswith("markers=1"):
            if shape in bounds and (value := against(table, "graphmark", case, "libgc")) is not None:
                yield Target(f"graphmark {case}: libgc's time / Loam's", value, bounds[shape])
            if shape == "table":
                floor = lines["loam"]["random_load_ns"]
                yield Target(f"graphmark {case}: ns per object / random load", metric_ns("graphmark", lines["loam"]) / floor,
                             2.5, at_least=False)
        elif case.endswith("markers=2"):
            single = table["graphmark"].get(case.replace("markers=2", "markers=1"), {}).get("loam")
            if single and shape in ("table", "root"):
                yield Target(f"graphmark {case}: gain over one marker",
                             metric_ns("graphmark", single) / metric_ns("graphmark", lines["loam"]), 1.6)


def sizes_targets(table):
    cases = table.get("sizes", {})
    ratios = [value for case in cases if (value := against(table, "sizes", case, "libgc")) is not None]
    if ratios:
        yield Target("sizes, worst of all: libgc's time / Loam's", min(ratios), 2)
    small = [
        value for case in cases
        if int(case.split()[1]) <= 256 and (value := against(table, "sizes", case, "mimalloc")) is not None
    ]
    if small:
        yield Target("sizes, worst up to 256 bytes: mimalloc's time / Loam's", min(small), 1)


def scaling_targets(table):
    cases = table.get("threads", {})
    one = cases.get("alloc threads=1", {}).get("loam")
    two = cases.get("alloc threads=2", {}).get("loam")
    if one and two:
        yield Target("threads: throughput of two / one", two["million_per_second"] / one["million_per_second"], 1.8)


def small_heap_targets(table):
    for case in table.get("emptygc", {}):
        if (value := against(table, "emptygc", case, "libgc")) is not None:
            yield Target(f"emptygc {case}: libgc's time / Loam's", value, 1)
    for lines in table.get("tinyserver", {}).values():
        if "loam" in lines:
            yield Target("tinyserver: % of the time in the collector", lines["loam"]["gc_share_percent"], 2, at_least=False)
    for case, lines in table.get("spike", {}).items():
        if "loam" in lines:
            yield Target(f"spike {case}: MiB of RSS at the end", lines["loam"]["rss_mib_at_end"], 100, at_least=False)
            yield Target(f"spike {case}: most VMAs", lines["loam"]["vmas_max"], 100, at_least=False)


def print_targets(table):
    found = list(targets(table))
    if not found:
        return
    print("\nTargets")
    for target in found:
        sign = ">=" if target.at_least else "<="
        verdict = "met" if target.met() else "MISSED"
        print(f"  {target.text:58} {target.value:8.3g}  {sign} {target.bound:<6.3g} {verdict}")


# ---- Charts ----


def draw_charts(table, directory):
    drawn = [
        draw_overview(table, directory / "time.svg", "Time against Loam (lower is better)", "times Loam's", metric_ns),
        draw_overview(table, directory / "rss.svg", "Peak RSS against Loam (lower is better)", "times Loam's",
                      lambda _, line: line["rss_kib"]),
        draw_graphmark(table, directory / "graphmark.svg"),
        draw_sizes(table, directory / "sizes.svg"),
        draw_pauses(table, directory / "pauses.svg", "pause_histogram", "Collector pauses in the latency bench", COLLECTORS),
        draw_pauses(table, directory / "latency.svg", "op_histogram", "Time per operation in the latency bench", CONTENDERS),
        draw_spike(table, directory / "spike.svg"),
    ]
    drawn = [os.path.relpath(path) for path in drawn if path]
    if drawn:
        print("\nCharts: " + " ".join(drawn))


OVERVIEW = ["gcbench", "binarytrees", "threads", "strings", "fragmentation", "tinyserver"]


def draw_overview(table, path, title, ylabel, value_of):
    groups, series = [], {name: [] for name in CONTENDERS}
    for bench in OVERVIEW:
        for case, lines in table.get(bench, {}).items():
            reference_name = reference_of(lines)
            reference = value_of(bench, lines[reference_name])
            groups.append(f"{bench}\n{case}" if len(table[bench]) > 1 else bench)
            for name in CONTENDERS:
                series[name].append(value_of(bench, lines[name]) / reference if name in lines and reference else None)
    series = {name: values for name, values in series.items() if any(values)}
    if not groups:
        return None
    if "loam" not in series:
        title, ylabel = title.replace("Loam", "libgc"), ylabel.replace("Loam", "libgc")
    return charts.bars(path, title, ylabel, groups, series, reference=1)


def draw_graphmark(table, path):
    cases = {case: lines for case, lines in table.get("graphmark", {}).items()}
    if not cases:
        return None
    groups = [f"{case.split()[0]}\n{case.split()[-1].replace('=', ' ')}" for case in cases]
    present = [name for name in COLLECTORS if any(name in lines for lines in cases.values())]
    series = {name: [metric_ns("graphmark", lines[name]) if name in lines else None for lines in cases.values()]
              for name in present}
    floor = statistics.median(line["random_load_ns"] for lines in cases.values() for line in lines.values())
    title = f"Marking, ns per live object (dashed: one independent random load, {floor:.1f} ns)"
    return charts.bars(path, title, "ns per object", groups, series, reference=floor)


def draw_sizes(table, path):
    panels = {"zeroed (calloc + free)": defaultdict(list), "pointer-free (malloc + free)": defaultdict(list)}
    for case, lines in table.get("sizes", {}).items():
        panel = panels["zeroed (calloc + free)" if case.startswith("zeroed") else "pointer-free (malloc + free)"]
        for name in CONTENDERS:
            if name in lines:
                panel[name].append((int(case.split()[1]), lines[name]["ns_per_op"]))
    if not table.get("sizes"):
        return None
    return charts.lines(path, "Allocation by size, nothing live", "bytes", "ns per object", panels)


def draw_pauses(table, path, field, title, contenders):
    for case, lines in table.get("latency", {}).items():
        series = {name: lines[name][field] for name in contenders if name in lines and lines[name].get(field)}
        if series:
            return charts.histogram(path, f"{title}, {case}", "", series)
    return None


def draw_spike(table, path):
    for case, lines in table.get("spike", {}).items():
        rss, vmas = {}, {}
        for name in CONTENDERS:
            if name in lines:
                rows = lines[name]["timeline"]  # [ms, RSS in KiB, VMAs]
                rss[name] = [(ms / 1e3, kib_now / 1024) for ms, kib_now, _ in rows]
                vmas[name] = [(ms / 1e3, count) for ms, _, count in rows]
        if rss:
            return charts.timeline(path, f"A spike that is dropped: {case}", "seconds", {"RSS, MiB": rss, "VMAs": vmas})
    return None


# ---- Main ----


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", metavar="WORKLOAD", help="run this workload only (may be repeated)")
    parser.add_argument("--rounds", type=int, default=None, help="rounds per workload (default 5, quick 3)")
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
    return [name for name in CONTENDERS if not list(options.bin.glob(f"*-{name}"))]


def main():
    options = parse_arguments()
    failures = []
    if options.report:
        results = [json.loads(line) for line in options.report.read_text().splitlines()]
    else:
        for name in missing_contenders(options):
            print(f"no binaries for {name} in {os.path.relpath(options.bin)}: left out (make bench-build)", file=sys.stderr)
        results, failures = run_all(options)
        options.out.mkdir(parents=True, exist_ok=True)
        with open(options.out / "results.jsonl", "w") as out:
            out.writelines(json.dumps(line) + "\n" for line in results)
    table = medians(results)
    print_tables(table)
    print_targets(table)
    draw_charts(table, options.out)
    for contender, run in failures:
        print(f"FAILED {run.bench}-{contender} {' '.join(run.arguments)}")
    return 1 if failures or not results else 0


if __name__ == "__main__":
    sys.exit(main())
