"""What several test files share and is no fixture."""

import hashlib
import importlib.util
import io
import json
import os
import socket
import subprocess
import sys
import tarfile
import threading
import time

import psutil
import pytest

from helpers.distributed.local import free_port
from helpers.settings import PROJECT, environ_with


def descendants() -> set[int]:
    """The live descendants of this process, by number."""
    return {child.pid for child in psutil.Process().children(recursive=True)}


def gone(pid: int, seconds: float = 10) -> bool:
    """Wait until `pid` is no running process; False if it still runs after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def run_cells(*sources: str, client: type | None = None, **options):
    """A new notebook with these code cells, executed in the project's folder."""
    # Only here: child processes that import a test module should not load it.
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell, new_notebook

    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    where = {"metadata": {"path": str(PROJECT)}}
    run = (client or NotebookClient)(
        notebook, kernel_name="python3", timeout=300, resources=where, **options
    )
    run.execute()
    return notebook


def printed(cell) -> str:
    """What a cell of a notebook has printed."""
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def tiny_workshop():
    """The workshop of the profile "tiny", whatever the environment says."""
    from helpers.settings import load_settings
    from helpers.workshop import open_workshop

    return open_workshop(load_settings({"TUTORIAL_PROFILE": "tiny"}))


def race_schedule(folder):
    """Three windows of 8 images over the first 16 of the tiny set, 12 steps in all."""
    from experiments.race.schedule import Schedule
    from helpers.data import index_voc
    from helpers.settings import DATA_FOLDERS
    from helpers.windows import Geometry

    index = index_voc(DATA_FOLDERS["tiny"], "train")
    geometry = Geometry(n_images=16, window=8, stride=4, size=(32, 32), batch_size=4, passes=2)
    return Schedule(index, folder, geometry)


RACE_ROW = {  # what the row of a loader holds that was measured with everything
    "method", "images_per_s", "ratio_to_limit", "loader_images_per_s", "loader_cpu_ms_per_image",
    "peak_mib_over_base", "slope_mib_per_round", "decoded_images", "seconds_to_first_batch",
    "holdout_miou", "shuffle", "repeats",
}  # fmt: skip


def fresh_python(code: str, folder=PROJECT, path=PROJECT) -> str:
    """What a new Python prints that runs `code` in `folder` and finds modules in `path`."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def save_image(path, array_or_image, **options):
    """Save an array or a Pillow image; return its path."""
    import numpy as np
    from PIL import Image

    image = array_or_image
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    image.save(path, **options)
    return path


def palette_mask(path, ids):
    """Save class ids as a palette PNG in VOC's colours; return its path."""
    from PIL import Image

    from helpers.data import voc_palette

    image = Image.fromarray(ids)
    image.putpalette(voc_palette().tobytes())
    return save_image(path, image)


VOC_IDS = ("2007_000032", "2007_000039", "2007_000063")
VOC_PREFIX = "VOCdevkit/VOC2012"
# What is unpacked of the archive below.
VOC_FILES = (
    {f"JPEGImages/{name}.jpg" for name in VOC_IDS}
    | {f"SegmentationClass/{name}.png" for name in VOC_IDS}
    | {f"ImageSets/Segmentation/{split}.txt" for split in ("train", "val", "trainval")}
)


def pack_voc(path, extra=(), leave_out=()):
    """Write a tar like VOC's: three listed images, and things that segmentation does not need.

    Returns its path and its MD5 sum.
    """
    import numpy as np

    noise = np.random.default_rng(0)
    files = {f"{VOC_PREFIX}/JPEGImages/{name}.jpg": noise.bytes(60_000) for name in VOC_IDS}
    files |= {f"{VOC_PREFIX}/SegmentationClass/{name}.png": noise.bytes(900) for name in VOC_IDS}
    files |= {f"{VOC_PREFIX}/JPEGImages/2008_000001.jpg": b"not listed"}
    files |= {"VOCdevkit/notes.txt": b"not below VOC2012"}
    files |= {f"{VOC_PREFIX}/Annotations/2007_000032.xml": b"<not needed/>"}
    for split, names in (("train", VOC_IDS[:2]), ("val", VOC_IDS[2:]), ("trainval", VOC_IDS)):
        text = "".join(f"{name}\n" for name in names)
        files[f"{VOC_PREFIX}/ImageSets/Segmentation/{split}.txt"] = text.encode()
    files |= dict(extra)
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            if name not in leave_out:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return path, hashlib.md5(path.read_bytes()).hexdigest()


