# SPDX-License-Identifier: Apache-2.0
# Needs make and Python 3.11 or newer; everything else goes into .venv, from locked and hashed packages.

PYTHON ?= python3
# Packages younger than this are not locked, so that a bad release has time to be noticed.
COOLDOWN ?= 1 week
# `make lock UPGRADE=--upgrade` takes the newest versions; without it, pins that still fit stay.
UPGRADE ?=
# Parallel test processes. Arguments after `TESTS=` replace the whole suite.
JOBS ?= auto
TESTS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# uv reads its own settings, not pip's; with this it at least trusts the machine's certificates.
export UV_SYSTEM_CERTS := 1

.DEFAULT_GOAL := help
.PHONY: help demo test check bench docs reference lock clean
.DELETE_ON_ERROR:

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime ## From policies and real figures to verdicts, on the bundled example
	$(BIN)/tidegate demo $(foreach folder,$(wildcard ../shared/data/evaluations ../shared/data/horizon),--runs $(folder))

test: $(VENV)/.dev ## Run every test, with branch coverage
	@$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q -n $(JOBS) --dist loadgroup $(TESTS)
	@$(BIN)/coverage combine -q
	$(if $(TESTS),,$(BIN)/coverage report)

check: $(VENV)/.dev ## Lint, format, types, layers, changelog and locks
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/towncrier build --draft --version next > /dev/null
	@! grep -nE '://|^ *-(i|f) |--(extra-)?index|--find-links|(^|[ =@])/[a-z]' requirements.lock requirements-dev.lock \
	  || { echo 'a lock holds an address or a path of one machine' >&2; exit 1; }

bench: $(VENV)/.dev ## Measure speed; the figures are ratios within one run
	@for one in benchmarks/bench_*.py; do echo "== $$one"; $(BIN)/python $$one || exit 1; done

docs: $(VENV)/.dev ## Build the documentation into site/
	$(BIN)/zensical build --clean --strict

reference: $(VENV)/.dev ## Write the reference pages that are made from the code
	$(BIN)/python tools/generate_reference.py

lock: $(VENV)/.dev ## Pin the packages anew, with hashes
	$(call compile,requirements.lock,--group build)
	$(call compile,requirements-dev.lock,--group build --all-extras --constraint requirements.lock)

clean: ## Remove all that was made, .venv included
	rm -rf $(VENV) site dist demo-project htmlcov .coverage .coverage.* .cache
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

compile = $(BIN)/uv pip compile pyproject.toml $(2) $(UPGRADE) --quiet --universal --python-version 3.11 \
  --exclude-newer '$(COOLDOWN)' --generate-hashes --no-emit-index-url --custom-compile-command 'make lock' -o $(1)

# --- the environment -------------------------------------------------------------------------------

# uv installs a lock several times faster than pip, and is itself taken from the lock, by its hashes.
# Where it cannot work, because no wheel fits the machine or only pip knows the package index, pip does the same.
# The build backend is in the locks, so that installing Tidegate itself asks the network for nothing.
define install
@echo 'installing $(1) into $(VENV)'
@$(BIN)/python -m uv --version > /dev/null 2>&1 || $(PIP) --require-hashes -r $(VENV)/uv.lock \
  || echo 'uv cannot be installed here; pip takes over' >&2
@$(BIN)/python -m uv pip install --quiet --python $(BIN)/python --require-hashes -r $(1) \
  || $(PIP) --require-hashes -r $(1)
@$(PIP) --no-index --no-deps --no-build-isolation --editable .
endef

$(VENV)/.runtime: requirements.lock pyproject.toml $(VENV)/uv.lock
	$(call install,requirements.lock)
	@touch $@

$(VENV)/.dev: requirements-dev.lock requirements.lock pyproject.toml $(VENV)/uv.lock
	$(call install,requirements-dev.lock)
	@touch $@ $(VENV)/.runtime

$(VENV)/uv.lock: requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tidegate needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
	  || { rm -rf $(VENV); echo 'Python lacks its venv module; on Debian: apt-get install python3-venv' >&2; exit 1; }
	@awk '/^uv==/ {on = 1} on {print} on && !/\\$$/ {exit}' requirements-dev.lock > $@
