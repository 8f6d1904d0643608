# The project's commands; `make run` and `make demo` need nothing but Python 3.11 or newer.
PORT ?= 8000
HOST ?= 127.0.0.1
ARGS ?=
PYTHON_IN_VENV := .venv/bin/python

ifneq ($(wildcard ../shared/data),)
TAXON_TEST_DATA ?= $(abspath ../shared/data)
export TAXON_TEST_DATA
endif

.PHONY: help setup setup-dev run demo test faults lint bench doctor lock messages

help:
	@echo "make setup   .venv and everything the other commands need"
	@echo "make run     the whole product on http://$(HOST):$(PORT)"
	@echo "make demo    the main job, end to end, on pictures drawn by the project itself"
	@echo "make test    every test   (ARGS='-k name' for some)"
	@echo "make faults  the long runs that kill, freeze and starve processes"
	@echo "make lint    every check that reads the code"
	@echo "make bench   the benchmarks"
	@echo "make doctor  checks every component and says how to mend it"
	@echo "make lock    the lock files anew   (ARGS=--upgrade for newer versions)"

setup:
	@deploy/setup requirements.txt

setup-dev: setup
	@deploy/setup requirements-dev.txt

run: setup
	@exec $(PYTHON_IN_VENV) manage.py up --port $(PORT) --host $(HOST)

demo: setup
	@exec $(PYTHON_IN_VENV) manage.py demo --port $(PORT)

doctor: setup
	@exec $(PYTHON_IN_VENV) manage.py doctor

test: TAXON_WEIGHTS_DIR ?= $(abspath $(wildcard ../shared/weights))
test: setup-dev
	@deploy/test-tools
	@TAXON_WEIGHTS_DIR="$(TAXON_WEIGHTS_DIR)" deploy/test $(ARGS)

faults: SECURITY := $(addprefix tests/security/test_, fuzz.py odd_input.py xss_browser.py)
faults: ENGINE := tests/training/engine/test_ranks.py
faults: setup-dev
	@TAXON_FAULTS=long $(PYTHON_IN_VENV) -m pytest tests/faults $(SECURITY) $(ENGINE) -s $(ARGS)

lint: setup-dev
	$(PYTHON_IN_VENV) -m ruff check .
	$(PYTHON_IN_VENV) -m djlint templates --lint --quiet
	PYTHONPATH=platform .venv/bin/lint-imports
	SECRET_KEY=only-for-reading-types-0123456789abcdef $(PYTHON_IN_VENV) -m mypy

bench: TAXON_WEIGHTS_DIR ?= $(abspath $(wildcard ../shared/weights))
bench: setup-dev
	TAXON_WEIGHTS_DIR="$(TAXON_WEIGHTS_DIR)" $(PYTHON_IN_VENV) -m pytest tests/benchmarks -o python_files="bench_*.py" -s $(ARGS)

lock: setup-dev
	deploy/lock $(ARGS)

messages: setup-dev
	$(PYTHON_IN_VENV) manage.py makemessages --locale zh_Hans --no-wrap --add-location file --ignore .venv --ignore var
