"""The committed notebooks: in the house style, run top to bottom, outputs of their own source."""

import re
import symtable
from itertools import pairwise

import nbformat
import pytest
from IPython.core.magic_arguments import parse_argstring

from helpers.notebook.magic import MemoryMagics
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


def in_optional_parts(notebook):
    """For each code cell: is it in a part marked *Optional*, up to the next heading as high?"""
    level, optional, found = 1, None, []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            found.append(optional is not None)
            continue
        for line in cell.source.splitlines():
            if heading := re.match(r"#+(?= )", line):
                level = len(heading[0])
                if optional is not None and level <= optional:
                    optional = None
            elif line.startswith("*Optional"):
                optional = level
    return found


def names_of(cell):
    """The names that a cell needs from the cells before it, or makes; and those that it makes."""
    if budget := re.match(r"%%memory_budget (.*)", cell.source):  # its body has another process
        options = parse_argstring(MemoryMagics.memory_budget, budget[1])
        needed = {name for part in options.variables for name in part.split(",")}
        return needed, {options.name}
    source = re.sub(r"^%.*", "", cell.source, flags=re.MULTILINE)
    top = symtable.symtable(source, "cell", "exec")
    made = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    needed = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    tables = list(top.get_children())
    for table in tables:
        tables.extend(table.get_children())
        needed |= {s.get_name() for s in table.get_symbols() if s.is_global()}
    return needed, made


def names_from_optional_parts(notebook):
    """Names that a cell outside of the optional parts takes from one inside."""
    left_out, there, missing = set(), set(), []
    cells = code_cells(notebook)
    for cell, optional in zip(cells, in_optional_parts(notebook), strict=True):
        needed, made = names_of(cell)
        if optional:
            left_out |= made
            continue
        missing += sorted((needed & left_out) - there - made)
        there |= made
    return missing


def test_optional_parts_can_be_left_out(notebook):
    assert names_from_optional_parts(notebook) == []


def test_a_name_from_an_optional_part_is_noticed():
    cell, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    cells = [
        text("## First"),
        cell("def kept():\n    return later + now"),
        text("## Second\n\n*Optional.*"),
        cell("import extra\nnow, later = 1, 2"),
        text("### Still the second"),
        cell("more = [later for _ in range(3)]"),
        text("## Third"),
        cell("later = 3"),
        cell("%%memory_budget 1 GiB --name ran --with more\nprint(more, extra)"),
        cell("%load_ext helpers.notebook\ndef function(x):\n    return x + now + later\nran"),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    assert in_optional_parts(notebook) == [False, True, True, False, False, False]
    assert names_from_optional_parts(notebook) == ["more", "now"]


def test_an_edited_cell_no_longer_matches_its_hash(notebook):
    before = source_hash(notebook)
    notebook.cells[0].source += "\n\nProse may change."
    assert source_hash(notebook) == before
    code_cells(notebook)[0].source += "\n"
    assert source_hash(notebook) != before
