# The two commands: `make run` and `make test`. Everything else is for the people who work on the rig itself.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# WireViz is GPL: a program of its own in an environment of its own, never a dependency.
WIREVIZ_VENV ?= .venv-wireviz
WIREVIZ      := wireviz==0.4.1

# Simulators and clients of other makers, for tests: the same.
FOREIGN_VENV ?= .venv-foreign

.PHONY: run test campaign kernel-bench kernel-test lint types layers bench wiring-check wiring clean

run: $(VENV)/.core
	@$(BIN)/rig run --bench twin --firmware cut-45s

test: $(VENV)/.dev
	@$(BIN)/python -m pytest -n 3 --dist worksteal

# Ends 200 whole runs at random moments, 50 each in three other ways, and tells how long the bench took to be safe; then
# kills 300 sittings of whole soaks, and looks whether anything that was finished is lost or there twice.
campaign: $(VENV)/.dev
	@RIG_KILLS=$${RIG_KILLS:-200} $(BIN)/python -m pytest tests/guardian/test_kill.py
	@RIG_SOAK_KILLS=$${RIG_SOAK_KILLS:-300} $(BIN)/python -m pytest tests/soak/test_kill.py

# A kernel with a simulated GPIO chip and a clock that runs fast, built once from Debian's source and kept in a cache folder.
kernel-bench: $(VENV)/.dev
	@$(BIN)/python -m kernel_bench build

# The tests marked `kernel` inside it. On a machine whose own kernel has gpio-sim: pytest -m kernel, in real time.
kernel-test: $(VENV)/.dev
	@$(BIN)/python -m kernel_bench test

lint: $(VENV)/.dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/.dev
	@$(BIN)/mypy

layers: $(VENV)/.dev
	@$(BIN)/lint-imports --no-cache

bench: $(VENV)/.dev
	@$(BIN)/python -m bench

wiring-check: $(VENV)/.core
	@for bench in wiring/*.toml; do $(BIN)/rig wiring $$bench > /dev/null || exit; echo "$$bench: as its harness says"; done

wiring: wiring-check $(WIREVIZ_VENV)/.done
	@command -v dot > /dev/null || { echo "make wiring draws with Graphviz: apt-get install graphviz"; exit 1; }
	@mkdir -p build/wiring
	@for harness in wiring/*.harness.yml; do $(WIREVIZ_VENV)/bin/wireviz -f st -o build/wiring $$harness > build/wiring/log || { cat build/wiring/log; exit 1; }; done
	@rm build/wiring/log; ls build/wiring/*

$(VENV)/.core: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "ichis-rig needs Python 3.11 or newer, found " + sys.version.split()[0] + "; say make PYTHON=python3.11")'
	@test -x $(BIN)/python || { echo "setting up $(VENV) (once) ..."; $(PYTHON) -m venv $(VENV); }
	@$(PIP) -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	@$(PIP) -e '.[dev]'
	@touch $@

$(WIREVIZ_VENV)/.done: Makefile
	@test -x $(WIREVIZ_VENV)/bin/python || $(PYTHON) -m venv $(WIREVIZ_VENV)
	@$(WIREVIZ_VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(WIREVIZ)
	@touch $@

$(FOREIGN_VENV)/.done: tests/foreign/requirements.txt
	@test -x $(FOREIGN_VENV)/bin/python || $(PYTHON) -m venv $(FOREIGN_VENV)
	@$(FOREIGN_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r $<
	@touch $@

clean:
	rm -rf $(VENV) $(WIREVIZ_VENV) $(FOREIGN_VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
