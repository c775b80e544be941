"""What is measured on a GPU, here without one: the counts, the precision, the busy share."""

import os
import time

import keras
import numpy as np
import pytest

from experiments.race import gpu
from experiments.race.gpu import (
    BusyShare,
    feed_gpu,
    feed_table,
    gpu_geometry,
    learn,
    peak_gpu_mib,
)
from helpers.workshop import Workshop
from tests.support import tiny_workshop


@pytest.fixture
def workshop():
    return tiny_workshop()


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Small windows and a small network; the precision is put back."""

    def network(n_classes, shape, **options):
        last = keras.layers.Conv2D(n_classes, 1, dtype="float32")
        return keras.Sequential([keras.Input(shape), keras.layers.Rescaling(1 / 255), last])

    monkeypatch.setattr(gpu, "build_fcn", network)
    monkeypatch.setattr(gpu, "WINDOW", 40)
    monkeypatch.setattr(gpu, "STRIDE", 16)
    yield
    keras.config.set_dtype_policy("float32")


def smi(folder, monkeypatch, *lines):
    """A program `nvidia-smi` that prints these lines and waits to be ended."""
    program = folder / "nvidia-smi"
    text = "\n".join(f"echo '{line}'" for line in lines)
    program.write_text(f"#!/bin/sh\n{text}\nexec sleep 60\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_the_busy_share_is_the_mean_of_the_looks(tmp_path, monkeypatch):
    smi(tmp_path, monkeypatch, "40", "[N/A]", "60")
    with BusyShare() as busy:
        # Read without moving the place at which the other process writes: they share it.
        while len(os.pread(busy._log.fileno(), 100, 0).split()) < 3:
            time.sleep(0.01)
    assert busy.mean == pytest.approx(0.5)


def test_without_nvidia_smi_nobody_knows_the_busy_share(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with BusyShare() as busy:
        pass
    assert busy.mean is None


def test_windows_and_strides_are_whole_batches(workshop):
    geometry = gpu_geometry(workshop, n_rounds=3)
    assert (geometry.batch_size, geometry.window, geometry.stride) == (8, 40, 16)
    assert (geometry.n_images, geometry.n_rounds, geometry.size) == (72, 3, workshop.size)


@pytest.mark.slow
def test_every_loader_is_trained_from_in_turns(workshop):
    said = []
    found = feed_gpu(workshop, "mixed_bfloat16", 2, 2, said=said.append)
    assert found["precision"] == "mixed_bfloat16" and len(said) == 2 * len(gpu.FEEDS)
    assert keras.config.dtype_policy().name == "mixed_bfloat16"
    turns = [[run["feed"] for run in found["runs"] if run["turn"] == turn] for turn in (0, 1)]
    assert turns[0] == [*gpu.FEEDS] and turns[1] != turns[0] and set(turns[1]) == set(turns[0])
    decoded = {run["feed"]: run["decoded_images"] for run in found["runs"]}
    # Two windows of 40 that share 24; ten of one pass each over a reshuffled list.
    assert decoded["uint8_batches"] == decoded["sliding_subset"] == 56
    assert decoded["sliding_subset_reshuffled"] == 40 + 9 * 16
    assert decoded["py_dataset_all_cores"] >= 2 * 5 * 40
    for run in found["runs"]:
        assert run["images_per_s"] > 0 and run["steady_images_per_s"] > 0


def test_without_jax_nobody_knows_the_memory_of_the_gpu():
    assert peak_gpu_mib() is None


@pytest.mark.slow
def test_a_network_learns_in_half_of_the_precision(workshop, monkeypatch):
    made = []
    network = Workshop.network

    def remembered(self, **options):
        made.append(network(self, **options))
        return made[-1]

    monkeypatch.setattr(Workshop, "network", remembered)
    found = learn(workshop, "mixed_bfloat16", seed=1)
    assert (found["precision"], found["seed"]) == ("mixed_bfloat16", 1)
    assert 0 < found["mean_iou"] < 1 and np.isfinite(found["seconds"])
    (model,) = made
    assert model.get_layer("score_pool5").compute_dtype == "bfloat16"
    assert model.get_layer("logits").compute_dtype == "float32"


def test_the_table_shows_the_middle_run_and_its_range():
    def run(speed, busy):
        return {"images_per_s": speed, "steady_images_per_s": 2 * speed, "busy_share": busy}

    runs = [run(speed, 0.5) | {"feed": "sliding_subset"} for speed in (1000, 3000, 1200)]
    rows = [
        {"precision": "mixed_bfloat16", "runs": [*runs, run(7, None) | {"feed": "constant_batch"}]}
    ]
    heading, _, ours, limit = feed_table(rows).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in (ours, limit)]
    assert cells[0][:2] == ["bfloat16", "SlidingSubset"]
    assert cells[0][2:] == ["1,200 (1,000 to 3,000)", "2,400 (2,000 to 6,000)", "50 %", "3"]
    assert cells[1][4:] == ["", "1"] and "GPU busy" in heading
