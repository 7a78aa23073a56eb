"""From JSON lines to medians and tables, every contender against Loam."""

import statistics
from collections import defaultdict

import mmu
from charts import duration
from contenders import AUTO, STOP, present

# What a bench is judged by, in nanoseconds or seconds, and what else its table shows.
METRIC = defaultdict(
    lambda: "seconds",
    graphmark="ns_per_object",
    sizes="ns_per_op",
    threads="ns_per_op",
    strings="ns_per_op",
    latency="max_ns",
    spike="until_dropped_ns",
    finalizers="ns_per_op",
    ephemerons="ns_per_op",
    emptygc="ns_per_op",
    tinyserver="ns_per_op",
)
MORE_COLUMNS = defaultdict(
    list,
    graphmark=["random_load_ns"],
    threads=["million_per_second"],
    strings=["insert_ns", "lookup_ns", "replace_ns"],
    latency=["mean_ns"],
    ring=["mean_ns"],
    replace=["mean_ns"],
    youngold=["mean_ns"],
    finalizers=["cpu_seconds"],
    registered=["mean_ns"],
    ephemerons=["follow_ns_per_op", "clear_ns_per_op"],
    fragmentation=["rss_per_live_dropped", "rss_per_live_refilled"],
    spike=["rss_mib_at_end", "vmas_max"],
    tinyserver=["gc_share_percent"],
)
ONE_LINE_PER_CASE = {"sizes"}
TIMELINES = {"pause_timeline": "pause_mmu", "stall_timeline": "stall_mmu"}
MMU_SHOWN_US = (1000, 10000)


# ---- Medians ----


def medians(results):
    """{bench: {case: {contender: {field: median}}}}, in the order the results came."""
    samples = defaultdict(list)
    for line in results:
        add_mmu(line)
        samples[line["bench"], line["case"], line["contender"]].append(line)
    table = {}
    for (bench, case, contender), lines in samples.items():
        table.setdefault(bench, {}).setdefault(case, {})[contender] = median_line(lines)
    return table


def add_mmu(line):
    for timeline, curve in TIMELINES.items():
        if timeline in line:
            line[curve] = mmu.curve(line[timeline], line["seconds"] * 1e6)


def median_line(lines):
    merged = {}
    typical = sorted(lines, key=lambda line: line["seconds"])[len(lines) // 2]
    for field, value in typical.items():
        values = [line[field] for line in lines if field in line]
        if field in TIMELINES.values():
            merged[field] = median_curve(values)
        elif field.endswith("histogram"):
            merged[field] = add_histograms(values)
        elif isinstance(value, (int, float)):
            merged[field] = statistics.median(values)
        else:
            merged[field] = value  # text, or a timeline
    merged["timeline_seconds"] = typical["seconds"]
    merged["best_ns"] = min(run_time(line["bench"], line) for line in lines)
    return merged


def median_curve(curves):
    shares = defaultdict(list)
    for curve in curves:
        for window, share in curve:
            shares[window].append(share)
    return [[window, statistics.median(values)] for window, values in shares.items() if len(values) == len(curves)]


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
    return next(iter(present(lines)), None)


def ratio(value, reference):
    return f"{value / reference:6.2f}x" if reference else "      -"


def kib(value):
    return f"{value:.0f} KiB" if value < 10240 else f"{value / 1024:.1f} MiB"


NAME_WIDTH = len("loam-generational")


def print_case(bench, case, lines):
    reference = lines[reference_of(lines)]
    more = MORE_COLUMNS[bench]
    print(f"  {case}")
    for contender in present(lines):
        line = lines[contender]
        time_ns = metric_ns(bench, line)
        cells = [
            f"    {contender:{NAME_WIDTH}}",
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
    if any("op_histogram" in line and "ops" in line for line in lines.values()):
        print_percentiles(lines)


OP_FIELDS = ["p50_ns", "p99_ns", "p999_ns", "p9999_ns", "max_ns"]
PAUSE_FIELDS = [f"run_pause_{field}" for field in ("p50_ns", "p99_ns", "p999_ns", "max_ns")]


def print_percentiles(lines):
    """Of the measurement alone: what operations and pauses take, and what is left to the program at the worst."""
    width = 9
    heads = ["p50", "p99", "p99.9", "p99.99", "max", "pauses", "p50", "p99", "p99.9", "max", "GC CPU",
             *(f"MMU {window // 1000}ms" for window in MMU_SHOWN_US)]
    print(f"    {'percentiles':{NAME_WIDTH}}" + "".join(f"{head:>{width}}" for head in heads))
    for contender in present(lines):
        line = lines[contender]
        cells = [duration(line[field]) for field in OP_FIELDS]
        if "run_pauses" in line:
            cells.append(f"{line['run_pauses']:.0f}")
            cells += [duration(line[field]) if line["run_pauses"] else "-" for field in PAUSE_FIELDS]
            cells.append(duration(line["collector_seconds"] * 1e9))
            shares = dict(map(tuple, line["pause_mmu"]))
            cells += [f"{100 * shares[window]:.0f} %" if window in shares else "-" for window in MMU_SHOWN_US]
        print(f"    {contender:{NAME_WIDTH}}" + "".join(f"{cell:>{width}}" for cell in cells))


def more_cell(field, line):
    if field.endswith("_ns"):
        return f"{field[:-3].replace('_', ' ')} {duration(line[field])}"
    return f"{field.replace('_', ' ')} {line[field]:.3g}"


def print_matrix(bench, cases):
    """One line per case, for benches with many: time of each contender and its ratio to the reference."""
    names = present({name for lines in cases.values() for name in lines})
    print("  " + " " * 16 + "".join(f"{name:>18}" for name in names))
    for case, lines in cases.items():
        reference = metric_ns(bench, lines[reference_of(lines)])
        cells = [f"  {case:16}"]
        for name in names:
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


# ---- Modes ----


def slowdowns(table):
    """[(bench, case, ratio)]: the time Loam takes when it chooses its mode, against always stopping the world.

    The best rounds are compared: a few percent are in question, and what disturbs a round only makes it longer.
    """
    return [(bench, case, lines[AUTO]["best_ns"] / lines[STOP]["best_ns"])
            for bench, cases in table.items()
            for case, lines in cases.items() if AUTO in lines and STOP in lines]


def run_time(bench, line):
    """What a bench is judged by where that is a duration of the whole; the mean where it is the longest operation."""
    return line["mean_ns"] if METRIC[bench] == "max_ns" else metric_ns(bench, line)


def print_modes(table):
    print(f"\nmodes: {AUTO}, which chooses its mode, against {STOP}; times are those of the best rounds")
    print(f"  {'':62}{'time':>8}{'auto':>10}{'stop':>10}{'RSS':>8}{'longest pause':>20}")
    for bench, case, times in slowdowns(table):
        auto, stop = table[bench][case][AUTO], table[bench][case][STOP]
        print(f"  {bench + ' ' + case:62}{times:7.2f}x{duration(auto['best_ns']):>10}"
              f"{duration(stop['best_ns']):>10}{auto['rss_kib'] / stop['rss_kib']:7.2f}x"
              f"{duration(auto['pause_max_ns']):>10}{duration(stop['pause_max_ns']):>10}")
