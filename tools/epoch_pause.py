"""`python -m tools.epoch_pause`: what `fit` loses between epochs here, with this TensorFlow.

One constant batch, so there is nothing to wait for: once by epochs, once through one iterator.
"""

import argparse

from experiments.race.epoch_pause import Same, gaps


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=40, metavar="N", help="of an epoch")
    parser.add_argument("--epochs", type=int, default=8, metavar="N")
    chosen = parser.parse_args(arguments)
    for words, data in (("by epochs", Same(chosen.steps)), ("one iterator", Same())):
        step, between = gaps(data, chosen.steps, chosen.epochs)
        numbers = " ".join(f"{gap:.0f}" for gap in between)
        print(f"{words:<13} a step {step:.0f} ms; from one epoch to the next {numbers} ms")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
