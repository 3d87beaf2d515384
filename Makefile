# Two commands for a fresh machine: `make demo` shows the main job, `make test` passes every test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TORCH ?= torch==2.13.0
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1

# The notes are a folder too: what is phony is made anyway.
.PHONY: demo test notes notes-serve notes-test lint fuzz bench-adult bench-tables bench-density bench-speed clean install

demo: $(VENV)/.installed
	$(BIN)/anypart demo

test: $(VENV)/.installed-dev
	$(BIN)/ruff format --check src tests benchmarks examples notes
	$(BIN)/ruff check src tests benchmarks examples notes
	$(BIN)/lint-imports
	$(BIN)/pyright
	$(BIN)/pytest -n 2 --dist loadfile

install: $(VENV)/.installed

$(VENV)/.torch:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet "$(TORCH)" || $(BIN)/pip install --quiet "torch>=2.6"
	touch $@

$(VENV)/.installed: $(VENV)/.torch pyproject.toml
	$(BIN)/pip install --quiet -e .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/pip install --quiet -e '.[dev]'
	touch $@

$(VENV)/.installed-notes: $(VENV)/.installed
	$(BIN)/pip install --quiet -e '.[notes]'
	touch $@

notes: $(VENV)/.installed-notes
	$(BIN)/python -m notes.site build

notes-serve: notes
	$(BIN)/python -m notes.site serve

notes-test: $(VENV)/.installed-dev
	$(BIN)/pip install --quiet -e '.[browser]'
	$(BIN)/pytest -m browser tests/notes

fuzz: $(VENV)/.installed-dev
	ANYPART_FUZZ=100000 $(BIN)/pytest tests/fuzz

bench-%: $(VENV)/.installed
	$(BIN)/python -m benchmarks.$*

clean:
	rm -rf $(VENV) build dist demo
