"""The index: what it finds, what it costs, and what its errors say."""

import os
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.data import VOC_CLASSES, VOID, Index, index_folder, index_voc, read_block, voc_palette
from helpers.data import index as index_module


def touch(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def test_index_voc_finds_pairs_in_the_order_of_the_list(voc_folder):
    root = voc_folder(4, splits={"train": ["2007_000003", "2007_000001"]})
    index = index_voc(root)
    assert [pair.id for pair in index] == ["2007_000003", "2007_000001"]
    assert index[0].image == root / "JPEGImages" / "2007_000003.jpg"
    assert index[-1].mask == root / "SegmentationClass" / "2007_000001.png"
    assert index.class_names == VOC_CLASSES and index.n_classes == 21
    np.testing.assert_array_equal(index.palette, voc_palette(21))
    assert "2 pairs" in repr(index)


def test_classes_come_from_classes_txt(voc_folder):
    index = index_voc(voc_folder(classes=("background", "disc", "square")), "val")
    assert index.class_names == ("background", "disc", "square")
    assert index.palette.shape == (3, 3)


def test_slices_rows_and_shuffles_are_indexes(voc_folder):
    index = index_voc(voc_folder(6))
    ids = [pair.id for pair in index]
    assert [pair.id for pair in index[2:4]] == ids[2:4]
    assert [pair.id for pair in index[np.array([5, 0, 0])]] == [ids[5], ids[0], ids[0]]
    assert len(index[[]]) == 0
    shuffled = [pair.id for pair in index.shuffled(3)]
    assert sorted(shuffled) == ids and shuffled != ids
    assert shuffled == [pair.id for pair in index.shuffled(3)]
    assert shuffled != [pair.id for pair in index.shuffled(4)]
    with pytest.raises(IndexError):
        index[6]


def test_two_lists_of_one_data_set_are_joined(voc_folder):
    root = voc_folder(4, splits={"train": ["2007_000003"], "val": ["2007_000001", "2007_000002"]})
    train, val = index_voc(root), index_voc(root, "val")
    assert [pair.id for pair in train + val] == ["2007_000003", "2007_000001", "2007_000002"]
    assert (train + val)[2].mask == val[1].mask and not (train + val).images.flags.writeable
    other = Index.build(root, root, train.class_names, ["a.jpg"], ["a.png"])
    with pytest.raises(ValueError, match="have other folders or other classes"):
        train + other


def test_the_index_cannot_be_changed(voc_folder):
    index = index_voc(voc_folder())
    with pytest.raises(AttributeError):
        index.class_names = ()
    for part in (index, index[1:], index[[2, 1]]):
        for names in (part.images, part.masks):
            with pytest.raises(ValueError, match="read-only"):
                names[0] = b"other"


def test_lists_written_on_windows(voc_folder):
    root = voc_folder(2)
    listing = root / "ImageSets" / "Segmentation" / "train.txt"
    listing.write_bytes(b"\xef\xbb\xbf2007_000000\r\n2007_000001 \r\n\r\n")
    assert [pair.id for pair in index_voc(root)] == ["2007_000000", "2007_000001"]


def test_names_outside_ascii(tmp_path):
    images, masks = touch(tmp_path / "i", "Zürich 1.jpg"), touch(tmp_path / "m", "Zürich 1.png")
    pair = index_folder(images, masks, ["background", "road"])[0]
    assert pair.id == "Zürich 1" and pair.image.is_file() and pair.mask.is_file()


@pytest.mark.slow
def test_a_million_pairs_are_cheap(voc_folder, monkeypatch):
    root = voc_folder(1)
    stems = [f"2007_{i:06}" for i in range(1_000_000)]
    (root / "ImageSets" / "Segmentation" / "train.txt").write_text(
        "\n".join(stems), encoding="utf-8"
    )
    present = {stem + suffix for stem in stems for suffix in (".jpg", ".png")}
    monkeypatch.setattr(index_module, "_file_names", lambda folder: present)
    index = index_voc(root)
    assert len(index) == 1_000_000
    assert index.nbytes <= 200 * len(index)
    # The claimed bytes are all there is: arrays that own their memory, no list of objects.
    parts = [value for value in vars(index).values() if isinstance(value, np.ndarray)]
    assert sum(part.nbytes for part in parts) == index.nbytes
    assert all(part.dtype != object for part in parts)
    assert index[765_432].id == "2007_765432"


def test_building_an_index_stays_below_200_bytes_a_pair(voc_folder, monkeypatch):
    n, root = 50_000, voc_folder(1)
    with (root / "ImageSets" / "Segmentation" / "train.txt").open("w", encoding="utf-8") as file:
        file.writelines(f"2007_{i:06}\n" for i in range(n))
    suffixes = {"JPEGImages": ".jpg", "SegmentationClass": ".png"}
    # As the file system gives them: every name a new text.
    monkeypatch.setattr(
        index_module,
        "_file_names",
        lambda folder: (f"2007_{i:06}" + suffixes[folder.name] for i in range(n)),
    )
    tracemalloc.start()
    try:
        assert len(index_voc(root)) == n
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= 200 * n


def test_only_two_folders_are_listed(voc_folder, monkeypatch):
    root, listed = voc_folder(5), []
    names_in = index_module._file_names
    monkeypatch.setattr(
        index_module,
        "_file_names",
        lambda folder: listed.append(folder.name) or names_in(folder),
    )
    index_voc(root)
    assert sorted(listed) == ["JPEGImages", "SegmentationClass"]


@pytest.mark.parametrize("folder", ["JPEGImages", "SegmentationClass"])
def test_a_missing_file_is_named(voc_folder, folder):
    root = voc_folder(3)
    gone = next((root / folder).glob("*000001.*"))
    gone.unlink()
    with pytest.raises(FileNotFoundError, match="take their lines out") as error:
        index_voc(root)
    assert str(gone) in str(error.value) and "train.txt" in str(error.value)


def test_of_several_missing_files_the_first_in_the_list_is_named(voc_folder):
    root = voc_folder(4, splits={"train": [f"2007_00000{i}" for i in (3, 0, 2, 1)]})
    for i in (0, 1, 2):
        (root / "JPEGImages" / f"2007_00000{i}.jpg").unlink()
    # Neither the bare stem nor another suffix is the file.
    touch(root / "JPEGImages", "2007_000000", "2007_000000.png", "2007_000000.jpg.jpg")
    with pytest.raises(FileNotFoundError, match=r"000000.jpg is missing \(3 of the 4 files"):
        index_voc(root)


def test_unknown_split_lists_the_known_ones(voc_folder):
    with pytest.raises(FileNotFoundError, match=r"no split 'test'. There are: train, val"):
        index_voc(voc_folder(), "test")


def test_empty_lists_and_repeated_ids(voc_folder):
    root = voc_folder(2)
    listing = root / "ImageSets" / "Segmentation" / "train.txt"
    listing.write_text("\n\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"train.txt names no images. Write one"):
        index_voc(root)
    listing.write_text("2007_000000\n2007_000001\n2007_000000\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"'2007_000000' stands 2 times in .*train.txt"):
        index_voc(root)


@pytest.mark.parametrize("wrong", ["..", "../..", "JPEGImages"])
def test_a_wrong_root_is_told_the_right_one(voc_folder, wrong):
    root = voc_folder(name="VOCdevkit/VOC2012")
    given = (root / wrong).resolve()
    with pytest.raises(FileNotFoundError) as error:
        index_voc(given)
    assert f"Give {root.resolve()} instead" in str(error.value)


def test_a_root_that_is_no_data_set(tmp_path):
    with pytest.raises(FileNotFoundError, match="Give the folder called VOC2012"):
        index_voc(touch(tmp_path / "empty"))
    with pytest.raises(FileNotFoundError, match="nowhere is not a folder"):
        index_voc(tmp_path / "nowhere")


def test_a_layout_without_lists(voc_folder):
    root = voc_folder()
    shutil.rmtree(root / "ImageSets")
    with pytest.raises(FileNotFoundError, match="holds no lists at all"):
        index_voc(root)


def test_index_folder_matches_by_stem(tmp_path):
    images = touch(tmp_path / "i", "b.JPG", "a.png", "c.v2.jpeg", ".hidden.jpg", "notes.txt")
    masks = touch(tmp_path / "m", "a.png", "b.tif", "c.v2.png", "spare.png")
    index = index_folder(images, masks, ["background", "thing"])
    assert [(p.id, p.image.name, p.mask.name) for p in index] == [
        ("a", "a.png", "a.png"), ("b", "b.JPG", "b.tif"), ("c.v2", "c.v2.jpeg", "c.v2.png"),
    ]  # fmt: skip
    assert [pair.mask.name for pair in index[[1]]] == ["b.tif"]
    assert index.n_classes == 2


def test_a_palette_of_ones_own_reads_coloured_masks(tmp_path):
    images, masks = touch(tmp_path / "i", "a.png"), touch(tmp_path / "m")
    palette = [(0, 0, 255), (10, 20, 30)]
    drawn = np.array([[palette[1], palette[0], (224, 224, 192)]], np.uint8)
    for folder in (images, masks):
        Image.fromarray(drawn).save(folder / "a.png")
    names = ["background", "thing"]
    index = index_folder(images, masks, names, palette=palette)
    for part in (index, index[:1], index.shuffled(0)):
        np.testing.assert_array_equal(part.palette, np.uint8(palette))
        assert part.palette.dtype == np.uint8 and not part.palette.flags.writeable
    assert read_block(index, [0], (1, 3))[1].tolist() == [[[1, 0, VOID]]]
    with pytest.raises(ValueError, match=r"colour \(10, 20, 30\), which is not in the palette"):
        read_block(index_folder(images, masks, names), [0], (1, 3))


def test_what_an_index_is_built_of():
    images, masks = ["Zürich 1.jpg", "b.v2.png"], ["Zürich 1.png", "b.v2.tif"]
    index = Index.build("i", "m", ["background", "thing"], images, masks)
    assert [(p.id, p.image.name, p.mask.name) for p in index] == [
        ("Zürich 1", *(names[0] for names in (images, masks))),
        ("b.v2", *(names[1] for names in (images, masks))),
    ]
    assert index[0].image.parent == Path("i") and index[0].mask.parent == Path("m")
    assert index.images.dtype.kind == index.masks.dtype.kind == "S"
    assert index.class_names == ("background", "thing") and index.palette.shape == (2, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"masks": ["a.png"]}, "2 images and 1 masks do not make pairs"),
        ({"class_names": ["background"]}, "between 2 and 255 class names"),
        ({"palette": [(0, 0, 0)]}, r"shape \(2, 3\)"),
    ],
)
def test_an_index_of_wrong_parts_is_refused(change, message):
    names = ["a.png", "b.png"]
    parts = {"class_names": ["background", "thing"], "images": names, "masks": names}
    assert len(Index.build("i", "m", **parts)) == 2
    with pytest.raises(ValueError, match=message):
        Index.build("i", "m", **(parts | change))


