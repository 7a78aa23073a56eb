"""From JSON lines to medians and tables, every contender against Loam."""

import statistics
from collections import defaultdict

from charts import duration

CONTENDERS = ["loam", "libgc", "malloc", "mimalloc"]
COLLECTORS = ["loam", "libgc"]

# What a bench is judged by, in nanoseconds or seconds, and what else its table shows.
METRIC = defaultdict(
    lambda: "seconds",
    graphmark="ns_per_object",
    sizes="ns_per_op",
    threads="ns_per_op",
    strings="ns_per_op",
    latency="max_ns",
    spike="until_dropped_ns",
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
