# make run    install, start the open demo on http://127.0.0.1:8090 and a pretend EHR on http://127.0.0.1:8095
# make test   install, run all tests
# make check  format, lint, strict types, import contract, generated files
SHELL := /bin/bash
VENV  := .venv
BIN   := $(VENV)/bin
STAMP := $(VENV)/.installed
HOST  ?= 127.0.0.1
PORT  ?= 8090
EHR_PORT ?= 8095

# Modules that write a file kept in this repository; each takes --check and fails when the file is stale.
GENERATED_CHECKS := tools.finding_coverage

.PHONY: help install run test check format bench lock tables tables-check clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile
	@echo "make format, make tables (rewrite generated files), make bench, make lock, make clean"

install: $(STAMP)
	@:

$(STAMP): requirements/dev.txt pyproject.toml tools/create_venv.sh
	@bash tools/create_venv.sh $(VENV)
	@touch $@

run: install
	@$(BIN)/python -m sandbox --host $(HOST) --port $(PORT) --ehr-port $(EHR_PORT)

# NO_POSTGRES=1, NO_BROWSER=1, NO_R4_SCHEMA=1 (HL7's R4 JSON schema, fetched once): to test without these.
export NO_POSTGRES NO_BROWSER NO_R4_SCHEMA
test: install
	@bash tools/test_machine.sh
	@$(BIN)/python -m tools.r4_schema
	@$(BIN)/python -m pytest

check: install tables-check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

tables: install
	@set -e; for module in $(GENERATED_CHECKS); do echo "$$module"; $(BIN)/python -m $$module; done

tables-check: install
	@set -e; for module in $(GENERATED_CHECKS); do echo "$$module --check"; $(BIN)/python -m $$module --check; done

bench: install
	@$(BIN)/python -m bench

# Needs uv (any recent version) on the PATH, or named with UV=...
UV ?= uv
lock:
	$(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet \
	  --output-file requirements/runtime.txt pyproject.toml
	$(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet \
	  --extra dev --constraint requirements/runtime.txt --output-file requirements/dev.txt pyproject.toml

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
