"""Settings are parsed strictly."""

import pytest

from helpers.settings import (
    DATA_FOLDERS,
    PROFILES,
    PROJECT,
    environ_with,
    load_settings,
    voc_urls,
)


def test_without_variables_it_is_the_workshop_on_the_drawn_set():
    settings = load_settings({})
    assert (settings.profile, settings.source) == ("workshop", "shapes")
    assert settings.data == DATA_FOLDERS["shapes"]
    assert (settings.backbone, settings.weights) == ("small", None)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"TUTORIAL_PROFILE": "Tiny"}, "'Tiny' is not one of tiny, workshop, full"),
        ({"TUTORIAL_PROFILE": ""}, "'' is not one of"),
        ({"TUTORIAL_PROFILE": "0"}, "'0' is not one of"),
        ({"TUTORIAL_PROFIL": "tiny"}, "TUTORIAL_PROFIL is not a setting"),
        ({"TUTORIAL_DATA": ""}, "TUTORIAL_DATA is empty"),
        ({"TUTORIAL_BACKBONE": "resnet"}, "'resnet' is not one of small, mobilenet, vgg16"),
        ({"TUTORIAL_BACKBONE": "small", "TUTORIAL_WEIGHTS": "imagenet"}, "no pre-trained weights"),
        ({"TUTORIAL_NETWORK": "unet"}, "'unet' is not one of fcn, head"),
        ({"TUTORIAL_NETWORK": "head"}, "is for a pre-trained MobileNet: set TUTORIAL_WEIGHTS"),
    ],
)
def test_a_value_that_means_nothing_is_refused(environ, words):
    with pytest.raises(ValueError, match=words):
        load_settings(environ)


def test_an_old_name_is_an_error_that_gives_the_new_one():
    hint = "TUTORIAL_BODY is now called TUTORIAL_BACKBONE: set TUTORIAL_BACKBONE=vgg16 instead"
    with pytest.raises(ValueError, match=hint):
        load_settings({"TUTORIAL_BODY": "vgg16", "TUTORIAL_BACKBONE": "vgg16"})


@pytest.mark.parametrize("name", ["TUTORIAL_DATA", "TUTORIAL_WEIGHTS"])
def test_a_path_that_is_not_there_is_named(name):
    with pytest.raises(FileNotFoundError, match=f"{name}=no/such/thing"):
        load_settings({name: "no/such/thing"})


def test_a_relative_path_starts_at_the_project(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    settings = load_settings({"TUTORIAL_DATA": "data/tiny"})
    assert settings.data == (PROJECT / "data" / "tiny").resolve()
    assert settings.source == "custom"


def test_a_large_backbone_has_a_larger_memory_budget():
    assert load_settings({}).memory_budget == "1.5 GiB"
    assert load_settings({"TUTORIAL_BACKBONE": "mobilenet"}).memory_budget == "6 GiB"


def test_every_backbone_has_a_learning_rate_of_its_own():
    rates = [
        load_settings({"TUTORIAL_BACKBONE": name}).learning_rate
        for name in ("small", "mobilenet", "vgg16")
    ]
    assert rates == [3e-3, 3e-4, 1e-4]


def test_weights_choose_a_backbone_that_has_some():
    assert load_settings({"TUTORIAL_WEIGHTS": "imagenet"}).backbone == "mobilenet"
    chosen = load_settings({"TUTORIAL_WEIGHTS": "imagenet", "TUTORIAL_BACKBONE": "vgg16"})
    assert (chosen.backbone, chosen.weights) == ("vgg16", "imagenet")


@pytest.mark.parametrize("profile", PROFILES)
def test_pre_trained_weights_choose_a_head_that_crops(profile):
    environ = {"TUTORIAL_PROFILE": profile, "TUTORIAL_WEIGHTS": "imagenet"}
    head = load_settings(environ)
    assert (head.network, head.batch_size, head.learning_rate) == ("head", 8, 1e-3)
    assert all(side % 16 == 0 for side in head.size)
    assert [4 * side for side in head.stored] == [5 * side for side in head.size]
    fcn = load_settings(environ | {"TUTORIAL_NETWORK": "fcn"})
    assert head.with_fcn() == fcn and fcn.stored == fcn.size == PROFILES[profile].size
    assert fcn.with_fcn() == fcn and fcn.learning_rate == 3e-4


def test_a_backbone_without_a_head_keeps_the_fcn():
    chosen = {"TUTORIAL_WEIGHTS": "imagenet", "TUTORIAL_BACKBONE": "vgg16"}
    assert load_settings(chosen).network == load_settings({}).network == "fcn"
    assert load_settings({"TUTORIAL_BACKBONE": "mobilenet"}).network == "fcn"


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_can_be_built_by_the_network(name):
    height, width = PROFILES[name].size
    assert height % 32 == width % 32 == 0


def test_the_addresses_of_voc_are_separated_by_spaces():
    assert voc_urls({}) is None
    assert voc_urls({"TUTORIAL_VOC_URLS": " https://a/x.tar  file:///b "}) == [
        "https://a/x.tar",
        "file:///b",
    ]
    assert load_settings({"TUTORIAL_VOC_URLS": "https://a/x.tar"}).source == "shapes"


@pytest.mark.parametrize("value", ["", "  "])
def test_no_address_at_all_is_refused(value):
    with pytest.raises(ValueError, match="TUTORIAL_VOC_URLS is empty"):
        voc_urls({"TUTORIAL_VOC_URLS": value})


def test_another_profile_for_a_child_keeps_the_rest():
    environ = {"TUTORIAL_PROFILE": "workshop", "PATH": "/bin"}
    assert environ_with("tiny", environ) == {"TUTORIAL_PROFILE": "tiny", "PATH": "/bin"}
    assert environ["TUTORIAL_PROFILE"] == "workshop"
    with pytest.raises(ValueError, match="'small' is not a profile; there are: tiny"):
        environ_with("small")
