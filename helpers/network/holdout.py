"""The hold-out's scores after every round, where Keras' other callbacks see them.

A module of its own because the lesson writes it out: `keras.metrics.MeanIoU` as a metric of the
training steps costs a fifth of each; here it is computed once a round.
"""

import keras

from helpers.scoring import evaluate, scores


class ScoreHoldout(keras.callbacks.Callback):
    """Writes `val_mean_iou` and `val_pixel_accuracy` of `data` into the logs of each round.

    `data` is a finite data set, see `helpers.scoring.evaluate`. First in the list of callbacks, it
    is seen by all later ones: `SaveRounds`, Keras' `ModelCheckpoint`, `EarlyStopping`, history.

    Notebook 03, "Train, 20 rounds, one window in memory".
    """

    def __init__(self, data):
        super().__init__()
        self.data = data

    def on_epoch_end(self, epoch, logs=None):
        found = scores(evaluate(self.model, self.data))
        logs["val_mean_iou"] = found.mean_iou
        logs["val_pixel_accuracy"] = found.pixel_accuracy
