# The verbs of this repository. `make help` lists them; each is thin over `weir`.
# Everything is installed into .venv, which is made on first use from the locks with checked hashes.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
RUNTIME := $(VENV)/.runtime
DEVELOPMENT := $(VENV)/.development
FORMAT ?= text
PYTEST ?= -n 2 --dist worksteal
TIMES ?= 20
BASE ?= HEAD

.DEFAULT_GOAL := help
.PHONY: help run test test-long lint bench watch serve validate cases plan review test-connection sandbox clean

help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(RUNTIME) ## Run all interfaces (ARGS="name …" for some); the embedded sandbox starts by itself
	@$(BIN)/weir run $(ARGS)

validate: $(RUNTIME) ## Check all definitions; no key, no network
	@$(BIN)/weir validate --format $(FORMAT) $(ARGS)

cases: $(RUNTIME) ## Run the cases of interfaces (ARGS="name …" for some); no key, no network
	@$(BIN)/weir test $(ARGS)

plan: $(RUNTIME) ## Show what a run would do; no key, no network
	@$(BIN)/weir plan $(ARGS)

review: $(RUNTIME) ## Say what a change exposes, writes and costs (BASE=origin/main); no key, no network
	@$(BIN)/weir review --base $(BASE) $(ARGS)

test-connection: $(RUNTIME) ## Reach a provider: make test-connection CONNECTION=stripe_main
ifndef CONNECTION
	@echo "say which one: make test-connection CONNECTION=stripe_main" >&2; exit 64
else
	@$(BIN)/weir test-connection $(CONNECTION) $(ARGS)
endif

watch: $(RUNTIME) ## Check at every save, and show what it changes
	@$(BIN)/weir watch $(ARGS)

serve: $(RUNTIME) ## Run by schedule and by request, and reload what is edited (ARGS="--port 8420")
	@$(BIN)/weir serve $(ARGS)

sandbox: $(RUNTIME) ## Serve a simulated Stripe on this machine until interrupted
	@$(BIN)/weir sandbox $(ARGS)

test: $(DEVELOPMENT) ## Run the tests
	@$(BIN)/pytest $(PYTEST) $(ARGS)

test-long: $(DEVELOPMENT) ## Run the property tests with many new examples: TIMES=20 times as many
	@WEIR_TEST_LONG=$(TIMES) WEIR_TEST_FIRST=$${WEIR_TEST_FIRST:-$$(date +%s)} $(BIN)/pytest $(PYTEST) tests/property $(ARGS)

lint: $(DEVELOPMENT) ## Style, types and the layers of the architecture
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(DEVELOPMENT) ## All benchmarks: tables, reports and plots in benchmarks/results (ARGS=load for one)
	@$(BIN)/python -m benchmarks $(ARGS)

clean: ## Remove .venv and caches; your data in .weir stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@if [ -e .weir ]; then echo "kept .weir (tables, staging, history): remove it yourself if you mean to"; fi

$(VENV)/bin/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Weir needs Python 3.11 or newer; none was found." >&2; \
		echo "Install one, or name it: make run PYTHON=/path/to/python3" >&2; exit 1; fi
	@echo "making $(VENV) with $$($(PYTHON) --version)" >&2
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python's venv module is missing (on Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }

$(RUNTIME): requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "installing what weir needs" >&2
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps -e .
	@touch $@

$(DEVELOPMENT): requirements-dev.lock $(RUNTIME)
	@echo "installing what the tests need" >&2
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@
