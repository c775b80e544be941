"""The figures. Functions take arrays and an optional `ax`, and return the axes.

Those of the recorded experiments lie with them, in `experiments/`.
"""
