"""Charts as SVG, drawn by gnuplot: bars, lines, histograms and timelines in one style.

Each function writes one file and returns its path, or None where gnuplot is missing (said once, on stderr).
"""

import math
import shutil
import subprocess
import sys
from pathlib import Path

COLOURS = {
    "loam": "#0b7a75",
    "loam-stop": "#74b8b4",
    "loam-generational": "#2d6cb5",
    "loam-concurrent": "#8a4fbf",
    "libgc": "#d9822b",
    "libgc-incremental": "#b5482a",
    "malloc": "#8a8f98",
    "mimalloc": "#5b6ee1",
}
INK, FAINT = "#333333", "#e3e5e8"

_missing_said = False


def _draw(path, size, body, data):
    """Run gnuplot on `body`, which refers to the named data blocks in `data`."""
    global _missing_said
    if shutil.which("gnuplot") is None:
        if not _missing_said:
            print("gnuplot is missing (package gnuplot-nox): no charts", file=sys.stderr)
            _missing_said = True
        return None
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    blocks = "".join(f"${name} << END\n{text}\nEND\n" for name, text in data.items())
    style = f"""
set terminal svg size {size[0]},{size[1]} dynamic enhanced font 'DejaVu Sans,13' rounded background '#ffffff'
set output '{path}'
set border 3 lc rgb '{INK}' lw 1
set tics nomirror scale 0.5 textcolor rgb '{INK}'
set grid ytics lc rgb '{FAINT}' lw 1 lt 1
set style fill solid 1.0 noborder
set lmargin 9
set tmargin 4.8
set bmargin 3.5
"""
    done = subprocess.run(["gnuplot"], input=blocks + style + body, text=True, capture_output=True)
    if done.returncode != 0:
        print(f"gnuplot could not draw {path}: {done.stderr.strip()}", file=sys.stderr)
        return None
    return path


def _heading(text, names, size):
    """The title and, below it, the legend: both at the left edge, in pixels, whatever the plots below are."""
    width, height = size
    rows = [f"set label 1 {_quoted(text)} at screen {20 / width:.4f},{1 - 24 / height:.4f} left "
            f"font 'DejaVu Sans Bold,15' textcolor rgb '{INK}'"]
    at = 20
    for i, name in enumerate(names):
        x, y = at / width, 1 - 50 / height
        rows.append(f"set object {i + 1} rectangle from screen {x:.4f},{y - 6 / height:.4f} "
                    f"to screen {x + 12 / width:.4f},{y + 6 / height:.4f} fc rgb '{_colour(name)}' fs solid noborder")
        rows.append(f"set label {i + 2} {_quoted(name)} at screen {x + 18 / width:.4f},{y:.4f} left "
                    f"textcolor rgb '{INK}'")
        at += 34 + 7.6 * len(name)
    return "\n".join(rows) + "\nunset key\n"


def _heading_off(names):
    """After the first plot of several, so that the heading is not drawn again and again."""
    return "".join(f"unset label {i + 1}\n" for i in range(len(names) + 1)) + (
        "".join(f"unset object {i + 1}\n" for i in range(len(names))))


def _quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("_", "\\\\_").replace("\n", "\\n") + '"'


def _short(value):
    return f"{value:.0f}" if value >= 99.5 else f"{value:.2g}"


def _colour(series):
    return COLOURS.get(series.split()[0], "#b03a6f")


