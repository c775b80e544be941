# Bigger than RAM: every target installs what it needs into .venv first.
# Another Python for the environment: make lab PYTHON=/path/to/python3.12
# Options for JupyterLab: make lab LAB_OPTIONS=--port=9000
# Processes for a distributed training: make distributed N=2
# A budget for a plan: make plan PLAN_OPTIONS="--budget 4GiB"

.DEFAULT_GOAL := help
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help lab run test torture outputs figures bench race race-monai claims claims-voc voc data \
	check-data plan distributed distributed-install distributed-test clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt tools/make_venv.sh
	@sh tools/make_venv.sh "$(PYTHON)"

data: $(READY)  ## draw the offline data set into data/shapes (once)
	@$(BIN)/python -m tools.draw

lab: data  ## set everything up and open JupyterLab on notebook 01
	@$(BIN)/python -m tools.lab $(LAB_OPTIONS)

run: $(READY)  ## execute the series into build/run, with a table of minutes and peak memory
	@$(BIN)/python -m tools.run_notebooks

test: $(READY)  ## lint, layers, unit tests, and every notebook under nbval on the tiny data
	@$(BIN)/python -m tools.check

torture: $(READY)  ## kill a training 25 times and more of this kind, and run the series on every layout: two hours
	@$(BIN)/python -m pytest -s -m torture tests

outputs: $(READY)  ## run the series in the workshop profile and store its outputs in notebooks/
	@$(BIN)/python -m tools.run_notebooks --store-outputs

figures: $(READY)  ## draw the moving picture of the README anew
	@$(BIN)/python -m tools.figures

bench: data  ## measure every loader against every other, half an hour
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[bench]"
	@$(BIN)/python -m tools.bench

race: data  ## six loaders, turn by turn, a minute of training each: an hour and a half
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[bench]"
	@$(BIN)/python -m tools.race

race-monai: data  ## ours beside PyTorch's and MONAI's loaders, in an environment of its own (6 GB)
	@sh tools/make_monai.sh
	@KERAS_BACKEND=torch build/monai/bin/python -m tools.race --peers

claims: data  ## put the article's schedule to the test on the drawn set, about an hour
	@$(BIN)/python -m tools.claims

claims-voc: $(READY)  ## the same on Pascal VOC 2012 (TUTORIAL_DATA, or the full profile)
	@$(BIN)/python -m tools.claims --voc

check-data: $(READY)  ## look at every file of the data set in TUTORIAL_DATA, and say what is wrong
	@$(BIN)/python -m tools.check_data

plan: $(READY)  ## what a training on TUTORIAL_DATA would take: windows, bytes, minutes
	@$(BIN)/python -m tools.plan $(PLAN_OPTIONS)

distributed-install: $(READY)  ## only install what several processes need: JAX, and Grain
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[distributed]"

distributed: distributed-install  ## train with N processes on this machine (N=2), each with windows of its own
	@$(BIN)/python -m tools.distributed --processes $(or $(N),2)

distributed-test: distributed-install  ## what several processes do, and five kills: some minutes
	@$(BIN)/python -m pytest -s tests/test_distributed.py tests/test_clusters.py tests/helpers/distributed

voc: $(READY)  ## download Pascal VOC 2012 into data/
	@$(BIN)/python -m tools.voc2012

clean:  ## remove what was generated (the drawn data set and .venv stay)
	@rm -rf build .pytest_cache .ruff_cache .hypothesis
