"""Settings are parsed strictly, and the article's geometry is scaled to the data."""

import shutil

import pytest

from helpers.settings import DATA_FOLDERS, PROFILES, PROJECT, load_settings
from helpers.subsets import sliding_windows
from helpers.workshop import open_workshop


def test_without_variables_it_is_the_workshop_on_the_drawn_set():
    settings = load_settings({})
    assert (settings.profile, settings.source) == ("workshop", "shapes")
    assert settings.data == DATA_FOLDERS["shapes"]
    assert (settings.body, settings.weights) == ("small", None)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"TUTORIAL_PROFILE": "Tiny"}, "'Tiny' is not one of tiny, workshop, full"),
        ({"TUTORIAL_PROFILE": ""}, "'' is not one of"),
        ({"TUTORIAL_PROFILE": "0"}, "'0' is not one of"),
        ({"TUTORIAL_PROFIL": "tiny"}, "TUTORIAL_PROFIL is not a setting"),
        ({"TUTORIAL_DATA": ""}, "TUTORIAL_DATA is empty"),
        ({"TUTORIAL_BODY": "resnet"}, "'resnet' is not one of small, mobilenet, vgg16"),
        ({"TUTORIAL_BODY": "small", "TUTORIAL_WEIGHTS": "imagenet"}, "no pre-trained weights"),
    ],
)
def test_a_value_that_means_nothing_is_refused(environ, words):
    with pytest.raises(ValueError, match=words):
        load_settings(environ)


@pytest.mark.parametrize("name", ["TUTORIAL_DATA", "TUTORIAL_WEIGHTS"])
def test_a_path_that_is_not_there_is_named(name):
    with pytest.raises(FileNotFoundError, match=f"{name}=no/such/thing"):
        load_settings({name: "no/such/thing"})


def test_a_relative_path_starts_at_the_project(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    settings = load_settings({"TUTORIAL_DATA": "data/tiny"})
    assert settings.data == (PROJECT / "data" / "tiny").resolve()
    assert settings.source == "custom"


def test_a_large_body_has_a_larger_memory_budget():
    assert load_settings({}).memory_budget == "1.5 GiB"
    assert load_settings({"TUTORIAL_BODY": "mobilenet"}).memory_budget == "6 GiB"


def test_weights_choose_a_body_that_has_some():
    assert load_settings({"TUTORIAL_WEIGHTS": "imagenet"}).body == "mobilenet"
    chosen = load_settings({"TUTORIAL_WEIGHTS": "imagenet", "TUTORIAL_BODY": "vgg16"})
    assert (chosen.body, chosen.weights) == ("vgg16", "imagenet")


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_can_be_built_by_the_network(name):
    height, width = PROFILES[name].size
    assert height % 32 == width % 32 == 0


def test_tiny_has_the_articles_geometry_at_a_fiftieth():
    workshop = open_workshop(load_settings({"TUTORIAL_PROFILE": "tiny"}))
    assert (workshop.stride, workshop.window) == (2, 20)
    assert (len(workshop.train), len(workshop.holdout)) == (58, 20)
    windows = sliding_windows(len(workshop.train), workshop.window, workshop.stride)
    assert len(windows) == workshop.n_rounds == 20
    assert windows[-1].stop == 58


def test_holdout_and_windows_share_no_image():
    workshop = open_workshop(load_settings({"TUTORIAL_PROFILE": "tiny"}))
    trained = {pair.id for pair in workshop.train}
    assert trained.isdisjoint(pair.id for pair in workshop.holdout)


def _with_training_images(folder, n):
    shutil.copytree(DATA_FOLDERS["tiny"], folder)
    lists = folder / "ImageSets" / "Segmentation"
    names = (lists / "train.txt").read_text(encoding="utf-8").split()
    (lists / "train.txt").write_text("\n".join(names[:n]) + "\n", encoding="utf-8")
    return {"TUTORIAL_DATA": str(folder)}


def test_the_geometry_shrinks_with_the_data(tmp_path):
    environ = _with_training_images(tmp_path / "own", 59)
    workshop = open_workshop(load_settings(environ | {"TUTORIAL_PROFILE": "full"}))
    assert (workshop.stride, workshop.window) == (2, 20)


def test_every_data_set_trains_in_a_folder_of_its_own(tmp_path):
    environs = [
        {"TUTORIAL_PROFILE": "tiny"},
        {"TUTORIAL_PROFILE": "tiny", "TUTORIAL_BODY": "vgg16"},
    ]
    environs += [_with_training_images(tmp_path / name, 58) for name in ("one", "two")]
    folders = {open_workshop(load_settings(environ)).folder for environ in environs}
    assert len(folders) == 4


def test_too_few_images_is_said(tmp_path):
    environ = _with_training_images(tmp_path / "own", 28)
    with pytest.raises(ValueError, match="28 training images; 20 rounds need at least 29"):
        open_workshop(load_settings(environ))


def test_missing_voc_names_the_command(monkeypatch, tmp_path):
    monkeypatch.setitem(DATA_FOLDERS, "voc2012", PROJECT / "data" / "not-there" / "VOC2012")
    with pytest.raises(FileNotFoundError, match="make voc"):
        open_workshop(load_settings({"TUTORIAL_PROFILE": "full"}))
