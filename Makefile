# Every target makes .venv and installs what it needs by itself; a second run is instant.
# ARGS passes through: make demo ARGS=--once, make test ARGS="-k inbox".

.DEFAULT_GOAL := help
.PHONY: help demo test check bench soak constraints clean

ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.installed-runtime
DEV := $(VENV)/.installed-dev
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

help:
	@echo "make demo    see it work: a daemon, a browser chat and an MCP client (ARGS=--once to exit after)"
	@echo "make test    all tests with coverage; writes build/cases.json"
	@echo "make check   lint, format, types, import rules, security lint, known vulnerabilities"
	@echo "make bench   benchmarks against their baselines, into benchmarks/RESULTS.md"
	@echo "make soak    the long form of the tests that have one"
	@echo "make clean   remove .venv and everything generated"

demo: $(RUNTIME)
	@$(BIN)/messengers demo $(ARGS)

# A part of the suite cannot reach the whole suite's coverage, and starts sooner in one process. One more than
# there are cores, as tests wait for the processes they start; more than five only wait for each other.
WHOLE := -n $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores < 4 ? cores + 1 : 5))) --dist loadfile --no-loadscope-reorder
test: $(DEV)
	@$(BIN)/python -m compileall -q src # or each process that the tests start would do it anew
	$(BIN)/pytest --cov --cov-report=xml $(if $(ARGS),--cov-fail-under=0 $(ARGS),$(WHOLE))

check: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-cache
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml src
	$(BIN)/python tests/spec/vulnerabilities.py

bench: $(DEV)
	$(BIN)/python -m benchmarks $(ARGS)

soak: $(DEV)
	$(BIN)/pytest --long -m soak $(ARGS)

# Pins what is installed now; run it in a .venv that passes `make check` and `make test`.
constraints: $(DEV)
	$(BIN)/python tests/spec/pin.py > build/constraints.txt
	mv build/constraints.txt constraints.txt

clean:
	rm -rf $(VENV) build dist .hypothesis .ruff_cache .coverage*
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@for candidate in python3.13 python3.12 python3.11 python3.14 python3 python; do \
	  if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    echo "Making $(VENV) with $$candidate"; exec "$$candidate" -m venv $(VENV); \
	  fi; \
	done; \
	echo "Messengers needs Python 3.11 or newer with its venv module, and found none on PATH." >&2; \
	echo "Install one (Debian: apt-get install python3 python3-venv; macOS: brew install python), then run make again." >&2; \
	exit 1

$(RUNTIME): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Messengers into $(VENV)"
	@$(INSTALL) pip
	@$(INSTALL) --build-constraint constraints.txt --editable .
	@touch $@

$(DEV): $(RUNTIME)
	@echo "Installing the development tools into $(VENV)"
	@$(INSTALL) --group dev --editable '.[office]'
	@$(INSTALL) --editable '.[whatsapp]' || echo "The WhatsApp engine has no package for this machine: its tests will skip."
	@mkdir -p build
	@touch $@
