"""Who takes part in a training of several processes, and what they tell each other.

The engine is Keras' own: `keras.distribution` on JAX, which talks through gloo between processors
and through NCCL between GPUs. Each process hands `fit` its part of every batch.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from helpers.data.lists import check_share
from helpers.distributed.meeting import meet
from helpers.quiet import keras
from helpers.settings import SEED

WAIT_SECONDS = 45  # for the others to come
# So long a process may be silent before the others give it up. JAX's own 100 s are more patience
# than somebody in front of a terminal has.
HEARTBEAT_SECONDS = 30


@dataclass(frozen=True)
class Group:
    """This process and the number of all; made by `join`. One process alone is a group, too."""

    process: int
    n_processes: int

    def gather(self, array) -> np.ndarray:
        """This array of every process, stacked: (n_processes, ...), the same on each.

        All processes must call it, with arrays of one shape and dtype. It is bytes that travel: JAX
        would make 32 bits of 64.
        """
        array = np.asarray(array)
        if self.n_processes == 1:
            return array[None]
        from jax.experimental import multihost_utils

        packed = np.frombuffer(array.tobytes(), np.uint8)
        found = np.asarray(multihost_utils.process_allgather(packed))
        return np.stack([np.frombuffer(row.tobytes(), array.dtype) for row in found]).reshape(
            self.n_processes, *array.shape
        )

    def refuse_differences(self, what: str, value: bytes) -> None:
        """ValueError if `value` is not the same on all processes; `what` names it."""
        digest = hashlib.sha256(value).digest()[:8]
        found = self.gather(np.frombuffer(digest, np.uint8))
        other = np.flatnonzero((found != found[0]).any(axis=1))
        if len(other):
            raise ValueError(
                f"Process {other[0]} has other {what} than process 0: give all of them the same "
                "data set and the same settings."
            )


def join(address: str, process: int, n_processes: int, wait: int = WAIT_SECONDS) -> Group:
    """Meet the other processes at `address` ("host:port" of process 0), before any computation.

    From then on a `fit` computes every step together with all others, as one step over the parts of
    all, so that all have the same weights. Raises ConnectionError as `meet` does, if nobody answers
    there or not all come, and RuntimeError for another backend than JAX.

    `keras.distribution.initialize` does the same and would wait for five minutes.
    """
    check_share(process, n_processes)
    if n_processes == 1:
        return Group(0, 1)
    if keras.backend.backend() != "jax":
        raise RuntimeError(
            f"Several processes need Keras on JAX, here it is on {keras.backend.backend()}: set "
            "KERAS_BACKEND=jax before Keras is imported."
        )
    meet(address, process, n_processes, wait)
    import jax

    # It would keep SIGTERM to itself, which is how a terminal, SLURM and Kubernetes end a process.
    jax.config.update("jax_enable_preemption_service", False)
    jax.distributed.initialize(
        address,
        n_processes,
        process,
        cluster_detection_method="deactivate",
        initialization_timeout=wait,
        heartbeat_timeout_seconds=HEARTBEAT_SECONDS,
        shutdown_timeout_seconds=HEARTBEAT_SECONDS,
    )
    # First weights without a seed are drawn from Keras' own state: it must be the same for all.
    keras.utils.set_random_seed(SEED)
    # Each process gives its own part of a batch; Keras must not cut it once more.
    distribution = keras.distribution.DataParallel(auto_shard_dataset=False)
    keras.distribution.set_distribution(distribution)
    return Group(process, n_processes)