def test_index_folder_errors(tmp_path):
    images, masks = touch(tmp_path / "i", "a.jpg", "b.jpg"), touch(tmp_path / "m", "b.png")
    names = ["background", "thing"]
    with pytest.raises(FileNotFoundError, match=r"a.jpg has no mask in .*add it"):
        index_folder(images, masks, names)
    touch(images, "a.png")
    with pytest.raises(ValueError, match=r"a.png and .*a.jpg have the same stem.*Rename"):
        index_folder(images, masks, names)
    with pytest.raises(ValueError, match="holds no images"):
        index_folder(touch(tmp_path / "none", "x.txt"), masks, names)
    with pytest.raises(FileNotFoundError, match="gone is not a folder"):
        index_folder(tmp_path / "gone", masks, names)


def test_a_reshuffled_list_holds_every_pair_once_a_pass():
    names = [f"{k}.png" for k in range(7)]
    index = Index.build("i", "m", ["background", "thing"], names, names)
    longer = index.reshuffled(16, seed=3)
    ids = [pair.id for pair in longer]
    assert len(ids) == 16 and ids[:7] != ids[7:14]
    assert sorted(ids[:7]) == sorted(ids[7:14]) == [f"{k}" for k in range(7)]
    assert ids == [pair.id for pair in index.reshuffled(16, seed=3)]
    assert ids[:7] != [pair.id for pair in index.reshuffled(7, seed=4)]


@pytest.mark.skipif(not os.environ.get("TUTORIAL_DATA"), reason="TUTORIAL_DATA is not set")
def test_real_data():
    index = index_voc(os.environ["TUTORIAL_DATA"])
    assert len(index) > 0
    assert all(pair.image.is_file() and pair.mask.is_file() for pair in index[:20])