def bars(path, title, ylabel, groups, series, reference=None):
    """Grouped bars.  groups: names; series: {name: [value or None per group]}; values are written above the bars."""
    names = list(series)
    width = 0.8 / len(names)
    rows, labels = [], []
    for g, group in enumerate(groups):
        for s, name in enumerate(names):
            value = series[name][g]
            if not value:
                continue
            x = g + (s - (len(names) - 1) / 2) * width
            rows.append((name, x, value))
            labels.append(f"{x:.4f} {value:.6g} {_short(value)}")
    if not rows:
        return None
    data = {f"S{s}": "\n".join(f"{x:.4f} {v:.6g}" for n, x, v in rows if n == name) for s, name in enumerate(names)}
    data["LABELS"] = "\n".join(labels)
    # One value far above the rest would flatten everything else.
    top = max(v for _, _, v in rows)
    low = min(v for _, _, v in rows)
    scale = f"set yrange [0:{top * 1.12:g}]\n"
    if top > 12 * low:
        scale = f"set logscale y\nset yrange [{low * 0.6:g}:{top * 1.8:g}]\n"
    ticks = ", ".join(f"{_quoted(group)} {g}" for g, group in enumerate(groups))
    plots = [
        f"$S{s} using 1:2:({width * 0.92:.4f}) with boxes lc rgb '{_colour(name)}'"
        for s, name in enumerate(names) if data[f"S{s}"]
    ]
    plots.append(f"$LABELS using 1:2:3 with labels offset 0,0.6 font 'DejaVu Sans,10' textcolor rgb '{INK}' ")
    if reference is not None:
        plots.append(f"{reference:.6g} with lines lw 1.2 dt (8,6) lc rgb '{INK}'")
    size = (max(640, 150 + 112 * len(groups)), 460)
    body = _heading(title, names, size) + scale + f"""
set ylabel {_quoted(ylabel)} textcolor rgb '{INK}'
set boxwidth {width * 0.92:.4f}
set xrange [-0.6:{len(groups) - 0.4}]
set xtics ({ticks}) scale 0 font 'DejaVu Sans,12'
set bmargin {1.2 + 1.2 * max(group.count(chr(10)) + 1 for group in groups):.1f}
plot {', '.join(plots)}
"""
    return _draw(path, size, body, data)


def lines(path, title, xlabel, ylabel, panels):
    """Log-log curves in panels side by side.  panels: {panel title: {series: [(x, y)]}}."""
    data, plots, highest, lowest = {}, [], 0, float("inf")
    for p, (panel, series) in enumerate(panels.items()):
        curves = []
        for s, (name, points) in enumerate(series.items()):
            data[f"P{p}S{s}"] = "\n".join(f"{x:.6g} {y:.6g}" for x, y in points)
            highest = max([highest] + [y for _, y in points])
            lowest = min([lowest] + [y for _, y in points])
            curves.append(f"$P{p}S{s} using 1:2 with linespoints lw 2.2 pt 7 ps 0.5 lc rgb '{_colour(name)}'")
        plots.append(f"set title {_quoted(panel)} font 'DejaVu Sans,13' textcolor rgb '{INK}'\n"
                     f"plot {', '.join(curves)}\n")
    xs = sorted({x for series in panels.values() for points in series.values() for x, _ in points})
    ticks = ", ".join(f"'{x:g}' {x:g}" for x in xs if x & (x - 1) == 0)
    names = list(dict.fromkeys(name for series in panels.values() for name in series))
    size = (960, 480)
    body = _heading(title, names, size) + f"""
set logscale xy
set grid xtics ytics lc rgb '{FAINT}' lw 1 lt 1
set xtics ({ticks}) font 'DejaVu Sans,11'
set xrange [{xs[0] * 0.85:g}:{xs[-1] * 1.15:g}]
set yrange [{lowest * 0.8:g}:{highest * 1.25:g}]
set xlabel {_quoted(xlabel)} textcolor rgb '{INK}'
set ylabel {_quoted(ylabel)} textcolor rgb '{INK}'
set multiplot layout 1,{len(panels)} margins 0.08,0.98,0.13,0.78 spacing 0.08
{_heading_off(names).join(plots)}
unset multiplot
"""
    return _draw(path, size, body, data)


COUNTS_LINEAR_TO = 200  # taller histograms get a log axis, or their rare long values, which matter most, would vanish


