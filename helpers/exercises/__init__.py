"""The checks of the exercises: each says "Right" or what is still wrong, and returns True or False.

A check never raises for a wrong answer, so a notebook with unsolved exercises runs to its end. The
values are chosen so that the usual mistakes give a different result.
"""

from helpers.exercises.claims import (
    SNIPPETS,
    check_count_leaked,
    check_leaky_snippets,
    check_split_without_leak,
)
from helpers.exercises.data import (
    check_class_weights,
    check_mirror_hands,
    check_split_by_group,
    check_tile_starts,
)
from helpers.exercises.distributed import (
    check_mean_gradient,
    check_my_rows,
    check_round_to_resume,
)
from helpers.exercises.memory import check_bytes_needed, check_stack, check_to_unit_range
from helpers.exercises.network import check_double, check_score_map_sides, check_valid_accuracy
from helpers.exercises.race import (
    LOOP_WITH_COPIES,
    check_geometry_for,
    check_hidden_copies,
    check_repaired_loop,
)
from helpers.exercises.scoring import check_fool_accuracy, check_iou_of_class, check_mean_iou
from helpers.exercises.windows import check_count_rounds, check_largest_window, check_slots_to_fill

__all__ = [
    "LOOP_WITH_COPIES",
    "SNIPPETS",
    "check_bytes_needed",
    "check_class_weights",
    "check_count_leaked",
    "check_count_rounds",
    "check_double",
    "check_fool_accuracy",
    "check_geometry_for",
    "check_hidden_copies",
    "check_iou_of_class",
    "check_largest_window",
    "check_leaky_snippets",
    "check_mean_gradient",
    "check_mean_iou",
    "check_mirror_hands",
    "check_my_rows",
    "check_repaired_loop",
    "check_round_to_resume",
    "check_score_map_sides",
    "check_slots_to_fill",
    "check_split_by_group",
    "check_split_without_leak",
    "check_stack",
    "check_tile_starts",
    "check_to_unit_range",
    "check_valid_accuracy",
]
