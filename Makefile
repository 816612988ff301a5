# Two commands for newcomers: `make demo` and `make test`. Both set up what they
# need in .venv once, work offline from then on, and in a path with spaces.

VENV := .venv
BIN := $(VENV)/bin
NODE_MIN := 24
CODE_SERVER := 4.139.1
PROJECT ?= fixtures/ledger/project
FAILURES ?= -k test_interest
JOBS ?= 2

# The first interpreter that is new enough; PYTHON=... overrides.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)

.PHONY: demo test test-vscode vsix test-emacs lint types units client peers gate-report token-report bench tiers-report clean help

help:
	@echo "make demo    repair a failing project, no key needed"
	@echo "make test    lint, types, imports, tests, and the editor extension"
	@echo "make peers   the agent before two servers that are not ours (700 MB, once)"
	@echo "make test-vscode   the extension in a real VS Code: minutes, and a Chromium"
	@echo "make vsix TARGET=darwin-arm64   the extension, with its server, for another platform"
	@echo "make gate-report [DATA=bugs.jsonl] [JOBS=2] [JOURNAL=file]   the gate's figures"
	@echo "make search-report [DATA=bugs.jsonl] [HALF=tuning] [LIMIT=5] [JOBS=1] [JOURNAL=file]   the search engine's figures"
	@echo "make token-report   what scripted repairs send, and what a cache could serve"
	@echo "make bench [N=6] [ROWS=swap,save] [JOURNAL=file] [PLOT=file.svg]   what checking a patch costs, against a new process for each"
	@echo "make tiers-report [N=5] [MUTANTS=20] [DATA=bugs.jsonl] [JOURNAL=file]   the fast ways to run say what the slow one does"
	@echo "make clean   remove what these made"

# The failing project has an environment of its own, as a user's has.
demo: $(VENV)/project/.installed
	@$(BIN)/python -m bonafix fix $(PROJECT) $(FAILURES) --engine search \
		--interpreter $(VENV)/project/bin/python; code=$$?; \
	if [ $$code -ne 0 ] && [ $$code -ne 1 ] && [ $$code -ne 5 ]; then exit $$code; fi
	@echo
	@echo "With Claude instead: ANTHROPIC_API_KEY=... $(BIN)/bonafix fix $(PROJECT) --engine claude"

test: lint types units client

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

units: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist worksteal --durations=40 --durations-min=5

# A real Emacs with eglot (Debian: emacs-nox elpa-eglot), which `test` does not ask for.
test-emacs: $(VENV)/.dev
	$(BIN)/python -m pytest tests/e2e/emacs_eglot.py

client: client-vscode/node_modules/.installed
	@export PATH="$$($(BIN)/python client-vscode/scripts/node_path.py $(NODE_MIN)):$$PATH" && \
	cd client-vscode && npm run --silent check

# Opt-in: LiteLLM's proxy and aimock, each installed below .venv on the first run.
peers: $(VENV)/.dev
	@$(BIN)/python -m tests.peers.installing
	$(BIN)/python -m pytest tests/peers

# A real VS Code in a real browser; what it shows is kept in .cache/vscode/pictures.
# Not a part of `make test`: it takes minutes, and 700 MB below .cache; CI runs it. A
# browser on a busy machine stumbles now and then, so what failed gets one more try, and
# says so; why it failed is kept beside the pictures.
TESTS ?= tests/vscode
test-vscode: .cache/vscode/$(CODE_SERVER).installed client-vscode/bonafix.vsix
	@client-vscode/scripts/install_chromium.sh
	@export PATH="$$($(BIN)/python client-vscode/scripts/node_path.py $(NODE_MIN)):$$PATH" && \
	$(BIN)/python -m pytest --reruns 1 $(TESTS)

