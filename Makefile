# What a developer can do here. `make` alone lists it.
# Downloads go through pip and npm as this machine has them configured.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup run test test-full lint types bench bench-peers docs test-tools frontend
.NOTPARALLEL:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
SAY := @printf '==> %s\n'

# Both halves run even where the first fails; pytest's closing lines come last. Several processes share the cores already:
# threads of each that wait by spinning would take them from the others.
define run_tests
	$(SAY) "Tests of the viewer (vitest)"
	@status=0; (cd frontend && npm test --silent) || status=1; \
	printf '==> Tests of everything else (pytest)\n'; \
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(1) || status=1; \
	exit $$status
endef

help: ## List these verbs
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | while IFS=$$'\t' read -r verb text; do \
	  printf '  make %-12s %s\n' "$$verb" "$$text"; done

setup: $(VENV)/runtime.stamp frontend ## Install everything that running needs into .venv and frontend/
	$(SAY) "Set up. Next: make run"

run: $(VENV)/runtime.stamp frontend ## Set up where needed, then run the site until Ctrl-C (PORT, GROUNDGLASS_HOME, DATABASE_URL)
	@exec $(BIN)/python -m webapp.supervise

test: test-tools ## Run the tests (at most 20 minutes on two cores)
	$(call run_tests,-m "not slow")

test-full: test-tools ## Run the tests, those that take long as well
	$(call run_tests,)

lint: $(VENV)/dev.stamp frontend/node_modules/.stamp ## Check style and import contracts (ruff, import-linter)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

types: $(VENV)/dev.stamp frontend/node_modules/.stamp ## Check types (mypy, tsc)
	@$(BIN)/mypy && cd frontend && npm run --silent check

bench: test-tools ## Print a table of speeds, ours beside the peers'; never part of the tests
	@$(BIN)/python -m tests.bench

bench-peers: test-tools ## The same scan through OHIF on Orthanc in the same browser, in turns with ours
	@$(BIN)/python -m tests.bench.peers

docs: $(VENV)/dev.stamp ## Check the documentation: links, settings, permissions, verbs
	@$(BIN)/python -m pytest -q tests/house/test_docs.py tests/house/test_permissions.py

# --- What the verbs stand on ---------------------------------------------------------------------------------------

$(VENV)/bin/python:
	$(SAY) "Python environment ($(VENV))"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Groundglass needs Python 3.11 or newer: $$($(PYTHON) --version) is too old (PYTHON=... names another)."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "Python's venv module is missing: install it (on Debian: apt-get install python3-venv)."; exit 1; }

$(VENV)/runtime.stamp: requirements/runtime.txt pyproject.toml | $(VENV)/bin/python
	$(SAY) "Python packages (the first time this takes a few minutes)"
	@$(PIP) install -r requirements/runtime.txt
	@$(PIP) install --quiet --no-deps --editable .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/runtime.stamp
	$(SAY) "Python packages for tests and checks"
	@$(PIP) install --quiet -r requirements/dev.txt
	@touch $@

frontend/node_modules/.stamp: frontend/package-lock.json
	$(SAY) "JavaScript packages"
	@command -v npm >/dev/null || { echo "Node.js 20 with npm is missing (on Debian: apt-get install nodejs npm)."; exit 1; }
	@cd frontend && npm ci --no-audit --no-fund
	@touch $@

# The viewer is built anew only where its sources changed: a checkout's file times say nothing.
frontend: frontend/node_modules/.stamp
	@built=$$(cd frontend && find src index.html public package-lock.json vite.config.ts tsconfig.json -type f \
	    2>/dev/null | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c1-64); \
	if [ "$$(cat frontend/dist/.built-from 2>/dev/null)" != "$$built" ]; then \
	  printf '==> %s\n' "The viewer (vite build)"; \
	  (cd frontend && npm run --silent build -- --logLevel warn) && echo "$$built" > frontend/dist/.built-from; \
	fi

# What tests drive beside Python: a browser, and the DICOM tools of another house.
define debian_tool
	@if ! command -v $(1) >/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    printf '==> %s\n' "$(3) (apt-get)"; \
	    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(2)) \
	      >/dev/null || echo "$(3) could not be installed: its tests will be skipped."; \
	  else echo "$(3) is missing: its tests will be skipped (on Debian: apt-get install $(2))."; fi; fi
endef

test-tools: $(VENV)/dev.stamp frontend
	$(call debian_tool,chromium chromium-browser google-chrome,chromium,Chromium)
	$(call debian_tool,storescu,dcmtk,DCMTK)
