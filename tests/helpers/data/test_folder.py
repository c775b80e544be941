"""Two folders of one's own: classes, hold-out and groups, as files say it or as is found."""

import numpy as np
import pytest

from helpers.data import VOID, index_data
from helpers.data.check import check_data
from helpers.data.folder import index_own
from tests.layouts import drawn, lay_out
from tests.support import save_image

MASK = np.array([[0, 0, 1, 1]], np.uint8)


@pytest.fixture
def root(tmp_path):
    """Ten images of two pixels rows, masks of 0 and 1."""
    return folder_of(tmp_path / "own", [MASK] * 10)


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def folder_of(root, masks, images=None):
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    for k, mask in enumerate(masks):
        image = np.full((*mask.shape[:2], 3), 10 * k, np.uint8) if images is None else images[k]
        save_image(root / "images" / f"cell_{k}.PNG", image)
        save_image(root / "masks" / f"cell_{k}.png", mask)
    return root


def ids(index):
    return [pair.id for pair in index]


@pytest.mark.parametrize("layout", ["own_grey", "own_palette"])
def test_any_suffix_in_any_case_with_grey_and_with_palette_masks(layout, tmp_path, cache):
    root = lay_out(layout, tmp_path / layout, 8, 4)
    train, holdout, notes = index_data(root, cache)
    assert (len(train), len(holdout), notes) == (8, 4, [])
    assert train.class_names == drawn("train").class_names
    assert {pair.image.suffix for pair in train} == {".png", ".JPG", ".bmp", ".tif"}
    row_of = {pair.id: row for row, pair in enumerate(drawn("train"))}
    for row, pair in enumerate(train):
        assert np.array_equal(train.read(row)[1], drawn("train").read(row_of[pair.id])[1])


# Classes


def test_classes_that_no_file_names_are_those_found_in_the_masks(tmp_path, cache):
    root = folder_of(tmp_path / "own", [MASK, np.array([[0, 3, 255, 0]], np.uint8)])
    train, holdout, notes = index_own(root, cache)
    assert train.class_names == holdout.class_names
    assert train.class_names == ("background", "class 1", "class 2", "class 3")
    assert notes[0].startswith("Classes are the values found in the masks, 0 to 3;")


def test_a_table_says_what_the_masks_hold_for_each_class(tmp_path, cache):
    root = folder_of(tmp_path / "own", [np.array([[0, 255, 255, 7]], np.uint8)] * 2)
    (root / "classes.csv").write_text("﻿Name, Value\nbackground,0\ncell,255\nwall,7\n")
    train, _, notes = index_own(root, cache)
    assert train.class_names == ("background", "cell", "wall")
    assert train.read(0)[1].tolist() == [[0, 1, 1, 2]]
    assert train[0].mask.is_relative_to(cache) and notes[0].startswith("Masks were written anew")


def test_values_with_one_name_are_one_class(tmp_path, cache):
    root = folder_of(tmp_path / "own", [np.array([[0, 1, 2, 255]], np.uint8)] * 2)
    (root / "classes.csv").write_text("name,value\nbackground,0\nanimal,1\nanimal,2\n")
    train, _, _ = index_own(root, cache)
    assert train.class_names == ("background", "animal")
    assert train.read(0)[1].tolist() == [[0, 1, 1, VOID]]


def test_a_range_of_values_is_one_class_and_what_is_called_void_is_none(tmp_path, cache):
    root = folder_of(tmp_path / "own", [np.array([[0, 1, 300, 9]], np.uint16)] * 2)
    (root / "classes.csv").write_text("name,value\nvoid,0\ncell,1\nwall,2 - 9\ncell,10-400\n")
    train, _, _ = index_own(root, cache)
    assert train.class_names == ("cell", "wall")
    assert train.read(0)[1].tolist() == [[VOID, 0, 0, 1]]
    (root / "classes.csv").write_text("name,value\nvoid,0\ncell,1-9\nwall,9\n")
    with pytest.raises(ValueError, match=r"9 stands 2 times in .*classes\.csv"):
        index_own(root, cache)
    (root / "classes.csv").write_text("name,value\nback,0\ncell,1-8\nwall,20\n")
    with pytest.raises(ValueError, match=r"the values 9, 300, and the classes .* 0-8, 20\."):
        index_own(root, cache)


