"""What Loam promises, and whether these medians show it; cases that were not run are left out."""

from typing import NamedTuple

from contenders import AUTO, STOP
from report import metric_ns, slowdowns


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
    yield from local_write_targets(table)
    yield from scattered_write_targets(table)
    yield from minor_targets(table)
    yield from finalizer_targets(table)
    yield from registered_targets(table)
    yield from ephemeron_targets(table)
    yield from mode_targets(table)


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
                yield Target(f"graphmark {case}: ns per object / random load",
                             metric_ns("graphmark", lines["loam"]) / floor, 2.5, at_least=False)
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
            yield Target("tinyserver: % of the time in the collector", lines["loam"]["gc_share_percent"], 2,
                         at_least=False)
    for case, lines in table.get("spike", {}).items():
        if "loam" in lines:
            yield Target(f"spike {case}: MiB of RSS at the end", lines["loam"]["rss_mib_at_end"], 100, at_least=False)
            yield Target(f"spike {case}: most VMAs", lines["loam"]["vmas_max"], 100, at_least=False)


# 200 MiB to 1 GiB live, and what is written is close together.
LOCAL_WRITES = [
    ("latency", "live=512MiB writes=local"),
    ("ring", "window=200000 bytes=1024 pointers=0"),
    ("ring", "window=200000 bytes=1024 pointers=1"),
    ("ring", "window=4000000 bytes=16-64 pointers=0"),
    ("youngold", "live=256MiB old=records writes=10/1000"),
    ("youngold", "live=512MiB old=table writes=1/1000"),
    ("youngold", "live=1024MiB old=records writes=10/1000"),
]


def local_write_targets(table):
    for bench, case in LOCAL_WRITES:
        lines = table.get(bench, {}).get(case, {})
        if AUTO not in lines:
            continue
        name = f"{bench} {case}: "
        loam = lines[AUTO]
        yield Target(name + "pauses p99.9, ms", loam["run_pause_p999_ns"] / 1e6, 1, at_least=False)
        yield Target(name + "longest pause, ms", loam["run_pause_max_ns"] / 1e6, 2, at_least=False)
        yield Target(name + "operations p99.9, ms", loam["p999_ns"] / 1e6, 1, at_least=False)
        if STOP in lines:
            yield Target(name + "time / loam-stop's", loam["seconds"] / lines[STOP]["seconds"], 1.2, at_least=False)
        for other in ("libgc", "libgc-incremental"):
            if other in lines:
                yield Target(name + f"{other}'s time / Loam's", lines[other]["seconds"] / loam["seconds"], 3)


def scattered_write_targets(table):
    for case, lines in table.get("replace", {}).items():
        if AUTO in lines:
            yield Target(f"replace {case}: longest pause, ms", lines[AUTO]["run_pause_max_ns"] / 1e6, 5, at_least=False)


def minor_targets(table):
    for case, lines in table.get("youngold", {}).items():
        live_mib = lines[AUTO]["live_mib"] if AUTO in lines else 0
        local = "anywhere" not in case
        if local and live_mib in (1024, 4096):
            # Most pauses are minor ones, so nine of ten speak of them.
            yield Target(f"youngold {case}: pauses p90, ms", lines[AUTO]["run_pause_p90_ns"] / 1e6,
                         1 if live_mib == 1024 else 2, at_least=False)
        if local and live_mib >= 256 and STOP in lines:
            collector = lines[AUTO]["collector_seconds"]
            yield Target(f"youngold {case}: loam-stop's collector time / Loam's",
                         lines[STOP]["collector_seconds"] / collector if collector else float("inf"), 3)


def finalizer_targets(table):
    for case in table.get("finalizers", {}):
        if (value := against(table, "finalizers", case, "libgc", "cpu_seconds")) is not None:
            yield Target(f"finalizers {case}: libgc's CPU time / Loam's", value, 3)


def registered_targets(table):
    """Most pauses are minor ones, so nine of ten speak of them."""
    cases = table.get("registered", {})
    for case, lines in cases.items():
        without = cases.get(case.replace("registered=1", "registered=0"), {})
        if "registered=1" in case and "loam-generational" in lines and "loam-generational" in without:
            ratio = (lines["loam-generational"]["run_pause_p90_ns"] /
                     without["loam-generational"]["run_pause_p90_ns"])
            yield Target(f"registered {case}: pauses p90 / those without", ratio, 1.05, at_least=False)


def ephemeron_targets(table):
    """That time is linear shows where caches are left out: by what following the chain costs the program."""
    cases = table.get("ephemerons", {})
    for case, lines in cases.items():
        order, length = case.split(" length=")
        longer = cases.get(f"{order} length={10 * int(length)}", {}).get("loam")
        if longer and "loam" in lines:
            growth = [longer[field] / lines["loam"][field] for field in ("ns_per_op", "follow_ns_per_op")]
            yield Target(f"ephemerons {order}, chain ten times as long: time per key / that of following",
                         growth[0] / max(growth[1], 1), 1.2, at_least=False)


def mode_targets(table):
    found = slowdowns(table)
    if found:
        bench, case, times = max(found, key=lambda row: row[2])
        yield Target(f"worst of {len(found)} cases, {bench} {case}: time / loam-stop's", times, 1.05, at_least=False)


def print_targets(table, quick):
    found = list(targets(table))
    if not found:
        return
    print("\nTargets" + (" (set for the full parameters: --quick only hints at them)" if quick else ""))
    for target in found:
        sign = ">=" if target.at_least else "<="
        verdict = "met" if target.met() else "MISSED"
        print(f"  {target.text:84} {target.value:8.3g}  {sign} {target.bound:<6.3g} {verdict}")
