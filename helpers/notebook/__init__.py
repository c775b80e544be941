"""What only a notebook has: figures shown, sliders, key figures saved, and a cell magic.

``%load_ext helpers.notebook`` adds ``%%memory_budget``.
"""

from helpers.notebook.results import save_results
from helpers.notebook.show import as_html, show
from helpers.notebook.widgets import explore

__all__ = ["as_html", "explore", "save_results", "show"]


def load_ipython_extension(shell) -> None:
    """Register ``%%memory_budget``; IPython calls this for ``%load_ext helpers.notebook``."""
    # Only here: it brings IPython's magics along.
    from helpers.notebook.magic import MemoryMagics

    shell.register_magics(MemoryMagics)
