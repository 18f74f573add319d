# Every target sets up .venv by itself; once it stands, that costs nothing.
# Needed: git, make and Python 3.11 or newer. uv is taken from the path, else installed into .venv.
.DEFAULT_GOAL := help
MINUTES ?= 1
TARGETS ?=
STORMS ?= 0-1999
.PHONY: fuzz sbom audit help demo test check bench bench-detection bench-detection-short bench-judgement train chaos e2e fuzz-api docs picture clean storm e2e-all \
	bench-matching simulate mutants power kills

SHELL := /bin/sh
UV_VERSION := 0.13.9
BIN := .venv/bin
READY := .venv/ready
ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
WORKERS ?= 2
EXAMPLES ?= 300
CORPORA ?= ../shared/data/sentiment
MODEL := service/brandmelder/classify/model

help:
	@echo "make demo    a storm in the terminal, within a minute, nothing leaves this machine"
	@echo "make test    the tests; with real servers where Debian's packages are installed"
	@echo "make check   formatting, lint, types, layers, then the tests up to the first failure"
	@echo "make bench   the benchmarks, each with its peers in the same run"
	@echo "make train   the judge's model anew, from CORPORA=$(CORPORA)"
	@echo "make bench-detection   the detector beside its peers; R's surveillance where installed"
	@echo "make bench-matching   1,000 and 10,000 queries beside regular expressions and RE2"
	@echo "make bench-judgement   the judge beside its peers, near-copies, learning curve"
	@echo "make chaos   3 times 400 alerts, a fifth of the calls to Slack failing, 30 crashes each"
	@echo "make simulate  SEEDS=1000 evenings of the whole pipeline in virtual time, with faults and crashes drawn"
	@echo "make mutants plants bugs one by one; the simulation must find each within 500 seeds"
	@echo "make power   2,000 power cuts between writes and their syncs: nothing acknowledged may be lost"
	@echo "make kills   kill -9 at every commit and send of a real process, and again in its recovery"
	@echo "make storm   2,000 storms on every platform through faults and crashes; STORMS=1234 replays one"
	@echo "make fuzz-api   the API under EXAMPLES=$(EXAMPLES) requests for each operation, well-formed and not"
	@echo "make e2e     only the tests against a real WordPress"
	@echo "make e2e-all against a real Bluesky, and GOTOSOCIAL=binary, NODEBB=checkout; downloads 362 MB the first time"
	@echo "make fuzz    5,000 hostile feeds, then MINUTES=$(MINUTES) of fuzzing for each parser and sink"
	@echo "make sbom    what the service is made of, with hashes and licences (CycloneDX)"
	@echo "make audit   known weaknesses of what it is made of (asks osv.dev)"
	@echo "make docs    write the schema and the generated reference pages anew"
	@echo "make picture draw the alert in the README anew, from the demo"
	@echo "make clean   remove .venv and every cache"

demo: $(READY)
	@$(BIN)/brandmelder demo

test: $(READY)
	$(BIN)/pytest -q -n $(WORKERS) --dist loadscope

check: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q -x -n $(WORKERS) --dist loadscope

bench: $(READY)
	@set -e; for script in bench/*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

bench-detection: $(READY)
	@PATH="$$PWD/$(BIN):$$PATH" uv sync --quiet --frozen --group detection
	OPENBLAS_NUM_THREADS=1 $(BIN)/python bench/detection/run.py --tweets ../shared/data/nab

bench-detection-short: $(READY)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python bench/detection/run.py --short

bench-matching: $(READY)
	@PATH="$$PWD/$(BIN):$$PATH" uv sync --quiet --frozen --group matching
	$(BIN)/python bench/matching.py
	$(BIN)/python bench/matching.py --queries 10000

bench-judgement: $(READY)
	@PATH="$$PWD/$(BIN):$$PATH" uv sync --quiet --frozen --group judgement
	$(BIN)/python bench/judgement/measure.py $(CORPORA)
	$(BIN)/python bench/judgement/hostile.py
	$(BIN)/python bench/judgement/copies.py $(CORPORA)
	$(BIN)/python bench/judgement/learning.py $(CORPORA)

train: $(READY)
	@PATH="$$PWD/$(BIN):$$PATH" uv sync --quiet --frozen --group judgement
	$(BIN)/python bench/judgement/units.py $(MODEL)/units.npz
	OPENBLAS_NUM_THREADS=1 PYTHONHASHSEED=0 $(BIN)/python bench/judgement/train.py $(CORPORA) $(MODEL)/linear.npz

chaos: $(READY)
	$(BIN)/python bench/chaos.py

simulate: $(READY)
	PYTHONPATH=tests:service PYTHONHASHSEED=0 $(BIN)/python -m simulation --seeds $(or $(SEEDS),1000) --workers $(WORKERS)

mutants: $(READY)
	PYTHONPATH=tests:service PYTHONHASHSEED=0 $(BIN)/python -m simulation.mutants

power: $(READY)
	$(BIN)/python bench/power.py

kills: $(READY)
	$(BIN)/python bench/kills.py

storm: $(READY)
	$(BIN)/python bench/storm.py $(STORMS)

e2e: $(READY)
	$(BIN)/pytest -q -m e2e

e2e-all: $(READY)
	@tests/peers/real.sh

fuzz-api: $(READY)
	BRANDMELDER_API_EXAMPLES=$(EXAMPLES) $(BIN)/pytest -q tests/web/api/test_schemathesis.py

fuzz: $(READY)
	@PATH="$$PWD/$(BIN):$$PATH" uv sync --quiet --frozen --group fuzz
	$(BIN)/python bench/fuzz/feeds.py
	$(BIN)/python bench/fuzz/run.py --minutes $(MINUTES) --targets "$(TARGETS)"

sbom: $(READY)
	@PATH="$$PWD/$(BIN):$$PATH" $(BIN)/python .ci/sbom.py dist/brandmelder.cdx.json

audit: $(READY)
	@PATH="$$PWD/$(BIN):$$PATH" uv audit --frozen --no-dev

docs: $(READY)
	$(BIN)/python docs/reference/write.py

picture: $(READY)
	$(BIN)/python docs/images/draw.py

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build

$(READY): pyproject.toml uv.lock
	@echo "setting up .venv"
	@python=; \
	for candidate in python3 python3.11 python3.12 python3.13 python3.14; do \
	  if command -v "$$candidate" >/dev/null 2>&1 && "$$candidate" -c '$(ENOUGH)' >/dev/null 2>&1; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then echo "Brandmelder needs Python 3.11 or newer; python3 is missing or older."; exit 2; fi; \
	uv=uv; \
	if ! uv --version 2>/dev/null | awk '{ split($$2, v, "."); new = v[1] > 0 || v[2] >= 8 } END { exit !new }'; then \
	  uv=$(BIN)/uv; \
	  if ! $(BIN)/python -m pip --version >/dev/null 2>&1 && ! "$$python" -m venv --clear .venv >/dev/null 2>&1; then \
	    rm -rf .venv; \
	    echo "$$python cannot make a virtual environment; install its venv module (Debian: apt install python3-venv)."; exit 2; \
	  fi; \
	  if [ "$$($$uv --version 2>/dev/null | cut -d' ' -f2)" != $(UV_VERSION) ]; then \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) || exit 2; \
	  fi; \
	fi; \
	UV_PYTHON_DOWNLOADS=never $$uv sync --quiet --frozen --python "$$python" && touch $(READY)