def test_a_colour_that_is_called_void_is_void(tmp_path, cache):
    pixels = np.array([[[0, 0, 0], [64, 128, 0], [224, 224, 192], [9, 9, 9]]], np.uint8)
    root = folder_of(tmp_path / "own", [pixels] * 2)
    table = "name,r,g,b\nvoid,9,9,9\nground,0,0,0\ntree,64,128,0\n"
    (root / "classes.csv").write_text(table)
    train, _, notes = index_own(root, cache)
    assert train.class_names == ("ground", "tree")
    assert train.read(0)[1].tolist() == [[0, 1, VOID, VOID]]
    assert notes[0].startswith("Masks were written anew")
    assert not check_data(root, cache).problems
    (root / "classes.csv").write_text(table.replace("void,9,9,9\n", ""))
    with pytest.raises(ValueError, match=r"cell_\d\.png has the colour \(9, 9, 9\)"):
        index_own(root, cache)[0].read(0)


def test_a_table_of_plain_ids_leaves_the_masks_where_they_are(root, cache):
    (root / "classes.csv").write_text("name,value\nbackground,0\ncell,1\n")
    train, _, _ = index_own(root, cache)
    assert train[0].mask.parent == root / "masks" and train.class_names[1] == "cell"


def test_a_table_of_colours_reads_coloured_masks(tmp_path, cache):
    pixels = np.array([[[0, 0, 0], [64, 128, 0], [224, 224, 192], [0, 0, 0]]], np.uint8)
    root = folder_of(tmp_path / "own", [pixels] * 2)
    with pytest.raises(ValueError, match=r"masks are coloured.*classes\.csv.*name,r,g,b"):
        index_own(root, cache)
    (root / "classes.csv").write_text("name,r,g,b\nbackground,0,0,0\ntree,64,128,0\n")
    train, _, _ = index_own(root, cache)
    assert train.read(0)[1].tolist() == [[0, 1, VOID, 0]]


