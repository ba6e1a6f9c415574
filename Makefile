# Each target does its own set-up. `make help` lists them.
PYTHON = .venv/bin/python
INPUTS = pyproject.toml constraints.txt .ci/setup
PYTEST = $(PYTHON) -m pytest

.DEFAULT_GOAL := help
.PHONY: help demo test check lint format test-desktop soak crash-test bench bench-gpu embedded-model embedded-score eval-env clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

.venv/.run: $(INPUTS)
	@.ci/setup
	@touch $@

.venv/.dev: $(INPUTS)
	@.ci/setup dev
	@touch $@ .venv/.run

demo: .venv/.run  ## play the demonstration meeting through the whole pipeline
	@$(PYTHON) -m ui.cli demo

test: .venv/.dev  ## all tests that need no sound card, screen, GPU or network
	@$(PYTEST) -m "not desktop and not soak"

lint: .venv/.dev  ## formatting, style, types, import rules
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports

check: lint test  ## everything a change must pass

format: .venv/.dev  ## rewrite the sources in the project's format
	@$(PYTHON) -m ruff format .
	@$(PYTHON) -m ruff check --fix .

test-desktop: .venv/.dev  ## the tests on a real sound server and a real X screen; installs and starts both
	@.ci/setup packages ffmpeg pulseaudio pulseaudio-utils libasound2-plugins alsa-utils xvfb openbox picom xdotool imagemagick x11-utils x11-xserver-utils
	@$(PYTEST) -m desktop

soak: .venv/.dev  ## an hour of sound through the embedded model; takes many minutes
	@$(PYTEST) -m soak --timeout 7200 -s

KILLS = 200
crash-test: .venv/.dev  ## kill the program and its model process KILLS times each, and see what is left
	@$(PYTHON) tests/crash/run.py --kills $(KILLS)

embedded-model: .venv/.dev  ## train the embedded model on, from the committed weights
	@.ci/setup packages libflite1
	@$(PYTHON) -m models.embedded.recipe train

embedded-score: .venv/.dev  ## score the embedded model on held-out sentences, voices and noise
	@.ci/setup packages libflite1
	@$(PYTHON) -m models.embedded.recipe score

.venv-eval/.made: .ci/eval-requirements.txt | .venv/.run
	@$(PYTHON) -m venv .venv-eval
	@.venv-eval/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	@touch $@

eval-env: .venv-eval/.made  ## the scorers that `tongchuan evaluate simul` calls, in an environment of their own

bench: .venv/.dev  ## how fast this computer is, and how well it tells speech: sessions, model, captions, detectors, echoes
	@$(PYTHON) -m ui.cli bench library
	@$(PYTHON) -m ui.cli bench model --size embedded --random-weights --device cpu
	@$(PYTHON) -m ui.cli bench live --size embedded --device cpu
	@$(PYTHON) -m ui.cli bench vad --sentences 20
	@$(PYTHON) -m ui.cli bench echo --scenes 40
	-@$(PYTHON) -m ui.cli bench capture --seconds 10  # needs a sound server

# On a machine that has torch of its own, nothing is installed: make bench-gpu PYTHON=python3
bench-gpu: $(if $(filter .venv/%,$(PYTHON)),.venv/.run)  ## the published model's shape on a GPU; needs no network
	@$(PYTHON) -m ui.cli bench model --size qwen-audio --random-weights --device cuda --json bench-gpu-model.json >bench-gpu.md
	@echo >>bench-gpu.md
	@$(PYTHON) -m ui.cli bench live --size qwen-audio --random-weights --device cuda --json bench-gpu-live.json >>bench-gpu.md
	@cat bench-gpu.md

clean:  ## remove the environment and everything generated
	@rm -rf .venv .venv-eval .train .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build dist test-results *.egg-info bench-gpu*
