# Bigger than RAM: every target installs what it needs into .venv first.
# Another Python for the environment: make lab PYTHON=/path/to/python3.12

.DEFAULT_GOAL := help
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help lab run test outputs bench claims claims-voc voc data clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt tools/make_venv.sh
	@sh tools/make_venv.sh "$(PYTHON)"

data: $(READY)  ## draw the offline data set into data/shapes (once)
	@$(BIN)/python -m helpers.shapes

lab: data  ## set everything up and open JupyterLab on notebook 01
	@$(BIN)/jupyter lab notebooks/01_the_oom_problem.ipynb

run: $(READY)  ## execute the series into build/run, with a table of minutes and peak memory
	@$(BIN)/python -m tools.run_notebooks

test: $(READY)  ## lint, unit tests, and every notebook under nbval on the tiny data
	@$(BIN)/python -m tools.check

outputs: $(READY)  ## run the series in the workshop profile and store its outputs in notebooks/
	@$(BIN)/python -m tools.run_notebooks --store-outputs

bench: data  ## measure every loader against every other, about ten minutes
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[bench]"
	@$(BIN)/python -m tools.bench

claims: data  ## put the article's schedule to the test on the drawn set, about an hour
	@$(BIN)/python -m tools.claims

claims-voc: $(READY)  ## the same on Pascal VOC 2012 (TUTORIAL_DATA, or the full profile)
	@$(BIN)/python -m tools.claims --voc

voc: $(READY)  ## download Pascal VOC 2012 into data/
	@$(BIN)/python -m helpers.voc2012

clean:  ## remove what was generated (the drawn data set and .venv stay)
	@rm -rf build .pytest_cache .ruff_cache .hypothesis
