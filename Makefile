# Every target sets itself up: it makes .venv with what it needs, and makes it only once.
# On a bare Debian or Ubuntu: sudo apt-get install make python3-venv
SHELL := /bin/bash
PYTHON := .venv/bin/python
SETUP_INPUTS := pyproject.toml constraints.txt scripts/setup hatch_build.py $(shell find src/tercet -name "*.c")

.PHONY: help tour test check lint docs bench fuzz clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */  make \1\t/' | expand -t 16

tour: .venv/.ready-tour  ## clear a small real corpus, find edited copies, make a video
	@$(PYTHON) scripts/tour.py

test: .venv/.ready-dev  ## run every test
	@$(PYTHON) -m pytest -n auto --dist loadgroup

check: lint test  ## everything CI runs: lint, types, import rule, tests

lint: .venv/.ready-dev
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports

docs: .venv/.ready-dev  ## write the generated pages anew
	$(PYTHON) docs/build_failures.py
	$(PYTHON) docs/build_reasons.py
	$(PYTHON) docs/build_terms_schema.py
	$(PYTHON) docs/build_tree.py

bench: .venv/.ready-bench  ## measure start-up, reading, clearing, finding works, making videos (long)
	@set -e; for file in bench/startup.py bench/robots.py bench/survey.py bench/clear.py \
  bench/index.py bench/identify.py bench/generate.py bench/quote.py; do \
	  echo "== $$file"; $(PYTHON) $$file; done

fuzz: .venv/.ready-dev  ## throw hostile bytes at every reader (long)
	@set -e; for name in signals media corpora policies fingerprints licences; do \
	  echo "== fuzz/$$name.py"; $(PYTHON) fuzz/$$name.py --inputs 200000; done
	$(PYTHON) fuzz/kills.py --kills 100

clean:  ## remove the environment, caches and the tour's output
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache tour

.venv/.ready-%: $(SETUP_INPUTS)
	@scripts/setup $*
