# userscope: `make` prints this help. Each target sets up what it needs.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Python 3.13 or newer, found by running each candidate: one on PATH may be a shim that fails.
CANDIDATES = python3.13 python3.14 python3 python \
	$(wildcard $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/3.1[3-9].*/bin/python3)
ifndef PYTHON
PYTHON := $(shell for p in $(CANDIDATES); do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 13))' >/dev/null 2>&1 && { echo "$$p"; exit; }; \
	done; uv python find '>=3.13' 2>/dev/null)
endif

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# One that was begun without python3-venv, or made by uv, lacks it.
HAVE_PIP = $(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null 2>&1 || { \
	echo 'ERROR:  .venv has no pip' >&2; \
	echo 'HINT:  On Debian and Ubuntu: apt install python3-venv; elsewhere remove .venv, and run make again' >&2; exit 2; }

# A .venv that was moved here, or whose Python is gone or another, is filled anew: each stamp says what it was made for.
MADE_FOR = echo "$(CURDIR) $$($(BIN)/python -V 2>&1)"
$(shell for stamp in runtime dev bench; do \
	[ ! -e $(BIN)/.$$stamp ] || [ "$$(cat $(BIN)/.$$stamp)" = "$$($(MADE_FOR))" ] || rm -f $(BIN)/.$$stamp; done)

# Where bytecode is not to be written, every one of a thousand processes would compile everything anew.
export PYTHONDONTWRITEBYTECODE =

# Most tests wait most of the time, so more of them run at once than there are cores.
WORKERS = auto
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

# What depends on the server's version: SQL, sessions, seals, audit, Neon, attacks.
ON_EVERY_VERSION = $(addprefix tests/,admin attacks audit connection core fences isolation models neon replicas schema \
	test_accounts.py test_database.py test_database_close.py test_database_refusals.py)

# What depends on the versions of other libraries: sessions, models, tokens, services, the command line, the plugin.
ON_LIBRARIES = $(addprefix tests/,auth connection models service testing cli/test_app.py test_database.py test_settings.py)

##@ Use it

.PHONY: help
help: ## Print this help
	@awk 'BEGIN { FS = ":.*##" } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*##/ { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: migrate
migrate: $(BIN)/.runtime ## Deploy both projects: to an embedded PostgreSQL, or where ADMIN_DATABASE_URL points
	@$(BIN)/userscope migrate

.PHONY: demo
demo: migrate ## Watch two users reach for each other's rows
	@$(BIN)/userscope demo

.PHONY: example
example: $(BIN)/.dev ## Run a todo service with its page, Better Auth and PostgreSQL (PORT=8000)
	@$(BIN)/python -m examples.todo_api

.PHONY: psql
psql: $(BIN)/.runtime ## Open psql on the database
	@$(BIN)/userscope psql

.PHONY: audit
audit: $(BIN)/.runtime ## Ask the live database who may do what, and what is wrong with it
	@$(BIN)/userscope audit

##@ Work on it

.PHONY: setup
setup: $(BIN)/.dev ## Install everything that tests and checks need into .venv

.PHONY: test
test: $(BIN)/.dev ## Every promise, on real PostgreSQL servers (ARGS='-k name' to choose, PG=15|16|17|18, WORKERS=4)
	@PG=$(PG) $(PYTEST) $(ARGS)

.PHONY: test-all
test-all: $(BIN)/.dev ## The breadth as well: PostgreSQL 15 to 18, every owner and kill, the lowest versions
	@PG=$(PG) $(PYTEST) -m '' $(ARGS)
	@if [ -z "$(PG)$(ARGS)" ]; then \
		for version in 16 17; do PG=$$version $(PYTEST) -m '' -q $(ON_EVERY_VERSION); done; $(MAKE) lowest; fi

# What old libraries call of newer ones is theirs to mend.
.PHONY: lowest
lowest: build/lowest/.made ## What other libraries decide, with the lowest version of each that pyproject.toml allows
	@build/lowest/bin/python -m pytest -n $(WORKERS) --dist worksteal -q -W default::DeprecationWarning $(ON_LIBRARIES) $(ARGS)

.PHONY: lint
lint: $(BIN)/.dev ## ruff, mypy and squawk
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/squawk --config squawk.toml {schema,policies,distributed}/deploy/*.sql

.PHONY: docs
docs: $(BIN)/.dev ## Build the documentation as a site, strictly, into build/docs
	@$(BIN)/python docs/site/build.py

.PHONY: bench
bench: $(BIN)/.bench ## Compare: each figure is a ratio of two things measured in one run (ARGS='reads --quick')
	@$(BIN)/python -m bench $(ARGS)

.PHONY: mutate
mutate: $(BIN)/.dev ## Plant defects in copies of the migrated database, and see the tests notice (ARGS='--sample 20')
	@$(BIN)/userscope migrate >/dev/null
	@PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 $(BIN)/userscope mutate $(ARGS) -- \
		$(BIN)/python -m pytest -x -q -p no:cacheprovider --confcutdir=tests/isolation tests/isolation

.PHONY: soak
soak: $(BIN)/.dev ## 100,000 transactions through PgBouncer while servers are killed (ARGS='--transactions 5000')
	@$(BIN)/python -m tests.soak $(ARGS)
	@$(BIN)/python -m tests.replicas.soak $(ARGS)
	@$(BIN)/python -m tests.outages
	@USERSCOPE_SOAK=1 $(BIN)/python -m pytest -q -o faulthandler_timeout=0 tests/model/test_stateful.py -k no_difference

.PHONY: search
search: $(BIN)/.dev ## 100,000 statements in two worlds: fenced tables tell nothing (ARGS='--probes 5000 --seed 7')
	@$(BIN)/python -m tests.search $(ARGS)

.PHONY: clean
clean: ## Stop the embedded server; remove it and everything installed or built
	@if [ -x $(BIN)/userscope ]; then $(BIN)/userscope down --delete --yes; fi
	@rm -rf .venv .userscope .pg build dist bench/latest.json examples/todo_api/auth/node_modules \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find bench examples src tests -name __pycache__ -type d -exec rm -rf {} +

# A stamp for each need: what runs needs little, what tests need is more, and benchmarks compare with other packages.

$(BIN)/python:
	@test -n "$(PYTHON)" || { \
		echo 'ERROR:  Python 3.13 or newer was not found' >&2; \
		echo 'HINT:  Install it, or say where it is: make PYTHON=/path/to/python3.13' >&2; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 13))' || { \
		echo 'ERROR:  "$(PYTHON)" is older than Python 3.13, or does not run' >&2; \
		echo 'HINT:  Say where a newer one is: make PYTHON=/path/to/python3.13' >&2; exit 2; }
	@"$(PYTHON)" -m venv .venv || { rm -rf .venv; \
		echo 'ERROR:  "$(PYTHON)" cannot make a virtual environment' >&2; \
		echo 'HINT:  On Debian and Ubuntu: apt install python3-venv' >&2; exit 2; }

$(BIN)/.runtime: pyproject.toml constraints.txt | $(BIN)/python
	@echo 'Installing userscope into .venv …' >&2
	@$(HAVE_PIP)
	@$(PIP) -e '.[cli,embedded]'
	@$(MADE_FOR) > $@

$(BIN)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo 'Installing userscope and everything its tests need into .venv …' >&2
	@$(HAVE_PIP)
	@$(PIP) -e '.[dev]'
	@$(MADE_FOR) | tee $@ > $(BIN)/.runtime

# Without constraints.txt, which holds what is newest.
build/lowest/.made: pyproject.toml tests/lowest.py | $(BIN)/python
	@echo 'Installing the lowest versions into build/lowest …' >&2
	@rm -rf build/lowest && $(BIN)/python -m venv build/lowest
	@$(BIN)/python -m tests.lowest > build/lowest/constraints.txt
	@build/lowest/bin/python -m pip install --quiet --disable-pip-version-check -c build/lowest/constraints.txt -e '.[dev]'
	@touch $@

$(BIN)/.bench: pyproject.toml constraints.txt | $(BIN)/python
	@echo 'Installing userscope and everything it is compared with into .venv …' >&2
	@$(HAVE_PIP)
	@$(PIP) -e '.[bench]'
	@$(MADE_FOR) | tee $@ $(BIN)/.dev > $(BIN)/.runtime
