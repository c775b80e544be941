"""Notebook 07, and 08: whole groups, labels with sides, where tiles begin, weights of classes."""

import numpy as np

from helpers.exercises.judging import NotYetError, check, expect

# Fourteen patients of very different numbers of images, in the order of a folder.
GROUP_SIZES = (30, 3, 12, 7, 1, 22, 9, 4, 16, 5, 11, 2, 8, 10)
SHARE = 0.25


@check
def check_split_by_group(split_by_group) -> None:
    """`split_by_group(groups, share, seed)` -> (train, holdout): row numbers, whole groups."""
    groups = [f"patient {k}" for k, size in enumerate(GROUP_SIZES) for _ in range(size)]
    groups = [str(name) for name in np.random.default_rng(3).permutation(groups)]
    holdouts = set()
    for seed in range(5):
        train, holdout = (list(map(int, part)) for part in split_by_group(groups, SHARE, seed))
        everything = sorted(train + holdout)
        expect(
            everything == [*range(len(groups))],
            f"{len(train)} rows in training and {len(holdout)} held out: each of the "
            f"{len(groups)} rows has to be in one of the two, once.",
        )
        both = {groups[row] for row in train} & {groups[row] for row in holdout}
        if both:
            raise NotYetError(
                f"{len(both)} groups are on both sides, {min(both)} for one. Draw groups, not rows."
            )
        share = len(holdout) / len(groups)
        expect(
            abs(share - SHARE) <= 0.1,
            f"with seed {seed} {share:.2f} of the images are held out, {SHARE} were asked for. "
            "Groups have different sizes: count images.",
        )
        holdouts.add(tuple(sorted(holdout)))
    expect(len(holdouts) > 1, "every seed gives the same split: draw the groups with it.")


@check
def check_mirror_hands(mirror_hands) -> None:
    """`mirror_hands(images, masks)` -> both mirrored, classes 1 (left) and 2 (right) exchanged."""
    masks = np.zeros((2, 4, 6), np.uint8)
    masks[:, 1:3, :2], masks[:, 1:3, 4:], masks[:, 0] = 1, 2, 255
    masks[0, 3, 0] = 3  # a thing without sides
    images = np.arange(masks.size * 3, dtype=np.uint8).reshape(*masks.shape, 3)
    found, ids = map(np.asarray, mirror_hands(images.copy(), masks.copy()))
    expect(np.array_equal(found, images[:, :, ::-1]), "the images are not mirrored left to right.")
    mirrored = masks[:, :, ::-1]
    if np.array_equal(ids, mirrored):
        raise NotYetError(
            "a left hand on the left is now on the right, and still called left. In a mirror it is "
            "a right hand."
        )
    expect(((ids == 255) == (mirrored == 255)).all(), "void has to stay void, and nothing else.")
    expect(((ids == 3) == (mirrored == 3)).all(), "class 3 has no sides: it keeps its number.")
    other = np.where(mirrored == 1, 2, np.where(mirrored == 2, 1, mirrored))
    expect(np.array_equal(ids, other), "left and right have to be exchanged, both of them.")


@check
def check_tile_starts(tile_starts) -> None:
    """`tile_starts(length, tile, overlap)` -> where tiles begin that cover a side."""
    for length, tile, overlap in ((10, 4, 1), (12, 4, 0), (13, 4, 0), (4, 4, 2), (100, 32, 16)):
        asked = f"tile_starts({length}, {tile}, {overlap})"
        found = [int(start) for start in tile_starts(length, tile, overlap)]
        if not found or found[0] != 0 or found != sorted(set(found)):
            raise NotYetError(f"{asked} is {found}: begin with 0 and go on in order.")
        expect(
            found[-1] + tile <= length,
            f"{asked} is {found}: the last tile ends at {found[-1] + tile}, beyond {length}. Move "
            "it back.",
        )
        expect(
            found[-1] + tile == length,
            f"{asked} is {found}: nothing covers the pixels from {found[-1] + tile} on.",
        )
        widest = max(np.diff(found), default=0)
        expect(
            widest <= tile - overlap,
            f"{asked} is {found}: neighbours share {tile - widest} pixels, {overlap} were asked "
            "for.",
        )
        fewest = 1 + -(-(length - tile) // (tile - overlap))
        expect(len(found) == fewest, f"{asked}: {len(found)} tiles; {fewest} are enough.")


@check
def check_class_weights(class_weights) -> None:
    """`class_weights(pixels)` -> weights: all classes equal in sum, a pixel's average is 1."""
    for pixels in ([900, 90, 10], [5, 0, 15], [7, 7]):
        pixels = np.array(pixels)
        with np.errstate(divide="ignore", invalid="ignore"):  # answered below, in words
            weights = np.asarray(class_weights(pixels.copy()), float)
        expect(weights.shape == pixels.shape, f"return {len(pixels)} weights, one for each class.")
        there = pixels > 0
        if not np.isfinite(weights).all() or (weights[~there] != 0).any():
            raise NotYetError("a class without pixels has the weight 0, and not a division by 0.")
        sums = (weights * pixels)[there]
        expect(
            np.allclose(sums, sums[0]),
            f"for {pixels.tolist()} pixels the classes count for {sums.round(2).tolist()} in sum: "
            "make them equal.",
        )
        mean = (weights * pixels).sum() / pixels.sum()
        expect(
            np.isclose(mean, 1),
            f"for {pixels.tolist()} pixels the average weight of a pixel is {mean:.3f}, not 1.",
        )