def names_below(root):
    """The files in a folder and its folders, as text relative to it."""
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


BOX_SIZE = (32, 32)


def index_of_boxes(folder):
    """22 images with a bright box; rows 0 to 15 are for training, the rest is held out."""
    import numpy as np

    from helpers.data import index_folder

    rng = np.random.default_rng(0)
    for name in ("images", "masks"):
        (folder / name).mkdir()
    for i in range(22):
        image = rng.integers(0, 80, (*BOX_SIZE, 3), dtype=np.uint8)
        mask = np.zeros(BOX_SIZE, np.uint8)
        top, left = rng.integers(0, 16, 2)
        mask[top : top + 16, left : left + 16] = 1
        image[mask == 1] += 120
        mask[0] = 255
        save_image(folder / "images" / f"{i:02}.png", image)
        save_image(folder / "masks" / f"{i:02}.png", mask)
    return index_folder(folder / "images", folder / "masks", ["background", "box"])


def two_convolutions(seed=1):
    """A small network with Dropout, compiled, where what is tested is the training around it."""
    import keras

    from helpers.network import compile_fcn

    initial = keras.initializers.GlorotUniform(seed)
    layers = [
        keras.Input((*BOX_SIZE, 3)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(4, 3, padding="same", kernel_initializer=initial),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(),
        keras.layers.Dropout(0.3),
        keras.layers.Conv2D(2, 3, padding="same", kernel_initializer=initial),
    ]
    return compile_fcn(keras.Sequential(layers, name="two_convolutions"))


def subset_of_boxes(index, augment=None, **changes):
    """Four rounds of six steps over the first 16 boxes: rows 0-10, 2-12, 4-14 and 6-16.

    `changes` are other fields of its geometry.
    """
    from helpers.windows import Geometry, SlidingSubset

    numbers = {"n_images": 16, "window": 10, "stride": 2, "size": BOX_SIZE}
    geometry = Geometry(**numbers | {"batch_size": 4, "passes": 2, "seed": 5} | changes)
    return SlidingSubset(index[: geometry.n_images], geometry, augment)


def rounds_of(folder) -> list[dict]:
    """The rounds that `SaveRounds` has noted in a folder, without what no second run repeats."""
    rounds = json.loads((folder / "history.json").read_text(encoding="utf-8"))["rounds"]
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rounds]


def fit_rounds(model, subset, *callbacks, first=0, **options):
    """`fit` as `SaveRounds` wants it, from round `first` on, but for `options`."""
    usual = {
        "x": subset.from_round(first),
        "initial_epoch": first,
        "steps_per_epoch": subset.steps_per_round,
        "epochs": subset.n_rounds,
    }
    return model.fit(callbacks=[*callbacks], shuffle=False, verbose=0, **usual | options)


def state_of(model):
    """All that a model and its optimizer hold, as arrays; a file does not keep Dropout's seeds."""
    import numpy as np

    return [np.asarray(v) for v in (*model.weights, *model.optimizer.variables)]


