# Every target makes the virtual environment it needs; git, make and Python >= 3.11 suffice.
# PYTHON=python3.13 picks the interpreter of a new environment.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PACKAGES := parley utils worlds bots orchestrator analytics

# A name on the PATH may be a shim that does not run: ask each for its version.
PYTHON ?= $(shell for name in python3.14 python3.13 python3.12 python3.11 python3; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& echo $$name && break; done)

# Nothing is imported because of where a command was started.
export PYTHONSAFEPATH := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DELETE_ON_ERROR:
.PHONY: help demo test chaos check format look bench lock secrets compose-test clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## three personas talk, live; no Redis, no Ollama, no Docker needed
	@$(BIN)/parley demo

test: $(READY) ## the whole test suite, doctests included
	$(BIN)/pytest -n 2 --dist loadfile

chaos: $(READY) ## break everything at length, an hour or more; goes on where it was stopped; ROWS="storm soak" picks
	PYTHONPATH=$(CURDIR) $(BIN)/python -m tests.chaos $(ROWS); broken=$$?; \
		PYTHONPATH=$(CURDIR) $(BIN)/python -m tests.chaos.page && exit $$broken

check: $(READY) ## format, lint, types and the layers of the import graph
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(READY) ## rewrite the code in the house format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

look: $(READY) ## a report in a browser, for eyes: make look PAGE=tea.html; needs a Chromium
	$(BIN)/python -m tests.look "$(PAGE)"

bench: $(READY) ## every benchmark, one after the other
	@for script in $(wildcard benchmarks/*.py); do echo "== $$script"; $(BIN)/python $$script || exit 1; done

lock: $(READY) ## pin pyproject.toml again in requirements.lock; LOCK=--upgrade takes the newest
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-sources \
		--custom-compile-command 'make lock' --quiet --output-file requirements.lock $(LOCK)

secrets: $(READY) ## passwords for a swarm, in secrets/: docs/several-machines.md
	@$(BIN)/parley secrets --out secrets

compose-test: $(READY) ## the Docker stack, really brought up and knocked about; needs an engine
	$(BIN)/pytest -m engine tests/compose

clean: ## remove the environment and every cache; datasets stay
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find $(PACKAGES) tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: no Python >= 3.11 here; install one, or name it: make PYTHON=/path/to/python3" >&2; exit 3; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
