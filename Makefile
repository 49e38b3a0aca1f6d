# Everything happens in .venv, which the first command makes. `make help` lists the commands.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# TensorFlow without CUDA. Where that build does not exist (macOS): make TENSORFLOW=tensorflow ...
TENSORFLOW ?= tensorflow-cpu
ENGINES := jax,torch,openvino

# Further arguments for pytest: make test ARGS="tests/ops -k softmax"
ARGS ?=
# Each worker imports every engine (1 GiB before any test): two fill two cores, and OpenMP then
# gets one thread in each. 0 runs the tests without workers, for a debugger.
WORKERS ?= 2
# The tests compile tens of thousands of programs and run most of them once: XLA is to take the
# shortest way there, and keep NaN in maxima as it does on the longer one.
QUICK_XLA := --xla_cpu_use_fusion_emitters=false --xla_cpu_enable_fast_min_max=false \
  --xla_backend_optimization_level=0
# make demo BACKENDS=all
BACKENDS ?= jax

ifeq ($(BACKENDS),all)
  demo_stamp := $(VENV)/.stamp-engines
  demo_arguments := --backends all
else ifeq ($(BACKENDS),jax)
  demo_stamp := $(VENV)/.stamp-demo
  demo_arguments :=
else
  $(error BACKENDS is "jax" or "all", not "$(BACKENDS)")
endif

.DEFAULT_GOAL := help
.PHONY: help demo test doctest lint format bench docs clean
# Targets share one .venv: never install into it twice at once.
.NOTPARALLEL:

help: ## list these commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

demo: $(demo_stamp) ## train on the digits (BACKENDS=all: on every engine)
	OMP_NUM_THREADS=1 $(BIN)/python examples/digits.py $(demo_arguments)

test: $(VENV)/.stamp-dev ## run the tests on every engine (ARGS=... goes to pytest)
	OMP_NUM_THREADS=1 TF_CPP_MIN_LOG_LEVEL=2 XLA_FLAGS="$(QUICK_XLA)" \
	  $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

doctest: $(VENV)/.stamp-dev ## run the examples in the docstrings
	TF_CPP_MIN_LOG_LEVEL=2 $(BIN)/python -m pytest --doctest-modules kerata $(ARGS)

lint: $(VENV)/.stamp-lint ## ruff, mypy and the size budgets
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python tools/budgets.py

format: $(VENV)/.stamp-lint ## let ruff mend what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/.stamp-dev ## run every script in benchmarks/
	@set -e; for script in $$(grep -ls '__main__' benchmarks/*.py); do \
	  echo "== $$script"; TF_CPP_MIN_LOG_LEVEL=2 $(BIN)/python $$script; done

docs: $(VENV)/.stamp-docs ## build the documentation into site/
	$(BIN)/mkdocs build --strict

clean: ## remove .venv and whatever was built
	rm -rf $(VENV) build dist site .mypy_cache .pytest_cache .ruff_cache

# A stamp says that a set of packages is in .venv.

$(VENV)/pyvenv.cfg:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.stamp-%: $(VENV)/pyvenv.cfg pyproject.toml constraints.txt
	$(PIP) $(packages) -e ".$(extras)"
	@touch $@

$(VENV)/.stamp-demo: extras := [jax,plot]
$(VENV)/.stamp-engines: extras := [$(ENGINES),plot]
$(VENV)/.stamp-engines: packages := $(TENSORFLOW)
$(VENV)/.stamp-dev: extras := [$(ENGINES),data,plot,tensorboard,orbax,sklearn,flax,dev]
$(VENV)/.stamp-dev: packages := $(TENSORFLOW)
$(VENV)/.stamp-lint: packages := ruff mypy
$(VENV)/.stamp-docs: extras := [docs]
