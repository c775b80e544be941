"""Notebook 09: rows of a share, the gradient of several parts, the round that all have."""

import numpy as np

from helpers.exercises.judging import NotYetError, check, expect


@check
def check_my_rows(my_rows) -> None:
    """`my_rows(n_images, process, n_processes)` -> rows of one process, equally many for all."""
    for n_images, n in ((12, 3), (13, 3), (29, 4), (5, 5), (7, 1)):
        shares = [[int(row) for row in my_rows(n_images, process, n)] for process in range(n)]
        lengths = sorted({len(share) for share in shares})
        if len(lengths) > 1:
            raise NotYetError(
                f"{n_images} images for {n} processes: the shares have {lengths[0]} to "
                f"{lengths[-1]} rows. The longer ones would wait in vain at their last step."
            )
        rows = sorted(row for share in shares for row in share)
        expect(len({*rows}) == len(rows), f"{n_images} images for {n}: a row is in two shares.")
        expect(
            lengths[0] == n_images // n,
            f"{n_images} images for {n}: each could have {n_images // n} rows, here it is "
            f"{lengths[0]}.",
        )
        expect(
            all(0 <= row < n_images for row in rows),
            f"{n_images} images for {n}: a row is not in the list.",
        )


@check
def check_mean_gradient(mean_gradient) -> None:
    """`mean_gradient(gradients, counts)` -> the gradient of the mean loss over all images."""
    rng = np.random.default_rng(5)
    for counts in ((8, 8), (6, 2), (1, 2, 13)):
        per_image = [rng.normal(size=(count, 3)) for count in counts]
        right = np.concatenate(per_image).mean(axis=0)
        found = np.asarray(mean_gradient([part.mean(axis=0) for part in per_image], [*counts]))
        if np.allclose(found, right):
            continue
        if np.allclose(found, np.mean([part.mean(axis=0) for part in per_image], axis=0)):
            raise NotYetError(
                f"with {' and '.join(map(str, counts))} images every process counts for the same: "
                "an image of a small part pulls harder than one of a large part."
            )
        raise NotYetError(f"with {counts} images it is {found}, and should be {right}.")


@check
def check_round_to_resume(round_to_resume) -> None:
    """`round_to_resume(saved)`: the last round that all have on disk, 0 for none."""
    for saved, right in (
        ([{4, 5}, {4, 5}], 5),
        ([{4, 5}, {5, 6}, {5, 6}], 5),
        ([{1}, set()], 0),
        ([{2, 3}, {1, 2}], 2),
        ([{7, 8}], 8),
    ):
        found = round_to_resume([set(rounds) for rounds in saved])
        words = ", ".join(str(sorted(rounds)) for rounds in saved)
        if found == right:
            continue
        on_all = not found or all(found in rounds for rounds in saved)
        hint = "a later round is on every disk" if on_all else "that round is not on every disk"
        raise NotYetError(f"on disk are {words}: your answer is {found}, and {hint}")
