# The commands of the house. `make demo` and `make test` set up what they need; a second run is fast.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check clean
PYTEST_ARGS ?=
# TRAIN=1 adds the train extra (torch) and its tests.
TESTS := $(if $(TRAIN),train,test)

help:
	@echo 'make demo    set up, then run the main job on a town of made-up sites; console at http://127.0.0.1:8000'
	@echo 'make test    set up, then all tests; TRAIN=1 adds torch and the training tests'
	@echo 'make check   set up, then ruff, mypy, import contracts, rules and platforms'
	@echo 'make setup   set up only; looks again for a browser or font that was missing'
	@echo 'make clean   take away .venv, .setup and caches; never the data in var/'

setup:
	@WANGXUN_SETUP_AGAIN=1 sh setup.sh $(if $(TRAIN),train,run)

demo:
	@sh setup.sh run
	@.venv/bin/wangxun demo

test:
	@sh setup.sh $(TESTS)
	@if .venv/bin/python -c 'import torch' 2>/dev/null; then \
	  exec .venv/bin/python -m pytest -n 3 $(PYTEST_ARGS); \
	else \
	  echo 'torch is not installed, so the training tests are left out; make test TRAIN=1 adds them'; \
	  exec .venv/bin/python -m pytest -n 3 -m 'not train' $(PYTEST_ARGS); \
	fi

# All of them, even where the first finds something: a person mends it in one go.
check:
	@sh setup.sh $(TESTS)
	@status=0; \
	for step in 'ruff check .' 'mypy' 'lint-imports' 'wangxun rules check' 'wangxun platforms check'; do \
	  echo "check: $$step"; .venv/bin/$$step || status=1; \
	done; \
	exit $$status

clean:
	rm -rf .venv .setup .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
