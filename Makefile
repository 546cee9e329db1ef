# Everything a person or a build machine does with this repository. `make` alone explains.
# Recipes add packages to .venv and never remove any, so a running demo is not disturbed by `make test`.

SHELL := /bin/sh
# Images of containers like to set it; the hundreds of processes of the tests would compile every library again.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help
.PHONY: help demo up down status test test-full lint bench docs constraints clean platform tools uv

BIN := .venv/bin
PYTHON ?= $(firstword $(foreach name,python3 python3.12 python3.13 python3.11,$(shell \
	$(name) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $(name))))
# The uv on PATH if it can work on this project, else one of our own inside .venv.
UV = $$(uv cache dir >/dev/null 2>&1 && echo uv || echo $(BIN)/uv)

help: ## this list
	@echo 'Airfoil: start with `make demo`. All targets:'
	@awk -F ' *## *' '/^[a-z-]+:.*## / { split($$1, name, ":"); printf "  make %-10s %s\n", name[1], $$2 }' $(MAKEFILE_LIST)
	@echo 'Arguments: make test ARGS="-m unit -k ports"   make bench NAME=floor SCALE=0.1   FULL=1, SYSTEM=1: see CONTRIBUTING.md'

demo: platform ## install, start the platform, run both example DAGs, print where everything is, leave it running
	@$(BIN)/airfoil demo

up: platform ## start the platform (Airflow, MLflow, status page)
	@$(BIN)/airfoil up

down: ## stop it; nothing is lost
	@$(BIN)/airfoil down

status: ## what runs, where, and how it is
	@$(BIN)/airfoil status

test: tools ## all tests (ARGS="-m unit" passes arguments to pytest; CI=true or SYSTEM=1 may install system packages)
	@if [ "$$CI" = true ] || [ "$$SYSTEM" = 1 ]; then sh tests/system_packages.sh; fi
ifdef ARGS
	@$(BIN)/python -m pytest $(ARGS)
else
	@# Tests that start servers wait much of the time: one more at once than there are processors. Files with the longest
	@# tests come first, so that no processor is idle at the end. On a machine that is that busy an answer may be late
	@# by minutes: what fails is named, and tried once more alone; what fails twice fails.
	@quick=0; shared=0; alone=0; \
	$(BIN)/python -m pytest --cache-clear -n auto --dist loadfile -m 'unit or contracts' tests/unit tests/contracts || quick=$$?; \
	$(BIN)/python -m pytest -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --durations=40 --dist loadfile --no-loadscope-reorder -m 'not alone' tests/system tests/browser tests/integration tests/deploy || shared=$$?; \
	$(BIN)/python -m pytest --durations=25 -m alone tests/system tests/browser tests/integration tests/deploy || alone=$$?; \
	if [ $$((shared + alone)) -gt 0 ] && [ $$shared -le 1 ] && [ $$alone -le 1 ]; then \
		echo 'Once more, now with nothing beside them: the tests with servers that failed.'; \
		$(BIN)/python -m pytest --last-failed --last-failed-no-failures none tests/system tests/browser tests/integration tests/deploy \
			&& shared=0 && alone=0; fi; \
	[ $$quick = 0 ] && [ $$shared = 0 ] && [ $$alone = 0 ]
endif

test-full: ## all tests at full size, with every fault
	@FULL=1 $(MAKE) --no-print-directory test

lint: tools ## rules of style, types and imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: tools ## measure against the plain tools (NAME=floor for one, SCALE=0.1 for a quick look)
	@$(BIN)/python -m benchmarks $(NAME)

docs: tools ## build the documentation into site/, failing on any broken link
	@$(BIN)/zensical build --strict --clean

constraints: uv ## write the tested versions of uv.lock into the package, after `uv lock`
	@{ echo '# The versions this release of Airfoil is tested with; made from uv.lock by `make constraints`.'; \
	$(UV) export --frozen --all-extras --no-dev --group ldap --no-emit-project --no-hashes --no-annotate --no-header --quiet; \
	} > src/airfoil/constraints.txt

clean: ## remove caches and build results; .airfoil (your databases, models and secrets) and .venv stay
	@rm -rf build dist site .cache .coverage .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find benchmarks dags docs src tests -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# What a user of the platform needs.
platform: uv
	@$(UV) sync --frozen --inexact --no-dev --extra stack

# What a developer needs on top; Spark, which is large, for FULL=1 alone.
tools: uv
	@$(UV) sync --frozen --inexact --all-extras $(if $(filter 1,$(FULL)),--group spark)

uv:
	@uv cache dir >/dev/null 2>&1 || $(BIN)/uv --version >/dev/null 2>&1 || { \
		if [ -z "$(PYTHON)" ]; then echo 'Error: Airfoil needs Python 3.11, 3.12 or 3.13.'; \
			echo 'Install one (Debian: apt install python3 python3-venv), or say which: make demo PYTHON=/path/to/python3'; \
			exit 1; fi; \
		$(PYTHON) -m venv .venv && $(BIN)/python -m pip install --quiet --disable-pip-version-check uv; }
