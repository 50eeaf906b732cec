# The commands of this repository: `make help` lists them. Those of a project are thin wrappers of `weir`.
# Everything is installed into .venv, which the first command creates from the locks with verified hashes.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
RUNTIME := $(VENV)/.runtime
DEVELOPMENT := $(VENV)/.development
EXAMPLES := $(VENV)/.examples
# The oldest DuckDB that pyproject.toml allows; .venv has the newest.
DUCKDB ?= 1.5.5
DUCKDB_VENV := .venv-duckdb-$(DUCKDB)
FORMAT ?= text
PYTEST ?= -n 3 --dist worksteal
TIMES ?= 20
BASE ?= HEAD
# A lock keeps its pins while they satisfy pyproject.toml; UPGRADE=1 resolves all of them again.
COMPILE := $(BIN)/python -m piptools compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-annotate --no-emit-options --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
	$(if $(UPGRADE),--upgrade)

.DEFAULT_GOAL := help
.PHONY: help run validate cases plan review test-connection watch serve sandbox test test-quick test-long test-duckdb \
	test-examples lint bench generated goldens lock clean

help: ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-16s  %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Project

run: $(RUNTIME) ## Run all interfaces, or those in ARGS="name …"; starts the embedded sandbox if needed
	@$(BIN)/weir run $(ARGS)

validate: $(RUNTIME) ## Check all definitions (offline)
	@$(BIN)/weir validate --format $(FORMAT) $(ARGS)

cases: $(RUNTIME) ## Run the test cases of all interfaces, or those in ARGS="name …" (offline)
	@$(BIN)/weir test $(ARGS)

plan: $(RUNTIME) ## Show what a run would do (offline)
	@$(BIN)/weir plan $(ARGS)

review: $(RUNTIME) ## Show what a change exposes, writes and costs since BASE=origin/main (offline)
	@$(BIN)/weir review --base $(BASE) $(ARGS)

test-connection: $(RUNTIME) ## Test all connections, or CONNECTION=stripe_main
	@$(BIN)/weir test-connection $(CONNECTION) $(ARGS)

watch: $(RUNTIME) ## Check definitions on every save and show the effect of the change
	@$(BIN)/weir watch $(ARGS)

serve: $(RUNTIME) ## Run on schedule and on request; reloads edited definitions (ARGS="--port 8420")
	@$(BIN)/weir serve $(ARGS)

sandbox: $(RUNTIME) ## Serve a simulated Stripe on loopback until interrupted
	@$(BIN)/weir sandbox $(ARGS)

##@ Development

# Compiled tests are kept: without them each worker spends ten seconds on compiling.
test test-quick test-long: export PYTHONDONTWRITEBYTECODE :=

test: $(DEVELOPMENT) ## Run the tests: what a change must pass
	@$(BIN)/pytest $(PYTEST) -m "not long" $(ARGS)
	@$(if $(ARGS),:,$(MAKE) --no-print-directory test-examples)

test-examples: $(EXAMPLES) ## Run the tests of the packages in examples/
	@PYTHONPATH=$(CURDIR)/$(VENV)/examples $(BIN)/pytest $(PYTEST) examples/*/tests

test-quick: $(DEVELOPMENT) ## Run the tests that start no process, in a minute
	@$(BIN)/pytest $(PYTEST) -m "not long and not process" \
		tests/unit tests/golden tests/architecture tests/contract $(ARGS)

test-long: $(DEVELOPMENT) ## Run all tests, each property with TIMES=20 times as many new examples
	@WEIR_TEST_LONG=$(TIMES) WEIR_TEST_FIRST=$${WEIR_TEST_FIRST:-$$(date +%s)} $(BIN)/pytest $(PYTEST) $(ARGS)

test-duckdb: $(DUCKDB_VENV)/.development ## Test the DuckDB adapters on DUCKDB=1.5.5, in a venv of its own
	@$(DUCKDB_VENV)/bin/pytest $(PYTEST) tests/contract tests/unit/duck tests/integration/duck $(ARGS)

lint: $(DEVELOPMENT) ## Check style, types and the layers of the architecture
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@MYPYPATH=$(subst $() ,:,$(wildcard examples/weir-*)) $(BIN)/mypy $(dir $(wildcard examples/*/weir_*/__init__.py))
	@$(BIN)/lint-imports

bench: $(DEVELOPMENT) ## Run all benchmarks, or ARGS=load; results go to benchmarks/results
	@$(BIN)/python -m benchmarks $(ARGS)

clean: ## Remove .venv and caches; keeps the data in .weir
	@rm -rf $(VENV) .venv-duckdb-* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@if [ -e .weir ]; then echo "kept .weir (tables, staging, history); delete it yourself if you no longer need it"; fi

##@ Generated files

generated: $(DEVELOPMENT) ## Write the Stripe catalogue, JSON Schemas, reference pages and the README session
	@$(BIN)/python -m tools.stripe_catalogue
	@$(BIN)/python -m tests.support.generated_digest
	@$(BIN)/weir schema
	@$(BIN)/python -m tools.docs
	@$(BIN)/python -m tools.docs.session

goldens: $(DEVELOPMENT) ## Write the expected outputs in tests/golden from the current ones
	@$(BIN)/pytest $(PYTEST) tests/golden --update-goldens $(ARGS)

lock: $(DEVELOPMENT) ## Write the locks from pyproject.toml; keeps existing pins unless UPGRADE=1
	@$(COMPILE) --output-file requirements.lock pyproject.toml
	@$(COMPILE) --extra dev --extra postgresql --constraint requirements.lock \
		--output-file requirements-dev.lock pyproject.toml
	@$(COMPILE) --only-build-deps --build-deps-for wheel --build-deps-for editable --constraint requirements-dev.lock \
		--output-file requirements-build.lock pyproject.toml
	@echo "duckdb==$(DUCKDB)" | $(COMPILE) --output-file requirements-duckdb-$(DUCKDB).lock -

$(VENV)/bin/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Weir requires Python 3.11 or newer; none was found." >&2; \
		echo "Install it, or set its path: make run PYTHON=/path/to/python3" >&2; exit 1; fi
	@echo "creating $(VENV) with $$($(PYTHON) --version)" >&2
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python's venv module is missing (on Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }

# The build runs in .venv with the locked setuptools: pip's isolated build would fetch whatever is newest.
$(RUNTIME): requirements.lock requirements-build.lock pyproject.toml | $(VENV)/bin/python
	@echo "installing runtime dependencies" >&2
	@$(PIP) install --require-hashes -r requirements-build.lock -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(DEVELOPMENT): requirements-dev.lock $(RUNTIME)
	@echo "installing development dependencies" >&2
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

# As wheels, so that their entry points are found as a user's are; in a folder of their own, so that other tests meet the
# built-in connectors only. The build needs no index: setuptools is locked.
$(EXAMPLES): $(DEVELOPMENT) $(wildcard examples/*/pyproject.toml examples/*/weir_*/*.py)
	@rm -rf $(VENV)/examples
	@$(PIP) install --no-deps --no-build-isolation --no-index --target $(VENV)/examples \
		$(addprefix ./,$(dir $(wildcard examples/*/pyproject.toml)))
	@touch $@

# All other packages are those of .venv.
.venv-duckdb-%/.development: requirements-duckdb-%.lock requirements-dev.lock requirements-build.lock pyproject.toml
	@echo "installing DuckDB $* into $(@D)" >&2
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes \
		-r requirements-build.lock -r requirements-dev.lock
	@$(@D)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --no-deps \
		-r requirements-duckdb-$*.lock
	@$(@D)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation -e .
	@touch $@
