"""Numbers of bytes are read strictly and written for people."""

import pytest

from helpers.units import MIB, format_bytes, parse_bytes


@pytest.mark.parametrize(
    ("text", "n_bytes"),
    [
        ("512 MiB", 512 * 2**20),
        ("1.5 GiB", 3 * 2**29),
        ("64MB", 64_000_000),
        (" 1 kB ", 1000),
        ("0.1 TB", 10**11),
        (77, 77),
    ],
)
def test_sizes_are_read(text, n_bytes):
    assert parse_bytes(text) == n_bytes


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("512", "no unit"),
        ("512 mib", "did you mean MiB"),
        ("1 Mb", "did you mean MB"),
        ("1 KB", "did you mean kB"),
        ("3 apples", "use one of"),
        ("lots", "number and a unit"),
        ("", "number and a unit"),
        ("1 MiB 2", "number and a unit"),
        (None, "number and a unit"),
        (True, "number and a unit"),
        (1.5, "number and a unit"),
    ],
)
def test_nonsense_sizes_are_refused(text, hint):
    with pytest.raises(ValueError, match=hint):
        parse_bytes(text)


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [
        (0, "0 B"),
        (1023, "1,023 B"),
        (1536, "1.5 KiB"),
        (512 * MIB, "512.0 MiB"),
        (2**30 - 1, "1.00 GiB"),
        (3 * 2**29, "1.50 GiB"),
        (-3 * MIB, "-3.0 MiB"),
        (5000 * 2**40, "5,000.00 TiB"),
    ],
)
def test_sizes_are_written(n_bytes, text):
    assert format_bytes(n_bytes) == text
