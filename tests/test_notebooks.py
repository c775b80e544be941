"""The committed notebooks: in the house style, run top to bottom, outputs of their own source."""

import re
from itertools import pairwise

import nbformat
import pytest

from helpers.notebook.stored import KEY, source_hash
from helpers.settings import PROJECT

PATHS = sorted((PROJECT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
TAG = "nbval-check-output"
HEADINGS = ("**What you'll do**", "**What you'll learn**", "**What you'll need**")
MACHINE_PATH = re.compile(
    r"(?<![\w.])/(?:home|root|work|tmp|Users|private|opt|mnt)/\w|(?<!\w)[A-Z]:\\\\\w"
)
LONGEST_CELL = 20
LARGEST_FILE = 1_000_000


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def anchors(text):
    """The anchors that GitHub and JupyterLab make of a Markdown text's headings."""
    titles = re.findall(r"^#+ +(.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


def test_the_notebooks_are_numbered_without_a_gap():
    assert [int(path.name[:2]) for path in PATHS] == [*range(1, len(PATHS) + 1)]


def test_it_is_a_valid_notebook(notebook):
    nbformat.validate(notebook)


def test_it_opens_with_a_title_and_the_three_headings(notebook):
    first = notebook.cells[0]
    assert first.cell_type == "markdown" and re.match(r"# \d · \w", first.source)
    places = [first.source.find(heading) for heading in HEADINGS]
    assert -1 not in places and places == sorted(places)
    assert re.search(r"About \d+ minutes", first.source)


def test_it_ends_with_its_own_memory(notebook):
    last = notebook.cells[-1]
    assert last.source.rstrip().splitlines()[-1] == "assert_peak_below(workshop.memory_budget)"
    assert re.search(r"own peak.*within its budget of 1\.5 GiB", str(last.outputs))


def test_it_was_run_once_from_top_to_bottom(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_its_outputs_belong_to_its_source(notebook, path):
    stored = notebook.metadata[KEY]
    assert stored["profile"] == "workshop"
    assert stored["source_sha256"] == source_hash(notebook), f"{path.name}: run `make outputs`"


def test_no_cell_ended_in_an_error_and_no_log_line_is_left(notebook):
    assert [output for output in outputs(notebook) if output.output_type == "error"] == []
    stderr = [output.text for output in outputs(notebook) if output.get("name") == "stderr"]
    assert stderr == []


def test_checked_cells_have_been_executed(notebook):
    """nbval compares the output of a cell with this tag, but passes over one never executed."""
    assert not any("NBVAL" in cell.source for cell in code_cells(notebook))
    checked = [cell for cell in code_cells(notebook) if TAG in cell.metadata.get("tags", [])]
    assert len(checked) >= 2
    for cell in checked:
        assert cell.execution_count is not None and cell.outputs


def test_every_figure_has_a_text_alternative(notebook):
    images = [output for output in outputs(notebook) if "image/png" in output.get("data", {})]
    assert len(images) >= 3
    for image in images:
        alt = image.metadata.get("image/png", {}).get("alt", "")
        assert len(alt) >= 20, f"a figure without alt text: {image.data.get('text/plain')}"
    assert all(text.strip() for text in re.findall(r"!\[(.*?)\]\(", prose(notebook)))


def test_links_in_the_prose_resolve(notebook, path):
    links = re.findall(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)", prose(notebook))
    assert links, "a notebook links to its neighbours"
    for link in links:
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), f"{path.name}: {link}"
        if anchor:
            text = target.read_text(encoding="utf-8")
            assert anchor in anchors(text), f"{path.name}: {link}"


def test_it_links_to_the_next_one():
    for this, following in pairwise(PATHS):
        assert f"({following.name})" in this.read_text(encoding="utf-8"), this.name


def test_it_carries_no_machine_path(path):
    found = MACHINE_PATH.search(path.read_text(encoding="utf-8"))
    assert found is None, f"{path.name}: {found}"


def test_it_renders_on_github(path, notebook):
    assert path.stat().st_size < LARGEST_FILE
    assert "widgets" not in notebook.metadata
    kinds = {kind for output in outputs(notebook) for kind in output.get("data", {})}
    assert not any("widget" in kind for kind in kinds)


def test_cells_are_short(notebook, path):
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            n_lines = len(cell.source.splitlines())
            assert n_lines <= LONGEST_CELL, f"{path.name}, cell {number}: {n_lines} lines"


def test_each_exercise_has_a_starter_a_check_and_a_collapsed_solution(notebook):
    exercises = re.findall(r"^### Exercise (\d)", prose(notebook), flags=re.MULTILINE)
    assert exercises == [str(k + 1) for k in range(len(exercises))] and 2 <= len(exercises) <= 3
    cells = code_cells(notebook)
    solutions = [cell for cell in cells if "solution" in cell.metadata.get("tags", [])]
    starters = [cell for cell in cells if "# your turn" in cell.source]
    assert len(solutions) == len(starters) == len(exercises)
    for starter, solution in zip(starters, solutions, strict=True):
        check = re.search(r"^exercises\.(check_\w+)\(", starter.source, flags=re.MULTILINE)
        assert check and f"\nassert exercises.{check[1]}(" in solution.source
        assert solution.metadata["jupyter"]["source_hidden"] is True
        assert "Not yet" in str(starter.outputs) and "Right!" in str(solution.outputs)


def test_an_edited_cell_no_longer_matches_its_hash(notebook):
    before = source_hash(notebook)
    notebook.cells[0].source += "\n\nProse may change."
    assert source_hash(notebook) == before
    code_cells(notebook)[0].source += "\n"
    assert source_hash(notebook) != before
