"""Which charts the results give: here is what is shown, charts.py knows how to draw."""

import os
import statistics
from collections import defaultdict

import charts
from contenders import COLLECTORS, PLAIN, present
from report import metric_ns, reference_of

SPIKE_SECONDS_BEFORE = 2  # of the build-up, which takes some contenders much longer than others
OVERVIEW = ["gcbench", "binarytrees", "threads", "strings", "fragmentation", "tinyserver"]


def draw_charts(table, directory):
    drawn = [
        draw_overview(table, directory / "time.svg", "Time against Loam (lower is better)", "times Loam's", metric_ns),
        draw_overview(table, directory / "rss.svg", "Peak RSS against Loam (lower is better)", "times Loam's",
                      lambda _, line: line["rss_kib"]),
        draw_graphmark(table, directory / "graphmark.svg"),
        draw_sizes(table, directory / "sizes.svg"),
        draw_latency(table, directory / "pauses.svg", "pause_histogram", "pauses", "Collector pauses"),
        draw_latency(table, directory / "latency.svg", "op_histogram", "operations", "Time per operation"),
        draw_spike(table, directory / "spike.svg"),
        *draw_timelines(table, directory),
        draw_by_live(table, directory / "pauses-by-live-heap.svg"),
    ]
    drawn = [os.path.relpath(path) for path in drawn if path]
    if drawn:
        print("\nCharts: " + " ".join(drawn))


def draw_overview(table, path, title, ylabel, value_of):
    groups, series = [], {name: [] for name in PLAIN}
    for bench in OVERVIEW:
        for case, lines in table.get(bench, {}).items():
            reference_name = reference_of(lines)
            reference = value_of(bench, lines[reference_name])
            groups.append("\n".join([bench, *case_lines(case)]) if len(table[bench]) > 1 else bench)
            for name in PLAIN:
                series[name].append(value_of(bench, lines[name]) / reference if name in lines and reference else None)
    series = {name: values for name, values in series.items() if any(values)}
    if not groups:
        return None
    if "loam" not in series:
        title, ylabel = title.replace("Loam", "libgc"), ylabel.replace("Loam", "libgc")
    return charts.bars(path, title, ylabel, groups, series, reference=1)


def case_lines(case):
    return case.split() if "=" in case else [case]


def draw_graphmark(table, path):
    cases = table.get("graphmark", {})
    if not cases:
        return None
    groups = [f"{case.split()[0]}\n{case.split()[-1].replace('=', ' ')}" for case in cases]
    names = [name for name in COLLECTORS if any(name in lines for lines in cases.values())]
    series = {name: [metric_ns("graphmark", lines[name]) if name in lines else None for lines in cases.values()]
              for name in names}
    floor = statistics.median(line["random_load_ns"] for lines in cases.values() for line in lines.values())
    title = f"Marking, ns per live object (dashed: one independent random load, {floor:.1f} ns)"
    return charts.bars(path, title, "ns per object", groups, series, reference=floor)


def draw_sizes(table, path):
    panels = {"zeroed (calloc + free)": defaultdict(list), "pointer-free (malloc + free)": defaultdict(list)}
    for case, lines in table.get("sizes", {}).items():
        panel = panels["zeroed (calloc + free)" if case.startswith("zeroed") else "pointer-free (malloc + free)"]
        for name in PLAIN:
            if name in lines:
                panel[name].append((int(case.split()[1]), lines[name]["ns_per_op"]))
    if not table.get("sizes"):
        return None
    return charts.lines(path, "Allocation by size, nothing live", "bytes", "ns per object", panels)


def draw_latency(table, path, field, what, title):
    for case, lines in table.get("latency", {}).items():
        series = {name: lines[name][field] for name in present(lines) if lines[name].get(field)}
        if series:
            return charts.histogram(path, f"{title} in the latency bench, {case}", what, series)
    return None


def draw_spike(table, path):
    for case, lines in table.get("spike", {}).items():
        rss, vmas = {}, {}
        for name in present(lines):
            rows = lines[name]["timeline"]  # [ms, RSS in KiB, VMAs]
            drop_ms = lines[name]["until_dropped_ns"] / 1e6
            rss[name] = [((ms - drop_ms) / 1e3, kib_now / 1024) for ms, kib_now, _ in rows]
            vmas[name] = [((ms - drop_ms) / 1e3, count) for ms, _, count in rows]
        if rss:
            return charts.timeline(path, f"A spike that is dropped: {case}", "seconds since the drop",
                                   {"RSS, MiB": rss, "VMAs": vmas}, since=-SPIKE_SECONDS_BEFORE)
    return None


def draw_timelines(table, directory):
    """Of the first case of each bench that has them."""
    for bench, cases in table.items():
        for case, lines in cases.items():
            if not any("pause_timeline" in line for line in lines.values()):
                continue
            yield draw_pauses(lines, directory / f"timeline-{bench}.svg", f"Pauses in {bench}, {case}")
            yield draw_mmu(lines, directory / f"mmu-{bench}.svg", f"Minimum mutator utilisation in {bench}, {case}")
            break


def draw_pauses(lines, path, title):
    series = {name: (lines[name]["timeline_seconds"] * 1e6, lines[name]["pause_timeline"])
              for name in present(lines) if "pause_timeline" in lines[name]}
    return charts.pauses(path, title, "pauses", series)


def draw_mmu(lines, path, title):
    panels = {
        title: {name: [(window_us / 1e3, share) for window_us, share in lines[name][field]]
                for name in present(lines) if field in lines[name]}
        for title, field in (("while the world is not stopped", "pause_mmu"),
                             ("outside operations of 20 us and more", "stall_mmu"))
    }
    return charts.shares(path, title, "window", panels)


LIVE_PANELS = {"median pause": "run_pause_p50_ns", "longest pause": "run_pause_max_ns"}


def draw_by_live(table, path):
    """The pauses of the youngold bench by the size of the old data, where nothing else differs."""
    panels = {title: defaultdict(list) for title in LIVE_PANELS}
    by_rest = defaultdict(list)
    for case, lines in table.get("youngold", {}).items():
        by_rest[" ".join(case.split()[1:])].append(lines)
    rest, sizes = max(by_rest.items(), key=lambda item: len(item[1]), default=(None, []))
    for lines in sorted(sizes, key=lambda lines: lines[reference_of(lines)]["live_mib"]):
        for name in present(lines):
            if not lines[name].get("run_pauses"):
                continue
            for title, field in LIVE_PANELS.items():
                panels[title][name].append((int(lines[name]["live_mib"]), lines[name][field] / 1e6))
    if not any(panels.values()) or len(sizes) < 2:
        return None
    return charts.lines(path, f"Pauses by the size of the live heap, youngold {rest}", "MiB", "ms", panels)