def assert_same_state(one, other):
    import numpy as np

    for ours, theirs in zip(state_of(one), state_of(other), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def bar_widths(ax):
    """The widths of all patches of some axes, in the axes' numbers."""
    return [patch.get_width() for patch in ax.patches]


def texts_of(ax):
    """What is written in some axes, ticks and labels of the axes left out."""
    return [text.get_text() for text in ax.texts]


def dots_of(ax):
    """The lines of some axes that are markers."""
    return [line for line in ax.lines if line.get_marker() not in {"None", "", None}]


def yticks_of(ax):
    """The labels of the upward axis, as text."""
    return [label.get_text() for label in ax.get_yticklabels()]


def boxes_of(texts):
    """The pixels of each text, once all is laid out; an annotation's line is left out."""
    from matplotlib.text import Text

    texts = list(texts)
    texts[0].figure.draw_without_rendering()
    return [Text.get_window_extent(text) for text in texts]


def index_of_names(n):
    """An index of `n` images that are not there, 0.jpg to n - 1.jpg, with two classes."""
    from helpers.data import Index

    images, masks = [f"{i}.jpg" for i in range(n)], [f"{i}.png" for i in range(n)]
    return Index.build("images", "masks", ("background", "thing"), images, masks)


def coded_image(row, size):
    """An image and a mask that tell their row.

    The row number is in the first two channels; the columns count up in the third.
    """
    import numpy as np

    image = np.zeros((*size, 3), np.uint8)
    image[..., 0], image[..., 1], image[..., 2] = row % 256, row // 256, np.arange(size[1])
    return image, np.full(size, row % 2, np.uint8)


def rows_of(images):
    """The rows that coded images tell, a list."""
    import numpy as np

    images = np.asarray(images).astype(int)
    return (images[:, 0, 0, 0] + 256 * images[:, 0, 0, 1]).tolist()


class CodedReader:
    """Stands in for `read_block`: gives coded images, so that a batch says which rows it was made
    of. Remembers the rows it read, in `rows`; those read in the main thread also in `at_once`."""

    def __init__(self, fail_on=()):
        self.rows, self.at_once, self.fail_on = [], [], set(fail_on)

    def __call__(self, index, rows, size, images, masks):
        assert images.shape == (len(rows), *size, 3) and masks.shape == (len(rows), *size)
        in_main = threading.current_thread() is threading.main_thread()
        for slot, row in enumerate(rows):
            if row in self.fail_on:
                images[slot] = masks[slot] = 99
                raise OSError(f"{index[row].image} cannot be decoded")
            images[slot], masks[slot] = coded_image(row, size)
            self.rows.append(int(row))
            if in_main:
                self.at_once.append(int(row))


def assert_ring_holds(ring, rows):
    """Each of `rows` lies in its slot of the ring buffer."""
    import numpy as np

    for row in rows:
        slot = row % len(ring.rows)
        image, mask = coded_image(row, ring.size)
        assert ring.rows[slot] == row
        np.testing.assert_array_equal(ring.arrays[0][slot], image)
        np.testing.assert_array_equal(ring.arrays[1][slot], mask)


def decoding_threads():
    """The live threads that decode images."""
    return [t for t in threading.enumerate() if t.name.startswith(("RingBuffer", "read_block"))]


def right_answers(cases):
    """Parameters (check, right answer) of {check: (right answer, wrong answers)}."""
    import pytest

    return [pytest.param(check, right, id=check.__name__) for check, (right, _) in cases.items()]


def mistakes(cases):
    """Parameters (check, wrong answer, words of its hint); a mistake may stand without words."""
    import pytest

    found = []
    for check, (_, wrong_answers) in cases.items():
        for number, wrong in enumerate(wrong_answers):
            answer, words = wrong if isinstance(wrong, tuple) else (wrong, "")
            found.append(pytest.param(check, answer, words, id=f"{check.__name__}-{number}"))
    return found


def checks_of(module):
    """The checks that a module of exercises defines."""
    found = (value for name, value in vars(module).items() if name.startswith("check_"))
    return {check for check in found if check.__module__ == module.__name__}


def assert_accepted(check, answer, capsys):
    assert check(answer) is True
    assert capsys.readouterr().out == "Right!\n"


def assert_turned_down(check, answer, words, capsys):
    assert check(answer) is False
    said = capsys.readouterr().out
    assert said.startswith("Not yet: ") and len(said) > 30
    assert words in said


# For what several processes do together: `make distributed` installs JAX.
NEEDS_JAX = pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="jax is not installed: make distributed-test"
)


def with_jax() -> dict[str, str]:
    """The environment for a tiny run in which Keras is on JAX, which may lie anywhere."""
    path = os.pathsep.join([str(PROJECT), *sys.path])
    return environ_with("tiny") | {"KERAS_BACKEND": "jax", "PYTHONPATH": path}


def two_processes(code: str, *arguments) -> list[subprocess.Popen]:
    """Two processes that run `code` on JAX; its arguments are a number, an address, and these."""
    common = [f"127.0.0.1:{free_port()}", *map(str, arguments)]
    return [
        subprocess.Popen(
            [sys.executable, "-c", code, process, *common],
            cwd=PROJECT, env=with_jax(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for process in "01"
    ]  # fmt: skip


def knock(port: int, seconds: float = 60) -> socket.socket:
    """A connection to whoever listens at `port` of this machine, as soon as somebody does."""
    end = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
