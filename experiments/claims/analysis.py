"""What the kept tables of the claims say, as experiments/plan.md fixed it before the runs."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.scoring import scores

LAST_ROUNDS = 10  # the mean of the last ten is reported beside round 20
CHECKPOINT_MARGIN = 0.02
ACCURACIES = {
    "val_accuracy": "accuracy with void as wrong",
    "split_pixel_accuracy": "accuracy without void",
}


def gaps(table: pd.DataFrame, score: str = "mean_iou") -> pd.DataFrame:
    """For each run how much higher a score is on its own splits than on new images.

    `table` has a row for each variant, seed and round. Returns a row for each variant and seed with
    `last_round`, `last_rounds` (the mean of ten), `first_round`, in which nothing has leaked, and
    `leaked_share`, the dose: the mean share of leaked images in the last ten rounds.
    """
    table = table.assign(gap=table[f"split_{score}"] - table[f"holdout_parts_{score}"])
    rows = []
    for who, run in table.groupby(["variant", "seed"], sort=False):
        found = run["gap"]
        rows.append(
            dict(zip(("variant", "seed"), who, strict=True))
            | {
                "first_round": found.iloc[0],
                "last_round": found.iloc[-1],
                "last_rounds": found.iloc[-LAST_ROUNDS:].mean(),
                "leaked_share": run["leaked_share"].iloc[-LAST_ROUNDS:].mean(),
            }
        )
    return pd.DataFrame(rows)


def seen_and_unseen(
    arrays: Mapping[str, np.ndarray], variant: str, seed: int, n_times: int = 1000
) -> dict:
    """Validation images of the same rounds that were trained on before, and that were not.

    `arrays` is the `.npz` beside the table. Rounds from 2 on that have images of both kinds count.
    Returns `accuracy_seen`, `accuracy_unseen` (pixel accuracy of an image without void, mean over
    the images of a round and then over the rounds), `mean_iou_unseen` (pooled matrices) and
    `mean_iou_seen`: as many images of each round as there are unseen ones, drawn `n_times`, mean.
    """
    rounds, seen, matrices = (
        arrays[f"{variant}/{seed}/{name}"] for name in ("round", "seen", "matrices")
    )
    matrices = matrices.astype(np.int64)
    accuracy = np.trace(matrices, axis1=1, axis2=2) / matrices.sum(axis=(1, 2))
    rng, by_round = np.random.default_rng(0), []
    pooled, pooled_unseen = np.zeros((n_times, *matrices.shape[1:]), np.int64), 0
    for number in np.unique(rounds):
        old, new = (np.flatnonzero((rounds == number) & (seen == kind)) for kind in (1, 0))
        if len(old) == 0 or len(new) == 0:
            continue
        by_round.append([accuracy[old].mean(), accuracy[new].mean()])
        pooled_unseen = pooled_unseen + matrices[new].sum(axis=0)
        for k in range(n_times):
            drawn = rng.choice(old, len(new), replace=len(new) > len(old))
            pooled[k] += matrices[drawn].sum(axis=0)
    if not by_round:
        raise ValueError(f"{variant}, seed {seed}: no round has images of both kinds.")
    means = np.mean(by_round, axis=0)
    return {
        "variant": variant,
        "seed": seed,
        "rounds": len(by_round),
        "accuracy_seen": float(means[0]),
        "accuracy_unseen": float(means[1]),
        "mean_iou_seen": float(np.mean([scores(matrix).mean_iou for matrix in pooled])),
        "mean_iou_unseen": scores(pooled_unseen).mean_iou,
    }


def checkpoints(rounds: pd.DataFrame, epochs: pd.DataFrame, variant: str) -> pd.DataFrame:
    """What `ModelCheckpoint` would keep in each run, by each of `ACCURACIES`.

    The kept epoch is the first with the highest accuracy of all rounds. `lost` is how far its
    hold-out mean IoU lies below that of the best round's end.
    """
    rows = []
    best = rounds[rounds["variant"] == variant].groupby("seed")["holdout_mean_iou"].max()
    for seed, run in epochs[epochs["variant"] == variant].groupby("seed"):
        for accuracy in ACCURACIES:
            kept = run.loc[run[accuracy].idxmax()]
            rows.append(
                {
                    "seed": seed,
                    "by": accuracy,
                    "round": int(kept["round"]),
                    "epoch": int(kept["epoch"]),
                    "mean_iou": kept["holdout_mean_iou"],
                    "lost": best[seed] - kept["holdout_mean_iou"],
                }
            )
    return pd.DataFrame(rows)
