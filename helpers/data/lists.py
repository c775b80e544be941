"""Text files that name images, one on each line."""

from collections import deque


def lines_of(path):
    """The lines of a text file that are not empty, without the space around them: a list."""
    return list(_lines(path))


def share_of_lines(path, process, n_processes):
    """(share, left over) of such a file: the lines of one process, and those of none, two lists.

    Process k of n takes the lines k, k + n, k + 2n and so on, so all shares are equally long, and
    the fewer than n lines at the end that do not make a round are left over. One line of the others
    is in memory at a time, beside the last n: a list of ten million names need not fit. Raises
    ValueError for a process that there is not and for a file with fewer lines than processes.

    Notebook 09, "Every process its share".
    """
    check_share(process, n_processes)
    share, last, count = [], deque(maxlen=n_processes), 0
    for line in _lines(path):
        if count % n_processes == process:
            share.append(line)
        last.append(line)
        count += 1
    if count < n_processes:
        raise ValueError(f"{path} names {count} images, too few for {n_processes} processes.")
    n_left = count % n_processes
    # What is left over began with process 0, so the first processes have taken one line too many.
    return share[:-1] if process < n_left else share, [*last][n_processes - n_left :]


def check_share(process, n_processes):
    """ValueError unless `process` is one of 0 … n_processes - 1."""
    if not 0 <= process < n_processes:
        raise ValueError(
            f"There is no process {process} of {n_processes}: they are 0 to {n_processes - 1}."
        )


def _lines(path):
    # "utf-8-sig" also reads the mark that Windows editors put in front.
    with path.open(encoding="utf-8-sig") as lines:
        for line in lines:
            if stripped := line.strip():
                yield stripped
