"""Where the memory goes while `SlidingSubset` feeds `fit`. Each run has a process of its own.

Memory is counted over a base: the RSS after a short `fit` on batches of the same shapes, once
freed memory was given back. The peak is the high-water mark of the process, which Linux sets back
at the base. Elsewhere it counts when it has risen since; else the highest sample does (5 ms).

windows: real images, 224×224, a window of ten strides; three rounds, so the next stride is
    decoded during training and two windows change. Files repeat in a large window.
slope: least squares over the RSS at each round's end, without the first ten rounds, in which
    TensorFlow's pool and the C library's arenas grow to their working size.
images: so many pass through one window, in 200 passes each. They are painted, because decoding
    100,000 takes minutes.
constant: what there is beyond the arrays, one kind of work at a time.
"""

import math

from experiments.race import window_child as child
from experiments.race.step_clock import growth
from helpers.memory import measure_peak
from helpers.memory.process import peak_of
from helpers.units import MIB

FACTOR, CONSTANT_MIB, SLOPE_LIMIT = 1.15, 96, 0.5
USUAL_WINDOW_MIB, LEFT_OUT_ROUNDS = 128, 10
IMAGES, IMAGES_WINDOW, IMAGES_PASSES = (1_000, 10_000, 100_000), 500, 200
PARTS = {  # name: work, painted
    "decoding alone": ("decode", False),
    "decoding, and batches taken by a plain loop": ("loop", False),
    "decoding, and fit": ("fit", False),
    "fit with painted images": ("fit", True),
    "train_on_batch with one painted batch": ("step", True),
}


def measure(*case, **more):
    """`child.run` in a fresh process: what it returned, and "peak", in bytes over its base."""
    measured = measure_peak(child.run, *case, base_imports=("helpers.quiet",), **more)
    moments = {label: moment for moment, label in measured.marks}
    sampled = int(measured.rss_bytes[measured.times >= moments["base"]].max())
    found = measured.value
    return found | {
        "peak": peak_of(found["high_water"], found["mark_at_base"], sampled) - found["base"]
    }


def window_of(mib):
    """(window, stride) in images: the smallest window of ten strides with `mib` of uint8."""
    stride = math.ceil(mib * MIB / (10 * 4 * child.SIZE[0] * child.SIZE[1]))
    return 10 * stride, stride


def measure_window(data, mib):
    found = measure("fit", data, *window_of(mib))
    bound = FACTOR * found["arrays"] + CONSTANT_MIB * MIB
    return {
        "window_mib": mib,
        "arrays_mib": _mib(found["arrays"]),
        "peak_mib_over_base": _mib(found["peak"]),
        "bound_mib": _mib(bound),
        "within": found["peak"] <= bound,
        "batches_ahead": found["ahead"],
    }


def measure_slope(data, rounds):
    found = measure("fit", data, *window_of(USUAL_WINDOW_MIB), rounds=rounds, passes=1)
    slope = slope_of(found["rss"][LEFT_OUT_ROUNDS:])
    return {
        "window_mib": USUAL_WINDOW_MIB,
        "rounds": rounds,
        "left_out_rounds": LEFT_OUT_ROUNDS,
        "mib_per_round": slope,
        "mib_per_round_second_half": slope_of(found["rss"][rounds // 2 :]),
        "limit": SLOPE_LIMIT,
        "within": slope <= SLOPE_LIMIT,
        "rss_mib_over_base": [_mib(rss - found["base"]) for rss in found["rss"]],
    }


def slope_of(rss):
    """Growth in MiB a round of the RSS in bytes at the ends of two or more rounds."""
    return round(growth(rss), 4)


def measure_images(data, n_images):
    rounds = n_images // IMAGES_WINDOW
    geometry = IMAGES_WINDOW, IMAGES_WINDOW, rounds, IMAGES_PASSES // rounds
    found = measure("fit", data, *geometry, painted=True)
    return {
        "images": found["decoded"],
        "rounds": rounds,
        "arrays_mib": _mib(found["arrays"]),
        "index_mib": _mib(found["index"], 3),
        "peak_mib_over_base": _mib(found["peak"]),
        "batches_ahead": found["ahead"],
    }


def measure_constant(data):
    """MiB beyond the arrays for each of PARTS, and what the fit's rows are made of."""
    found = {
        part: measure(work, data, *window_of(USUAL_WINDOW_MIB), painted=painted)
        for part, (work, painted) in PARTS.items()
    }
    batch, fit = 4 * child.BATCH * child.SIZE[0] * child.SIZE[1], found["decoding, and fit"]
    parts = {"one batch of uint8, for comparison": batch}
    parts |= {part: found[part]["peak"] - found[part]["arrays"] for part in PARTS}
    parts["fit: batches asked for ahead"] = batch * fit["ahead"]
    parts["fit: so many of them the warm-up had asked for"] = batch * fit["ahead_before"]
    parts["fit: kept by the allocators after close"] = fit["kept"]
    return [{"part": part, "mib": _mib(n_bytes)} for part, n_bytes in parts.items()]


def _mib(n_bytes, digits=1):
    return round(n_bytes / MIB, digits)


def table(report):
    """The report as text."""
    lines = ["window  arrays    peak   bound MiB  batches ahead"]
    for row in report["windows"]:
        lines.append(
            f"{row['window_mib']:6}{row['arrays_mib']:8}{row['peak_mib_over_base']:8}"
            f"{row['bound_mib']:8}  {'within' if row['within'] else 'ABOVE':<6}"
            f"{row['batches_ahead']:6}"
        )
    slope = report["slope"]
    lines.append(
        f"slope: {slope['mib_per_round']} MiB a round over {slope['rounds']} rounds, "
        f"{slope['mib_per_round_second_half']} over their second half"
    )
    for row in report["images"]:
        lines.append(
            f"{row['images']:8,} images: peak {row['peak_mib_over_base']} MiB for arrays of "
            f"{row['arrays_mib']}, index {row['index_mib']}"
        )
    lines += [f"{row['mib']:7} MiB  {row['part']}" for row in report["constant"]]
    return "\n".join(lines)