def histogram(path, title, what, series):
    """Distributions of times on a log axis, one panel each.  series: {name: [[low_ns, high_ns, count]]}."""
    series = {name: [row for row in rows if row[2] > 0] for name, rows in series.items()}
    series = {name: rows for name, rows in series.items() if rows}
    if not series:
        return None
    low = min(max(1, row[0]) for rows in series.values() for row in rows)
    high = max(row[1] for rows in series.values() for row in rows)
    data, plots = {}, []
    for s, (name, rows) in enumerate(series.items()):
        merged = _merge_thin(rows, high / low)
        total = sum(count for _, _, count in merged)
        peak = max(count for _, _, count in merged)
        floor = 0 if peak < COUNTS_LINEAR_TO else 0.6
        data[f"S{s}"] = "\n".join(f"{max(1, l)} {h} {c}" for l, h, c in merged)
        summary = f"{name}: {total:,} {what}, longest {duration(rows[-1][1])}"
        plots.append(f"""
{"set ytics 1" if peak <= 8 else "set ytics autofreq"}
set label 40 {_quoted(summary)} at graph 0,1.1 left font 'DejaVu Sans,13' textcolor rgb '{_colour(name)}'
{"set logscale y; set format y '10^{%T}'" if floor else "unset logscale y; set format y '%h'"}
set yrange [{floor}:{peak * (2 if floor else 1.1):g}]
set xtics ({_time_ticks(low, high, labelled=s == len(series) - 1)})
plot $S{s} using (($1+$2)/2):3:1:2:({floor}):3 with boxxyerror lc rgb '{_colour(name)}'
""")
    height = 100 + 150 * len(series)
    size = (860, height)
    body = _heading(title, [], size) + f"""
set logscale x
set xrange [{low * 0.8:g}:{high * 1.25:g}]
set grid xtics ytics lc rgb '{FAINT}' lw 1 lt 1
set ylabel {_quoted(what)} textcolor rgb '{INK}'
set style fill solid 0.85 noborder
set multiplot layout {len(series)},1 \\
  margins 0.10,0.97,{50 / height:.3f},{1 - 80 / height:.3f} spacing 0,{46 / height:.3f}
{_heading_off([]).join(plots)}
unset multiplot
"""
    return _draw(path, size, body, data)


def _merge_thin(rows, span):
    """Pairs of neighbouring buckets become one where the axis spans so much that single ones would be slivers."""
    if span < 1e4:
        return rows
    merged = {}
    for low, high, count in rows:
        step = 2 ** max(0, low.bit_length() - 3)  # four buckets per doubling
        start = low // step * step
        end = max(high, start + step)
        merged[start] = (start, end, merged.get(start, (0, 0, 0))[2] + count)
    return sorted(merged.values())


def timeline(path, title, xlabel, panels, since=0):
    """Curves over time, panels stacked on one time axis.  panels: {ylabel: {series: [(seconds, y)]}}."""
    data, plots = {}, []
    for p, (ylabel, series) in enumerate(panels.items()):
        curves = []
        for s, (name, points) in enumerate(series.items()):
            data[f"P{p}S{s}"] = "\n".join(f"{x:.4f} {y:.6g}" for x, y in points)
            curves.append(f"$P{p}S{s} using 1:2 with lines lw 2.4 lc rgb '{_colour(name)}'")
        last = p == len(panels) - 1
        plots.append(f"""
set ylabel {_quoted(ylabel)} textcolor rgb '{INK}'
set format x {"'%h'" if last else "''"}
{f"set xlabel {_quoted(xlabel)}" if last else "unset xlabel"}
plot {', '.join(curves)}
""")
    names = list(dict.fromkeys(name for series in panels.values() for name in series))
    until = max(x for series in panels.values() for points in series.values() for x, _ in points)
    size = (860, 540)
    body = _heading(title, names, size) + f"""
set yrange [0:*]
set xrange [{since:g}:{until:g}]
set grid xtics ytics lc rgb '{FAINT}' lw 1 lt 1
set multiplot layout {len(panels)},1 margins 0.11,0.97,0.11,0.86 spacing 0,0.06
{_heading_off(names).join(plots)}
unset multiplot
"""
    return _draw(path, size, body, data)


