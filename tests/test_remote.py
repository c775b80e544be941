"""The example of docs/distributed.md: images in object storage, through fsspec."""

import importlib.util
import re
from functools import partial

import numpy as np
import pytest

from helpers.data import Index, index_voc, read_block
from helpers.settings import DATA_FOLDERS, PROJECT
from helpers.windows import Geometry, SlidingSubset

TEXT = (PROJECT / "docs" / "distributed.md").read_text(encoding="utf-8")
NEEDS_FSSPEC = pytest.mark.skipif(
    importlib.util.find_spec("fsspec") is None, reason="fsspec is not installed: make distributed"
)


@NEEDS_FSSPEC
def test_a_window_is_read_through_a_file_system_in_memory():
    import fsspec

    blocks = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    code = next(block for block in blocks if "fsspec" in block)
    example = {}
    exec(code, example)
    files = fsspec.filesystem("memory")
    local = index_voc(DATA_FOLDERS["tiny"], "train")[:12]
    for pair in local:
        files.pipe(f"/bucket/images/{pair.image.name}", pair.image.read_bytes())
        files.pipe(f"/bucket/masks/{pair.mask.name}", pair.mask.read_bytes())
    names = [pair.image.name for pair in local], [pair.mask.name for pair in local]
    remote = Index.build("/bucket/images", "/bucket/masks", local.class_names, *names)
    geometry = Geometry(12, 8, 4, (24, 32), batch_size=4, passes=1, shuffle=False)
    read = partial(example["read_remote"], files=files)
    with SlidingSubset(remote, geometry, read=read) as subset:
        for step in range(len(subset)):
            expected = read_block(local, geometry.batch(step), (24, 32))
            assert all(np.array_equal(*both) for both in zip(subset[step], expected, strict=True))
