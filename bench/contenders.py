"""Who takes part: a binary, and the environment that makes a variant of it.

`make bench-build` makes one binary per workload and plain contender; a variant runs the same binary in a mode
of the collector's own.
"""

from typing import NamedTuple


class Contender(NamedTuple):
    binary: str
    environment: dict = {}
    may_fail: bool = False  # a failure is told, but is no failure of the benches


# In the order of the tables; everyone is compared with the first one that is there.
ALL = {
    "loam": Contender("loam"),  # chooses its mode itself: "auto"
    "loam-stop": Contender("loam", {"GC_MODE": "stop"}),
    "loam-generational": Contender("loam", {"GC_MODE": "generational"}),
    "loam-concurrent": Contender("loam", {"GC_MODE": "concurrent"}),
    "libgc": Contender("libgc"),
    # Without soft-dirty pages libgc protects page by page, and aborts when there are more mappings than the
    # kernel allows (vm.max_map_count).
    "libgc-incremental": Contender("libgc", {"GC_ENABLE_INCREMENTAL": "1", "GC_PAUSE_TIME_TARGET": "5"},
                                   may_fail=True),
    "malloc": Contender("malloc"),
    "mimalloc": Contender("mimalloc"),
}

PLAIN = ["loam", "libgc", "malloc", "mimalloc"]
COLLECTORS = ["loam", "libgc"]
AUTO, STOP = "loam", "loam-stop"  # what no workload may lose by
WITH_MODES = list(ALL)
COLLECTORS_WITH_MODES = [name for name in ALL if ALL[name].binary in COLLECTORS]


def present(lines):
    """The contenders among `lines`, in the order of the tables."""
    return [name for name in ALL if name in lines]
