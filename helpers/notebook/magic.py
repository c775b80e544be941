"""The ``%%memory_budget`` cell magic."""

import keyword
import sys

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from helpers.memory.budget import BudgetResult, run_under_budget
from helpers.memory.record import ChildError
from helpers.notebook.show import show
from helpers.plots.memory import memory_timeline, refused_request
from helpers.units import format_bytes


class MagicLineError(ValueError):
    """The line of the magic makes no sense. (nbval lets IPython's own UsageError pass.)"""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@magics_class
class MemoryMagics(Magics):
    """Cells that run in a child process with little memory."""

    @magic_arguments()
    @argument("budget", nargs="+", help="memory the cell may add, such as 512 MiB")
    @argument("--name", default="result", help="variable that gets the BudgetResult")
    @argument("--with", dest="variables", nargs="+", default=[], help="a,b: variables to pass")
    @argument("--imports", nargs="+", default=["numpy"], help="done before the budget counts")
    @argument("--watch", action="store_true", help="watch the memory instead of limiting it")
    @cell_magic
    def memory_budget(self, line: str, cell: str) -> None:
        """Run the cell in a fresh Python process that may add only so much memory.

        %%memory_budget 512 MiB [--name result] [--with a,b] [--imports numpy] [--watch]

        The cell knows nothing of the notebook but the variables named by --with. Its output is
        shown as it comes, then what became of it, its peak and its timeline. A MemoryError is a
        result; any other error is an error of this cell too.
        """
        try:
            options = parse_argstring(self.memory_budget, line)
            if not options.name.isidentifier() or keyword.iskeyword(options.name):
                raise ValueError(f"--name {options.name}: not the name of a variable.")
            result = run_under_budget(
                cell,
                " ".join(options.budget),
                self._variables(_split(options.variables)),
                watch=options.watch,
                base_imports=tuple(_split(options.imports)),
                stream=sys.stdout.write,
            )
        except (UsageError, ValueError) as error:
            raise MagicLineError(f"%%memory_budget {line}: {error}") from None
        self.shell.user_ns[options.name] = result
        if result.outcome == "error":
            where = f" (line {result.line} of the cell)" if result.line else ""
            raise ChildError(f"{result.traceback}\nThe cell failed: {result.message}{where}")
        show_result(result)

    def _variables(self, names: list[str]) -> dict:
        missing = [name for name in names if name not in self.shell.user_ns]
        if missing:
            raise ValueError(f"--with {', '.join(missing)}: no such variable in this notebook.")
        return {name: self.shell.user_ns[name] for name in names}


def show_result(result: BudgetResult) -> None:
    """Display outcome, error text and timeline of ``result`` in a notebook."""
    if result.output and not result.output.endswith("\n"):
        print()  # the code ended in the middle of a line; the outcome starts a new one
    print(result)
    if result.message:
        print(result.message)
    asked = result.asked_bytes
    if asked is not None and asked > result.budget_bytes:  # a timeline of it would be empty
        show(
            refused_request(asked, result.budget_bytes, result.increment_bytes),
            f"Asked for at once: {format_bytes(asked)}; the budget: "
            f"{format_bytes(result.budget_bytes)}; held until then: "
            f"{format_bytes(result.increment_bytes)}.",
        )
        return
    if not result.times.size:
        return
    ax = memory_timeline(
        result.times,
        result.rss_bytes,
        budget_bytes=result.budget_bytes,
        base_bytes=result.base_bytes,
        peak_bytes=result.peak_bytes,
        marks=result.marks,
    )
    show(
        ax,
        f"Timeline of the memory the cell added over {result.times[-1]:.1f} seconds: "
        f"peak {format_bytes(result.increment_bytes)}, "
        f"budget {format_bytes(result.budget_bytes)}, outcome {result.outcome}.",
    )


def _split(words: list[str]) -> list[str]:
    return [name for name in " ".join(words).replace(",", " ").split() if name]
