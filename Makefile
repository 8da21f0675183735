# Needs python3 (3.11 or newer), make and git. Everything else lands in .venv.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
STAMP := .venv/.bootstrapped
PYTEST_ARGS ?=
# The uv that made .venv (see scripts/bootstrap.sh).
UV = $(shell command -v uv || echo .venv-tools/bin/uv)

# What `make mutation` tries its faults with; nothing else needs it.
MUTMUT := mutmut==3.8.1

.PHONY: help venv demo test chaos mutation check format audit sbom bench bench-inbox bench-reports compose-lint image-test clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

venv: $(STAMP) ## Create or refresh .venv from uv.lock

$(STAMP): uv.lock pyproject.toml scripts/bootstrap.sh
	@scripts/bootstrap.sh

demo: $(STAMP) ## A product through its gates on a local server (KEEP=1 leaves it running)
	@$(BIN)/phasegate demo $(if $(filter-out 0 no,$(KEEP)),--keep)

test: $(STAMP) ## Run the tests (PYTEST_ARGS="-k vote")
	$(BIN)/pytest $(PYTEST_ARGS)

chaos: $(STAMP) ## 200 lifecycles while everything around them is killed (docs/chaos.md)
	@PYTHONPATH=.:tests/support $(BIN)/python -m tests.chaos

mutation: $(STAMP) ## Which faults of the domain its tests notice (MODULES="rules seats" SAMPLE=40)
	@$(UV) run --no-sync --frozen --with $(MUTMUT) python scripts/mutation.py

check: $(STAMP) ## Lint, formatting, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict
	$(BIN)/lint-imports

format: $(STAMP) ## Format and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

audit: $(STAMP) ## Known vulnerabilities of what uv.lock lists, and its hashes (asks osv.dev)
	@$(BIN)/python scripts/audit.py

sbom: $(STAMP) ## What an installation consists of, as CycloneDX: dist/phasegate.cdx.json
	@mkdir -p dist
	@$(UV) export --quiet --frozen --no-dev --all-extras --preview-features sbom-export \
		--format cyclonedx1.5 --output-file dist/phasegate.cdx.json >/dev/null
	@echo dist/phasegate.cdx.json

bench: $(STAMP) ## Speed and cost beside their floors (BENCH_ONLY=votes; docs/performance.md)
	@$(BIN)/python -m benchmarks

bench-inbox: $(STAMP) ## Only what grows with open products: memory, inbox, list, roadmap, restart
	@BENCH_ONLY=portfolio $(BIN)/python -m benchmarks

bench-reports: $(STAMP) ## Only the reports over large ledgers
	@BENCH_ONLY=reports $(BIN)/python -m benchmarks

compose-lint: $(STAMP) ## Check docker-compose.yml
	$(BIN)/pytest -n 0 tests/unit/test_compose.py

image-test: $(STAMP) ## Build the worker's image and run it (PHASEGATE_BASE_IMAGE=python:…)
	CI_IMAGE=1 $(BIN)/pytest -n 0 tests/containers

clean: ## Remove .venv, caches and builds
	rm -rf .venv .venv-tools dist .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
