"""Lists of names: empty lines and marks of editors, and one process's share of a long one."""

import pytest

from helpers.data import index_voc
from helpers.data.lists import lines_of, share_of_lines
from helpers.memory import measure_peak
from helpers.settings import DATA_FOLDERS
from helpers.units import MIB


def written(folder, n, ending="\n"):
    path = folder / "train.txt"
    path.write_text(ending.join(f"image_{k}" for k in range(n)) + ending, encoding="utf-8")
    return path


def test_lines_are_stripped_and_empty_ones_passed_over(tmp_path):
    path = tmp_path / "train.txt"
    path.write_bytes("\ufeff a \r\n\r\nb\n".encode())
    assert lines_of(path) == ["a", "b"]
    assert share_of_lines(path, 1, 2) == (["b"], [])


@pytest.mark.parametrize(("n", "n_processes"), [(10, 1), (10, 2), (10, 3), (11, 4), (7, 7)])
def test_shares_are_equally_long_and_all_lines_once_with_what_is_left_over(
    n, n_processes, tmp_path
):
    path = written(tmp_path, n)
    found = [share_of_lines(path, process, n_processes) for process in range(n_processes)]
    shares, left_over = [share for share, _ in found], found[0][1]
    assert all(left == left_over for _, left in found)
    assert {len(share) for share in shares} == {n // n_processes}
    assert len(left_over) == n % n_processes
    assert sorted(sum(shares, left_over)) == sorted(lines_of(path))
    assert shares[-1][0] == f"image_{n_processes - 1}"


def test_a_process_that_there_is_not_and_a_short_list_are_named(tmp_path):
    path = written(tmp_path, 3)
    with pytest.raises(ValueError, match="no process 2 of 2: they are 0 to 1"):
        share_of_lines(path, 2, 2)
    with pytest.raises(ValueError, match=r"train\.txt names 3 images, too few for 4"):
        share_of_lines(path, 0, 4)


def test_an_index_of_a_share_is_every_second_pair():
    root = DATA_FOLDERS["tiny"]
    whole, share = index_voc(root, "train"), index_voc(root, "train", share=(1, 2))
    assert [pair.id for pair in share] == [pair.id for pair in whole][1::2][: len(whole) // 2]


def only_count(path, process, n_processes):
    return len(share_of_lines(path, process, n_processes)[0])


@pytest.mark.slow
def test_a_share_of_a_long_list_takes_the_memory_of_the_share(tmp_path):
    path = written(tmp_path, n := 1_000_000)
    whole, share = (
        measure_peak(only_count, path, 0, k, base_imports=("helpers.data.lists",)) for k in (1, 100)
    )
    assert (whole.value, share.value) == (n, n // 100)
    assert whole.increment_bytes > 50 * MIB
    assert share.increment_bytes < whole.increment_bytes / 10