def pauses(path, title, what, series):
    """One mark per pause at the time it began, as high as it was long; a panel per contender, on the same axes.

    series: {name: (run_us, [[start_us, length_us]])}; a panel's grey part is after that contender's end.
    """
    series = {name: (run_us, rows) for name, (run_us, rows) in series.items() if rows}
    if not series:
        return None
    until = max(run_us for run_us, _ in series.values()) * 1e-6
    low = min(length for _, rows in series.values() for _, length in rows if length > 0)
    high = max(length for _, rows in series.values() for _, length in rows)
    data, plots = {}, []
    for s, (name, (run_us, rows)) in enumerate(series.items()):
        marks = _visible(rows, until * 1e6)
        data[f"S{s}"] = "\n".join(f"{start * 1e-6:.5g} {length * 1e3:.4g}" for start, length in marks)
        total_ns, longest_ns = (1e3 * of(length for _, length in rows) for of in (sum, max))
        summary = f"{name}: {len(rows):,} {what}, {duration(total_ns)} in all, longest {duration(longest_ns)}"
        last = s == len(series) - 1
        plots.append(f"""
set label 40 {_quoted(summary)} at graph 0,1.12 left font 'DejaVu Sans,13' textcolor rgb '{_colour(name)}'
set object 40 rectangle from {run_us * 1e-6:g},graph 0 to graph 1,graph 1 behind fc rgb '{FAINT}' fs solid noborder
set format x {"'%g'" if last else "''"}
{"set xlabel 'seconds'" if last else "unset xlabel"}
plot $S{s} using 1:2 with impulses lw 1.3 lc rgb '{_colour(name)}', \
     $S{s} using 1:2 with points pt 7 ps 0.25 lc rgb '{_colour(name)}'
""")
    height = 110 + 110 * len(series)
    body = _heading(title, [], (860, height)) + f"""
set logscale y
set yrange [{low * 1e3 * 0.6:g}:{high * 1e3 * 1.6:g}]
set ytics ({_time_ticks(low * 600, high * 1600, labelled=True, steps=(1,) if high > 1000 * low else (1, 3))})
set xrange [0:{until:g}]
set grid xtics ytics lc rgb '{FAINT}' lw 1 lt 1
set multiplot layout {len(series)},1 \
  margins 0.10,0.97,{56 / height:.3f},{1 - 76 / height:.3f} spacing 0,{36 / height:.3f}
{_heading_off([]).join(plots)}
unset multiplot
"""
    return _draw(path, (860, height), body, data)


def _visible(rows, until_us, columns=1600, steps_per_doubling=8):
    """Without the marks that would lie under others of the same height."""
    kept = {}
    for start, length in rows:
        height = int(steps_per_doubling * math.log2(max(length, 0.1)))
        kept.setdefault((int(start / until_us * columns), height), (start, length))
    return sorted(kept.values())


def shares(path, title, xlabel, panels):
    """Percentages against a time on a log axis, in panels side by side.  panels: {title: {series: [(ms, share)]}}."""
    panels = {panel: series for panel, series in panels.items() if series}
    if not panels:
        return None
    data, plots = {}, []
    for p, (panel, series) in enumerate(panels.items()):
        curves = []
        for s, (name, points) in enumerate(series.items()):
            data[f"P{p}S{s}"] = "\n".join(f"{x:.6g} {100 * y:.4g}" for x, y in points)
            curves.append(f"$P{p}S{s} using 1:2 with lines lw 2.4 lc rgb '{_colour(name)}'")
        plots.append(f"set title {_quoted(panel)} font 'DejaVu Sans,13' textcolor rgb '{INK}'\n"
                     f"plot {', '.join(curves)}\n")
    xs = [x for series in panels.values() for points in series.values() for x, _ in points]
    names = list(dict.fromkeys(name for series in panels.values() for name in series))
    size = (960, 480)
    body = _heading(title, names, size) + f"""
set logscale x
set grid xtics ytics lc rgb '{FAINT}' lw 1 lt 1
set xtics ({_time_ticks(min(xs) * 1e6, max(xs) * 1e6, labelled=True, unit_ns=1e6)})
set xrange [{min(xs):g}:{max(xs):g}]
set yrange [0:102]
set ytics 20
set xlabel {_quoted(xlabel)} textcolor rgb '{INK}'
set ylabel 'percent of the window' textcolor rgb '{INK}'
set multiplot layout 1,{len(panels)} margins 0.08,0.98,0.13,0.78 spacing 0.08
{_heading_off(names).join(plots)}
unset multiplot
"""
    return _draw(path, size, body, data)


def duration(ns):
    """12.3 ns, 4.56 us, 789 ms, 1.23 s."""
    for limit, unit in ((1e3, "ns"), (1e6, "us"), (1e9, "ms")):
        if ns < limit:
            return f"{ns / (limit / 1e3):.3g} {unit}" if ns < limit * 0.9995 else f"1 {_next_unit(unit)}"
    return f"{ns / 1e9:.3g} s"


def _next_unit(unit):
    return {"ns": "us", "us": "ms", "ms": "s"}[unit]


def _time_ticks(low, high, labelled, unit_ns=1, steps=(1,)):
    """Ticks at `steps` times each power of ten between `low` and `high` nanoseconds, on an axis in `unit_ns`."""
    ticks, decade = [], 1
    while decade <= high * 1.25:
        for value in (step * decade for step in steps):
            if low * 0.8 <= value <= high * 1.25:
                ticks.append(f"'{duration(value) if labelled else ''}' {value / unit_ns:g}")
        decade *= 10
    return ", ".join(ticks)
