"""Which data, which size: three profiles and the TUTORIAL_* environment variables.

They are read here and nowhere else; a child process is given a `Settings`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
BUILD = PROJECT / "build"

SEED = 0

# Peak learning rate of Adam: from scratch it may be high, a pre-trained backbone would forget.
LEARNING_RATES = {"small": 3e-3, "mobilenet": 3e-4, "vgg16": 1e-4}
BACKBONES = tuple(LEARNING_RATES)
# A head on a frozen backbone is what is trained where a pre-trained MobileNet is given.
NETWORKS = ("fcn", "head")
HEAD_LEARNING_RATE = 1e-3
HEAD_BATCH = 8
# One training step of VGG16 with 32 images of 224×224 took 3.5 GiB, and of MobileNet 3.0 GiB.
LARGE_BACKBONE_BUDGET = "6 GiB"
VARIABLES = (
    "TUTORIAL_PROFILE",
    "TUTORIAL_DATA",
    "TUTORIAL_WEIGHTS",
    "TUTORIAL_BACKBONE",
    "TUTORIAL_NETWORK",
    "TUTORIAL_VOC_URLS",
)
OLD_NAMES = {"TUTORIAL_BODY": "TUTORIAL_BACKBONE"}


@dataclass(frozen=True)
class Profile:
    """One size of the tutorial. `size` is (height, width); `n_holdout` None means all there is.

    `head_size` is the size for a head on a pre-trained backbone.

    `stride` is the largest stride of the windows, in images; with fewer images it shrinks.
    `memory_budget` is what each notebook's process may use at its peak, with the small backbone.
    """

    stride: int
    size: tuple[int, int]
    batch_size: int
    n_holdout: int | None
    source: str
    memory_budget: str
    head_size: tuple[int, int] = (256, 256)


PROFILES = {
    "tiny": Profile(
        2, (64, 64), 8, n_holdout=20, source="tiny", memory_budget="1.5 GiB", head_size=(64, 64)
    ),
    "workshop": Profile(
        20, (128, 128), 16, n_holdout=200, source="shapes", memory_budget="1.5 GiB"
    ),
    "full": Profile(100, (224, 224), 32, n_holdout=None, source="voc2012", memory_budget="6 GiB"),
}
DATA_FOLDERS = {
    "tiny": PROJECT / "data" / "tiny",
    "shapes": PROJECT / "data" / "shapes",
    "voc2012": PROJECT / "data" / "VOCdevkit" / "VOC2012",
}


@dataclass(frozen=True)
class Settings:
    """What the environment asks for. Nothing is read from disk yet.

    `source` is "tiny", "shapes" or "voc2012" for the folders the tutorial prepares itself, and
    "custom" for a folder of yours (TUTORIAL_DATA). `weights` is None, "imagenet" or a Path.
    """

    profile: str
    data: Path
    source: str
    stride: int
    size: tuple[int, int]
    batch_size: int
    n_holdout: int | None
    memory_budget: str
    backbone: str
    weights: str | Path | None
    network: str = "fcn"
    seed: int = SEED

    @property
    def learning_rate(self) -> float:
        return HEAD_LEARNING_RATE if self.network == "head" else LEARNING_RATES[self.backbone]

    @property
    def stored(self) -> tuple[int, int]:
        """(height, width) of the images in a window: `size`, or larger where crops are cut."""
        if self.network == "fcn":
            return self.size
        return tuple(5 * side // 4 for side in self.size)

    def with_fcn(self) -> "Settings":
        """The same with the FCN and the profile's own size and batch."""
        profile = PROFILES[self.profile]
        return replace(self, network="fcn", size=profile.size, batch_size=profile.batch_size)


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the TUTORIAL_* variables; without any, this is the workshop profile on the drawn set.

    Raises ValueError for a misspelt variable or a value that means nothing, and FileNotFoundError
    for a path that does not exist. Nothing is guessed: an empty value is an error, not a default.
    """
    _refuse_unknown(environ)
    name = _one_of(environ, "TUTORIAL_PROFILE", tuple(PROFILES), default="workshop")
    profile = PROFILES[name]
    data, source = DATA_FOLDERS[profile.source], profile.source
    if "TUTORIAL_DATA" in environ:
        data, source = _existing(environ, "TUTORIAL_DATA"), "custom"
    weights = _weights(environ)
    default_backbone = "mobilenet" if weights else "small"
    backbone = _one_of(environ, "TUTORIAL_BACKBONE", BACKBONES, default=default_backbone)
    if weights and backbone == "small":
        raise ValueError(
            "TUTORIAL_BACKBONE=small has no pre-trained weights, but TUTORIAL_WEIGHTS is set: "
            "unset one of them, or choose TUTORIAL_BACKBONE=mobilenet or vgg16."
        )
    network = _network(environ, backbone, weights)
    size, batch_size = profile.size, profile.batch_size
    if network == "head":
        size, batch_size = profile.head_size, HEAD_BATCH
    return Settings(
        profile=name,
        data=data,
        source=source,
        stride=profile.stride,
        size=size,
        batch_size=batch_size,
        n_holdout=profile.n_holdout,
        memory_budget=profile.memory_budget if backbone == "small" else LARGE_BACKBONE_BUDGET,
        backbone=backbone,
        weights=weights,
        network=network,
    )


def environ_with(profile: str, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """This environment with another profile, for a process that reads its settings itself."""
    if profile not in PROFILES:
        raise ValueError(f"{profile!r} is not a profile; there are: {', '.join(PROFILES)}")
    return {**environ, "TUTORIAL_PROFILE": profile}


def voc_urls(environ: Mapping[str, str] = os.environ) -> list[str] | None:
    """The addresses in TUTORIAL_VOC_URLS, separated by spaces; None if it is not set.

    Raises ValueError if it is empty.
    """
    if "TUTORIAL_VOC_URLS" not in environ:
        return None
    urls = environ["TUTORIAL_VOC_URLS"].split()
    if not urls:
        raise ValueError("TUTORIAL_VOC_URLS is empty: give an address, or unset it")
    return urls


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    for old, new in OLD_NAMES.items():
        if old in environ:
            raise ValueError(f"{old} is now called {new}: set {new}={environ[old]} instead")
    for name in environ:
        if name.startswith("TUTORIAL_") and name not in VARIABLES:
            raise ValueError(f"{name} is not a setting of this tutorial; known: {VARIABLES}")


def _one_of(environ: Mapping[str, str], name: str, choices: tuple[str, ...], default: str) -> str:
    value = environ.get(name, default)
    if value not in choices:
        raise ValueError(f"{name}={value!r} is not one of {', '.join(choices)}")
    return value


def _existing(environ: Mapping[str, str], name: str) -> Path:
    """The path in a variable; a relative one starts at the project folder, not at the notebook."""
    value = environ[name]
    if not value:
        raise ValueError(f"{name} is empty: give a path, or unset it")
    path = (PROJECT / Path(value).expanduser()).resolve()
    if not path.exists():
        raise FileNotFoundError(f"{name}={value}: no such file or folder ({path})")
    return path


def _network(environ: Mapping[str, str], backbone: str, weights: str | Path | None) -> str:
    has_head = backbone == "mobilenet" and weights is not None
    network = _one_of(environ, "TUTORIAL_NETWORK", NETWORKS, "head" if has_head else "fcn")
    if network == "head" and not has_head:
        raise ValueError(
            "TUTORIAL_NETWORK=head is for a pre-trained MobileNet: set TUTORIAL_WEIGHTS, and leave "
            "TUTORIAL_BACKBONE out."
        )
    return network


def _weights(environ: Mapping[str, str]) -> str | Path | None:
    value = environ.get("TUTORIAL_WEIGHTS")
    if value is None or value == "imagenet":
        return value
    return _existing(environ, "TUTORIAL_WEIGHTS")
