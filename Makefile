# Works on a machine that has only make and Python 3.10+: scripts/bootstrap installs the rest.
PORT ?= 8000
ENVS ?=
PYTHON = .venv/bin/python

.PHONY: help bootstrap demo quick test test-all soak bench lint format typing package clean
.NOTPARALLEL:

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

bootstrap: ## .venv with the project and its tools (every other target does this by itself)
	@scripts/bootstrap

demo: bootstrap ## serve the demo on http://localhost:8000; PORT=n and STORE=url change that
	@$(PYTHON) -m demo --port $(PORT)

quick: ## only our own tests, in .venv, without the slow ones and the attacks
	@scripts/bootstrap servers
	@.venv/bin/pytest -m "not slow and not package and not attack"

test: bootstrap ## everything that fits in ten minutes; ENVS="lint py312" for some of it
	@$(PYTHON) scripts/check test $(ENVS)

test-all: bootstrap ## everything: all Pythons, all suites on all stores
	@$(PYTHON) scripts/check test-all $(ENVS)

soak: ## the attacks of `make test` with numbers for a night
	@scripts/bootstrap servers
	@SESSIONKIT_SOAK=1 .venv/bin/pytest -m attack --timeout 0

bench: ## what a session costs, beside the peers; QUICK=1, STORE=redis, SCENARIO=read,write for less
	@scripts/bootstrap redis memcached postgresql
	@$(PYTHON) -m benchmarks $(if $(QUICK),--quick) $(if $(STORE),--store $(STORE)) $(if $(SCENARIO),--scenario $(SCENARIO))

lint typing package: bootstrap
	@$(PYTHON) scripts/check test $@

lint: ## ruff and pycodestyle
typing: ## mypy, pyright and verifytypes
package: ## build, inspect and install the wheel

format: bootstrap ## rewrite the sources as `make lint` wants them
	@.venv/bin/ruff check --fix
	@.venv/bin/ruff format

clean: ## remove what was made, but for .venv
	rm -rf .tox .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist *.egg-info .coverage*
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
