"""A download that goes on where it stopped, for pooch, which has none."""

import os
import shutil
from pathlib import Path

import requests
from tqdm.auto import tqdm

from ..units import MIB

CHUNK = 2**14  # bytes; at most this much is lost when a connection breaks
SPARE = 64 * MIB  # bytes of disk left free


class ResumingDownloader:
    """A downloader for pooch that keeps what arrived in `part` and asks for the rest only."""

    def __init__(self, part: Path, timeout: float = 30):
        self.part = part
        self.timeout = timeout

    def __call__(self, url, output_file, pooch=None):
        """Bring `url` to the path `output_file`. After a broken connection, call again."""
        have = self.part.stat().st_size if self.part.exists() else 0
        while not self._append(url):
            # Go on for as long as every connection brings something.
            now = self.part.stat().st_size
            if now <= have:
                raise ConnectionError(f"the connection broke at byte {now:,}")
            have = now
        os.replace(self.part, output_file)

    def _append(self, url):
        """One request; True if the file is now whole."""
        have = self.part.stat().st_size if self.part.exists() else 0
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        with requests.get(url, headers=headers, stream=True, timeout=self.timeout) as response:
            if response.status_code == 416:  # nothing after `have`: it was whole, or is wrong
                if response.headers.get("Content-Range") == f"bytes */{have}":
                    return True
                self.part.unlink()
                return self._append(url)
            response.raise_for_status()
            if response.headers.get("Content-Type", "").startswith("text/html"):
                raise ConnectionError("the server sent a web page instead of the archive")
            if response.status_code != 206:
                have = 0  # the server sends all of it again
            return self._save(response, have)

    def _save(self, response, have):
        length = response.headers.get("Content-Length")
        total = None if length is None else have + int(length)
        if total is not None:
            check_space(self.part.parent, total - have, "the download")
        bar = tqdm(total=total, initial=have, unit="B", unit_scale=True, desc=self.part.stem)
        with bar, self.part.open("ab" if have else "wb") as file:
            try:
                for chunk in response.iter_content(CHUNK):
                    file.write(chunk)
                    bar.update(len(chunk))
            except requests.RequestException:
                return False
        # Without a length, only the checksum can tell.
        return total is None or self.part.stat().st_size == total


def check_space(folder: Path, needed: int, what: str) -> None:
    """Raise OSError if the disk of `folder` has no room for `needed` bytes and a little more."""
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE:
        raise OSError(
            f"{folder}: {what} needs {(needed + SPARE) / MIB:,.0f} MiB on this disk, "
            f"{free / MIB:,.0f} MiB are free"
        )