@pytest.mark.parametrize("names", [None, "background\ncell\n"])
def test_masks_of_0_and_255_are_asked_about_and_never_read_as_void(names, tmp_path, cache):
    root = folder_of(tmp_path / "own", [np.array([[0, 255]], np.uint8)] * 2)
    if names:
        (root / "classes.txt").write_text(names)
    with pytest.raises(ValueError, match=r"255 is the object.*classes\.csv|classes\.csv.*255"):
        index_own(root, cache)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,value\n", "has no lines below its headings"),
        ("class,value\na,0\n", "has no column 'name'; it has: class, value"),
        ("name,id\na,0\nb,1\n", "neither a column value nor the columns r, g and b"),
        ("name,value\na,0\nb,zero\n", "has 'zero' where a number from 0 to 65535 should be"),
        ("name,value\na,0\nb,0\n", r"0 stands 2 times in .*classes\.csv"),
        ("name,value\na,0\nb,9-2\n", "has the range '9-2', which ends before it begins"),
        ("name,r,g,b\na,0,0,0\nb,0,0,256\n", "has '256' where a number from 0 to 255"),
    ],
)
def test_a_table_that_cannot_be_read_is_named(text, message, root, cache):
    (root / "classes.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        index_own(root, cache)


def test_masks_that_number_objects_are_no_classes(tmp_path, cache):
    root = folder_of(tmp_path / "own", [np.array([[0, 900]], np.uint16)] * 2)
    with pytest.raises(ValueError, match=r"values up to 900.*number objects.*object,1-65535"):
        index_own(root, cache)


def test_masks_that_may_number_objects_are_asked_about(tmp_path, cache):
    root = folder_of(tmp_path / "own", [np.arange(k, dtype=np.uint8)[None] for k in (3, 5)])
    with pytest.raises(ValueError, match=r"each mask all numbers from 1 on.*object,1-65535"):
        index_own(root, cache)
    (root / "classes.csv").write_text("name,value\nbackground,0\nobject,1-65535\n")
    assert index_own(root, cache)[0].class_names == ("background", "object")
    (root / "classes.csv").unlink()
    (root / "classes.txt").write_text("".join(f"class {k}\n" for k in range(5)))
    assert index_own(root, cache)[0].n_classes == 5


# Hold-out


def test_without_a_list_a_fifth_is_drawn_by_seed_and_said(root, cache):
    train, holdout, notes = index_own(root, cache, seed=3)
    assert len(holdout) == 2 and sorted(ids(train) + ids(holdout)) == [
        f"cell_{k}" for k in range(10)
    ]
    assert notes[-1] == (
        "The hold-out was drawn, 2 images (images, one by one); val.txt would choose it, "
        "groups.csv would keep together what belongs together."
    )
    assert ids(index_own(root, cache, seed=3)[1]) == ids(holdout)
    assert {tuple(ids(index_own(root, cache, seed)[1])) for seed in range(8)} != {
        tuple(ids(holdout))
    }


def test_groups_stay_together(root, cache):
    lines = "".join(f"cell_{k}.PNG,film {k // 3}\n" for k in range(10))
    (root / "groups.csv").write_text("image,group\n" + lines)
    for seed in range(8):
        train, holdout, notes = index_own(root, cache, seed)
        films = [{int(name[-1]) // 3 for name in ids(index)} for index in (train, holdout)]
        assert not films[0] & films[1] and len(holdout) in (1, 3) and films[0]
        assert "of 4 groups" in notes[-1]


@pytest.mark.parametrize("sizes", [(70, 10, 10, 10), (50, 50), (1, 99)])
def test_a_group_too_large_to_be_held_out_is_not(tmp_path, cache, sizes):
    image = np.zeros((*MASK.shape, 3), np.uint8)
    root = folder_of(tmp_path / "own", [MASK] * 100, [image] * 100)
    group_of = np.repeat(np.arange(len(sizes)), sizes)
    lines = "".join(f"cell_{k},{group}\n" for k, group in enumerate(group_of))
    (root / "groups.csv").write_text("image,group\n" + lines)
    expected = {(70, 10, 10, 10): 20, (50, 50): 50, (1, 99): 1}[sizes]
    for seed in range(4):
        assert len(index_own(root, cache, seed)[1]) == expected


def test_a_list_names_the_hold_out_and_another_may_name_the_rest(root, cache):
    (root / "val.txt").write_text("cell_3\ncell_1.PNG\n")
    train, holdout, notes = index_own(root, cache)
    assert ids(holdout) == ["cell_1", "cell_3"] and len(train) == 8
    assert not any("drawn" in note for note in notes)
    (root / "train.txt").write_text("cell_0\ncell_2\n")
    assert ids(index_own(root, cache)[0]) == ["cell_0", "cell_2"]
    (root / "val.txt").write_text("cell_3\ncell_77\n")
    with pytest.raises(FileNotFoundError, match=r"val\.txt names cell_77, and there is no image"):
        index_own(root, cache)


def test_a_group_on_both_sides_is_a_leak_and_refused(root, cache):
    lines = "".join(f"cell_{k},{'a' if k < 5 else 'b'}\n" for k in range(10))
    (root / "groups.csv").write_text("image,group\n" + lines)
    (root / "val.txt").write_text("cell_8\ncell_9\n")
    with pytest.raises(ValueError, match=r"The group 'b' .* val\.txt and among those for training"):
        index_own(root, cache)
    (root / "val.txt").unlink()
    (root / "groups.csv").write_text("image,group\n" + lines.replace(",b", ",a"))
    with pytest.raises(ValueError, match="has one group: none can be held out"):
        index_own(root, cache)
    (root / "groups.csv").write_text("image,group\ncell_0,a\n")
    with pytest.raises(ValueError, match=r"says nothing of cell_1 \(9 of 10 images"):
        index_own(root, cache)


def test_what_a_list_leaves_out_is_said(root, cache):
    (root / "masks" / "cell_4.png").unlink()
    (root / "val.txt").write_text("cell_3\ncell_4\n")
    with pytest.raises(FileNotFoundError, match=r"cell_4\.PNG has no mask"):
        index_own(root, cache)
    (root / "leave_out.txt").write_text("cell_4\n")
    train, holdout, notes = index_own(root, cache)
    assert ids(holdout) == ["cell_3"] and len(train) == 8
    assert notes[0] == "1 images are left out, those that leave_out.txt names."


# Images


def test_images_of_12_bits_are_scaled_by_the_range_of_all(tmp_path, cache):
    dark = np.tile(np.array([[0, 1000, 2000, 4000]], np.uint16), (50, 1))
    root = folder_of(tmp_path / "own", [np.tile(MASK, (50, 1))] * 3, [dark] * 3)
    train, holdout, notes = index_own(root, cache)
    assert train.levels == holdout.levels == (0, 4000)
    assert train.read(0)[0][0, :, 0].tolist() == [0, 64, 128, 255]
    assert "Images of more than 8 bits are scaled: 0 is black, 4000 white." in notes
