# `make` shows what there is. Every target makes the virtual environment that it needs by itself, in $(VENV), and
# installs into it only what is missing there; the stamps `.has-<extra>` say what is there.

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
ROW ?=

RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check --no-input -qq
has = $(addprefix $(VENV)/.has-,$(1))
# asks the interpreter, so that the answer is the same inside an activated environment
WHICH_PYTHON = $(shell $(PYTHON) -c 'import sys; print(sys._base_executable, *sys.version_info[:3])')
# Without the GIL, what has no wheels for such builds is left out: no marker tells them apart, so the interpreter is asked.
# Tests that need it skip by name, also with CI=true.
NO_GIL = $(shell $(PYTHON) -c 'import sysconfig; print(sysconfig.get_config_var("Py_GIL_DISABLED") or "")')
TESTS = tests$(if $(filter 1,$(NO_GIL)),-free-threaded)

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DEFAULT_GOAL := help
.PHONY: FORCE

# -- look ------------------------------------------------------------------------------------------------------------

.PHONY: help demo
help: ## show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)$$/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22
	@echo
	@echo "  PYTHON=python3.14     another interpreter      VENV=.venv-314   another environment"
	@echo "  ARGS='tests/local -x' arguments for pytest     ROW=name         one row of the bench"

demo: $(call has,demo) ## see every kind of crossing on real input, beside asgiref
	@$(RUN) docs/examples/demo $(ARGS)

# -- judge -----------------------------------------------------------------------------------------------------------

.PHONY: test check types stress downstream
test: $(call has,tests) ## run the tests (all of them: with coverage; ARGS=... a part, without)
	@tests/support/debian.sh
ifeq ($(ARGS),)
	@$(RUN) -m coverage erase
	@$(RUN) -m coverage run -m pytest
	@$(RUN) -m coverage combine --quiet
	@$(RUN) -m coverage report
else
	@$(RUN) -m pytest $(ARGS)
endif

CHECKS := check-format check-lint check-imports check-mypy check-pyright check-complete check-docs
.PHONY: $(CHECKS)
check: $(CHECKS) ## format, lint, import contract, mypy, pyright, completeness of types, docs

check-format: $(call has,check)
	@echo "== format"; $(RUN) -m ruff format --check --quiet || { echo "mend with: make format"; exit 1; }
check-lint: $(call has,check)
	@echo "== lint"; $(RUN) -m ruff check --quiet
check-imports: $(call has,check)
	@echo "== import contract"; $(VENV)/bin/lint-imports --no-logo
check-mypy: $(call has,check)
	@echo "== mypy --strict"; $(RUN) -m mypy
check-pyright: $(call has,check)
	@echo "== pyright strict"; $(RUN) -m pyright --pythonpath $(RUN)
check-complete: $(call has,check)
	@echo "== completeness of types"; $(RUN) -m tests.support.completeness
check-docs: $(call has,docs)
	@echo "== docs"; $(SPHINX) docs docs/_build/html

types: $(call has,tests) ## six type checkers over the typing cases and the source
	@$(RUN) -m tests.typing $(ARGS)

stress: $(call has,tests) ## two minutes of random nesting, cancellation, forks, loop ends (ROW=name: one row)
	@$(RUN) -m tests.stress $(if $(ROW),--row "$(ROW)") $(ARGS)

downstream: $(call has,downstream) ## the suites of projects that use asgiref, with the drop-in in its place
	@tests/support/debian.sh
	@$(RUN) -m tests.downstream $(ARGS)

# -- make ------------------------------------------------------------------------------------------------------------

.PHONY: format bench docs docs-live dist clean
format: $(call has,check) ## let ruff format and mend what it can
	@$(RUN) -m ruff check --fix --quiet || true
	@$(RUN) -m ruff format

bench: $(call has,bench) ## measure against asgiref and the floor (ROW=name for one row)
	@$(RUN) -m tests.bench $(if $(ROW),--row $(ROW)) $(ARGS)

SPHINX := $(RUN) -m sphinx --fail-on-warning --keep-going --quiet --builder html
docs: check-docs ## build the documentation, warnings as errors
	@echo "open docs/_build/html/index.html"

.PHONY: pictures
pictures: $(call has,demo) ## draw the pictures of the documentation again
	@$(RUN) docs/pictures/floor_plan.py >docs/pictures/floor-plan.svg
	@$(RUN) docs/examples/demo --trace docs/pictures/demo.svg >/dev/null
	@ls docs/pictures/*.svg

docs-live: $(call has,docs) ## rebuild the documentation and reload the browser while one writes
	@$(RUN) -m sphinx_autobuild --watch src --watch README.md --watch CHANGELOG.md docs docs/_build/live $(ARGS)

dist: $(call has,dist) ## build sdist and wheel, check both, run the tests against the installed wheel
	@rm -rf dist build/wheel
	@$(RUN) -m build --outdir dist . >/dev/null
	@$(RUN) -m twine check --strict dist/*
	@$(PYTHON) -m venv build/wheel/venv
	@wheel=$$(echo dist/*.whl) && build/wheel/venv/bin/python -m pip --disable-pip-version-check --quiet install "$$wheel[$(TESTS)]"
	@cp -R tests docs README.md CHANGELOG.md pyproject.toml build/wheel
	@cd build/wheel && venv/bin/python -m pytest $(ARGS)

clean: ## remove what the other targets made
	@rm -rf $(VENV) build dist docs/_build .coverage .coverage.* .*_cache .hypothesis
	@find src tests docs stubs -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# -- environments ----------------------------------------------------------------------------------------------------

$(VENV)/.python: FORCE
	@if [ "$$(cat $@ 2>/dev/null || true)" != "$(WHICH_PYTHON)" ]; then \
	  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "asgikit needs Python 3.11 or later: make PYTHON=python3.12 ...")'; \
	  echo "Making $(VENV) with $(PYTHON)"; \
	  base=$$($(PYTHON) -c 'import sys; print(sys._base_executable)'); \
	  rm -rf $(VENV); "$$base" -m venv $(VENV); echo "$(WHICH_PYTHON)" > $@; \
	fi

$(VENV)/.has-tests: pyproject.toml $(VENV)/.python
	@echo "Installing into $(VENV) what 'asgikit[$(TESTS)]' needs"
	@$(PIP) install --editable '.[$(TESTS)]'
	@touch $@

$(VENV)/.has-%: pyproject.toml $(VENV)/.python
	@echo "Installing into $(VENV) what 'asgikit[$*]' needs"
	@$(PIP) install --editable '.[$*]'
	@touch $@