client-vscode/bonafix.vsix: client-vscode/node_modules/.installed \
		client-vscode/bundled/stamp client-vscode/.vscodeignore \
		client-vscode/package.json $(wildcard client-vscode/*.md client-vscode/src/*.ts) \
		$(wildcard client-vscode/media/* client-vscode/scripts/*.mjs)
	@export PATH="$$($(BIN)/python client-vscode/scripts/node_path.py $(NODE_MIN)):$$PATH" && \
	cd client-vscode && npm run --silent package

# For another platform: `make vsix TARGET=darwin-arm64` (or linux-arm64, win32-x64 ...).
# The stamp goes, so that this machine's bundle is made again when it is wanted.
vsix: client-vscode/node_modules/.installed
	@test -n "$(TARGET)" || { echo "for this machine: make client-vscode/bonafix.vsix; for another: TARGET=..."; exit 1; }
	@$(BIN)/python client-vscode/scripts/bundle_server.py --target $(TARGET)
	@rm client-vscode/bundled/stamp
	@export PATH="$$($(BIN)/python client-vscode/scripts/node_path.py $(NODE_MIN)):$$PATH" && \
	cd client-vscode && npm run --silent package -- bonafix-$(TARGET).vsix

# The server that the extension brings along. It looks itself whether anything changed.
client-vscode/bundled/stamp: $(VENV)/.dev pyproject.toml client-vscode/tool/start.py \
		$(wildcard client-vscode/scripts/*.py) \
		$(shell find server -type f -not -path '*/__pycache__/*')
	@$(BIN)/python client-vscode/scripts/bundle_server.py

.cache/vscode/$(CODE_SERVER).installed: client-vscode/scripts/install_editor.sh $(VENV)/.dev
	@echo "setting up a VS Code (once)"
	@$(BIN)/python -m pip install --quiet --group vscode
	@export PATH="$$($(BIN)/python client-vscode/scripts/node_path.py $(NODE_MIN)):$$PATH" && \
	client-vscode/scripts/install_editor.sh .cache/vscode $(CODE_SERVER)
	@touch $@

# The whole zoo, then DATA if there is some; each with and without the taint stage. What
# falls short of a goal is printed as it is, so 1 is no failure of the report. With a
# JOURNAL it goes on where it was interrupted: take a new one for another gate.
gate-report: $(VENV)/project/.installed
	@$(BIN)/python -m bonafix selftest --full --jobs $(JOBS) \
		--interpreter $(VENV)/project/bin/python \
		$(if $(JOURNAL),--journal "$(JOURNAL)"); code=$$?; \
	if [ $$code -ne 0 ] && [ $$code -ne 1 ]; then exit $$code; fi
	@if [ -n "$(DATA)" ]; then echo && echo "development set: $(DATA)" && \
		$(BIN)/python benchmarks/gate_report.py DATA="$(DATA)" JOBS=$(JOBS) \
		JOURNAL="$(JOURNAL)"; fi

# `bonafix fix --engine search` on the fixtures and the zoo (its held-out projects only
# with HALF=untouched or both), then on each bug of DATA, as a project of its own. With a
# JOURNAL it goes on where it was interrupted: take a new one for another engine.
search-report: $(VENV)/project/.installed
	@$(BIN)/python benchmarks/search_projects.py \
		INTERPRETER=$(VENV)/project/bin/python SHOW=yes JOURNAL="$(JOURNAL)" \
		HALF=$(or $(HALF),tuning) LIMIT=$(or $(LIMIT),1000000)
	@if [ -n "$(DATA)" ]; then echo && echo "development set: $(DATA)" && \
		$(BIN)/python benchmarks/search_report.py DATA="$(DATA)" JOBS=$(JOBS) \
		INTERPRETER=$(VENV)/project/bin/python SHOW=yes JOURNAL="$(JOURNAL)" \
		HALF=$(or $(HALF),both) LIMIT=$(or $(LIMIT),1000000); fi

# Scripted repairs of the fixtures, no key needed; fails where a request does not go on
# from the one before it, byte for byte.
token-report: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.token_report

# Both fetch real libraries on first use. With a JOURNAL they go on where they were
# interrupted. The second fails where an outcome is different and nothing explains it.
bench: $(VENV)/.dev
	@$(BIN)/python benchmarks/bench.py N=$(or $(N),6) ROWS="$(ROWS)" \
		JOURNAL="$(JOURNAL)" LIBRARIES="$(LIBRARIES)" PLOT="$(PLOT)"

tiers-report: $(VENV)/.dev
	@$(BIN)/python benchmarks/tiers_report.py N=$(or $(N),5) \
		MUTANTS=$(or $(MUTANTS),20) $(if $(DATA),DATA="$(DATA)") \
		$(if $(JOURNAL),JOURNAL="$(JOURNAL)")

client-vscode/node_modules/.installed: client-vscode/package-lock.json $(VENV)/.dev
	@export PATH="$$($(BIN)/python client-vscode/scripts/node_path.py $(NODE_MIN)):$$PATH" && \
	cd client-vscode && npm ci --no-audit --no-fund
	@touch $@

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "Bonafix needs Python 3.11 or newer on PATH (or: make PYTHON=/path/to/python3)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "the venv module does not work here; on Debian and Ubuntu: apt install python3-venv"; rm -rf $(VENV); exit 1; }
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.python
	@echo "setting up $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/project/.installed: $(VENV)/.installed
	@$(BIN)/python -m venv --without-pip $(VENV)/project
	@$(BIN)/python -m pip --python $(VENV)/project/bin/python install --quiet pytest
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	@echo "setting up the development tools (once)"
	@$(BIN)/python -m pip install --quiet --group dev
	@touch $@

clean:
	rm -rf $(VENV) .cache client-vscode/node_modules client-vscode/dist client-vscode/bundled client-vscode/*.vsix
