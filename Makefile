# The commands of a newcomer, a contributor and the CI. `make` alone lists them.
#
# Everything is made from nothing: git, make and a Python >= 3.11 with venv are enough.
# Variables: PYTHON (the interpreter to start from), PARAMS (of `make demo`), ARGS (of `make test`),
# KILLS, RUNS and SEED (of `make chaos`).

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
SDK := .venvs/sdk
SDK_V3 := .venvs/sdk-v3
OLDEST := .venvs/airflow-3.1
PEER := .venvs/peer
BIN := $(VENV)/bin
DEFINITION := dags/pipelines/abalone/definition.json

PARAMS ?=
KILLS ?= 100
RUNS ?= 100
SEED ?= 1
ARGS ?=

# scripts/environment leaves at once where the environment is there and nothing has changed.
ENVIRONMENT := PYTHON='$(PYTHON)' scripts/environment

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9.-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

# make itself ends with 2 whatever code a recipe ends with, and says so in a line of its own. Not so
# with -q, for a line that is run all the same because of its +: there 0 and 1 come through. So that
# `make demo` tells a failed run (1) from one that could not start (2), as airflow-sm does.
ifeq ($(MAKECMDGOALS),demo)
MAKEFLAGS += -q
endif
.PHONY: demo
demo: ## Run the abalone pipeline on this machine; PARAMS='MseThreshold=0.1 A=b'
	+@$(ENVIRONMENT) $(VENV) && \
	$(BIN)/airflow-sm run $(DEFINITION) $(foreach parameter,$(PARAMS),-p '$(parameter)')

.PHONY: up
up: env ## Start Airflow with its UI, and the local AWS; Ctrl-C stops them
	@$(BIN)/airflow-sm up

.PHONY: test
test: env sdk ## Run the tests, all but those of test-chaos, or ARGS='tests/cli -x'
	@$(BIN)/python -m pytest $(or $(ARGS),--numprocesses=auto --dist=loadfile --ignore=tests/chaos)
ifeq ($(ARGS),)
	@echo "once more in another time zone, what has to do with times:"
	@TEST_TZ=Asia/Kolkata $(BIN)/python -m pytest -q tests/test_jobs.py tests/test_scope.py \
	tests/test_aws.py tests/test_sights.py tests/local/test_listing.py tests/local/test_logs.py
endif

.PHONY: test-chaos
test-chaos: env ## Break a real Airflow, the short form: a few kills, on SQLite
	@$(BIN)/python -m pytest -q tests/chaos/test_kills.py tests/chaos/test_counts.py \
	tests/chaos/test_timeouts.py

.PHONY: test-chaos-long
test-chaos-long: env ## Break a real Airflow in every way that has a test; 15 minutes
	@$(BIN)/python -m pytest -q $(or $(ARGS),tests/chaos)

.PHONY: test-stress
test-stress: env ## Run 50 jobs at once and 1,000 in a row, and count what they leave; 5 minutes
	@SM_PIPELINES_AT_ONCE=50 SM_PIPELINES_IN_A_ROW=1000 SM_PIPELINES_STRESS_SECONDS=300 \
	$(BIN)/python -m pytest -q -s tests/stress $(ARGS)

.PHONY: test-slow
test-slow: env sdk ## Run what takes long: 20,000 damaged definitions, thousands against the SDK, Spark
	@SM_PIPELINES_MUTATIONS=20000 $(BIN)/python -m pytest -q tests/corpus tests/diagrams $(ARGS)
	@DIFFERENTIAL_EXAMPLES=2000 $(SDK)/bin/python -m pytest -q --confcutdir=tests/differential \
	tests/differential $(ARGS)
	@SM_PIPELINES_SPARK=1 $(BIN)/python -m pytest -q tests/local/emr/test_real_spark.py

# What Airflow 3.1 can do of it; docs/airflow-versions.md tells the difference. Its own parts import
# each other by names that it has deprecated.
RUN_TIME := tests/caching tests/runs $(addprefix tests/test_,$(addsuffix .py, \
	aws cache connections dag deployments endings experiments finishing jobs links loader looks \
	operators patience poller provider requests scope sensors settings sights triggers \
	turns))

.PHONY: test-airflow-3.1
test-airflow-3.1: env ## Run the tests of the run time with the oldest Airflow that we support
	@$(ENVIRONMENT) $(OLDEST)
	@$(OLDEST)/bin/python -m pytest -q -W ignore::FutureWarning -W ignore::DeprecationWarning \
	$(or $(ARGS),$(RUN_TIME))

.PHONY: chaos
chaos: env ## Kill processes of a real Airflow, 100 times over 100 runs; KILLS, RUNS, SEED
	@$(BIN)/python -m tests.chaos --kills $(KILLS) --runs $(RUNS) --seed $(SEED)

.PHONY: check
check: env ## Check format, lint and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

.PHONY: format
format: env ## Format the code, and fix what can be fixed
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: definition
definition: env sdk ## Build the example's definition.json again, with the SageMaker SDK
	@$(BIN)/airflow-sm local --port 0 --root .sm-local/definition -- \
	$(SDK)/bin/python dags/pipelines/abalone/pipeline.py

.PHONY: docs
docs: env ## Write docs/semantics.md again, from the table of what a definition becomes
	@$(BIN)/python -m airflow_sm_pipelines.fidelity

# benchmarks/local_aws.py has these in one run.
PARTS := $(addprefix benchmarks/,local_job.py objects.py transform.py)

.PHONY: bench
bench: env peer ## Print the figures of benchmarks/, with 50 waiting jobs
	@for benchmark in $(filter-out $(PARTS) benchmarks/waiting.py,$(wildcard benchmarks/*.py)); do \
	$(BIN)/python "$$benchmark" || exit; done
	@$(BIN)/python benchmarks/waiting.py --jobs 50 --others 100 --seconds 30 --poll-seconds 10

.PHONY: bench-local
bench-local: env ## Print the figures of the local AWS: start, jobs, transform, large objects, memory
	@$(BIN)/python benchmarks/local_aws.py

.PHONY: bench-waiting
bench-waiting: env peer ## Print the figures of 1,000 jobs waiting at once; takes 17 minutes
	@$(BIN)/python benchmarks/waiting.py $(ARGS)

.PHONY: clean
clean: ## Remove the environments, and what runs and tests have left
	rm -rf $(VENV) .venvs .sm-local .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: env
env:
	@$(ENVIRONMENT) $(VENV)

.PHONY: sdk
sdk: env ## Make the environments of the SageMaker SDKs, which cannot share Airflow's
	@$(ENVIRONMENT) $(SDK)
	@$(ENVIRONMENT) $(SDK_V3)

.PHONY: peer
peer: env ## Make the environment of what we are measured against
	@$(ENVIRONMENT) $(PEER)
