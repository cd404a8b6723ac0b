# `make help` lists every target. Options are make variables: make run CUSTOMERS=1000 SEED=7
.DEFAULT_GOAL := help
SHELL := /bin/sh

# the first Python that is new enough and not too new
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
DATA_DIR ?= data

CHURN := $(BIN)/python -m flows
export PYTHONUNBUFFERED := 1

# What may follow `make` as NAME=value: options of a command, of a system, of the API and of this file. Make puts each into
# the environment of what it starts. airbyte/connections.yml names some more.
OPTIONS := ORDERS SOURCE CONTACTS PRODUCTS AS_OF HORIZON_DAYS CLV_DAYS CURRENCY ACCEPT CUSTOMERS SEED DATA_DIR WAREHOUSE MODELS \
	TRAINING_CUSTOMERS PREDICTIONS_KEPT_DAYS REVIEW_SEGMENTS SHOW_PII CRM_LINK PAGE_LINK THREADS TIMINGS GLOBAL_HOLDOUT DESTINATION \
	CAMPAIGN_FILES WORKBOOK_LANGUAGE OUTPUTS STALE_AFTER_DAYS STOP_SENDING_AFTER_DAYS SYNC_FAILED LOSS_UP_ALERT REJECTED_ALERT \
	FILE PERSON LAUNCH PLAN VERSION HOST PORT MCP_PORT SEND LAMBDA_PYTHON QUEUE_URL DEAD_LETTER_QUEUE_URL AWS_REGION AWS_ENDPOINT_URL_S3 ENV_FILE \
	PREFECT_API_URL PREFECT_API_KEY REPOSITORY_URL REPOSITORY_TOKEN_BLOCK MANAGED_BY RUNS_ON RUNS_ROLE GIT_COMMIT CODE_DIRECTORY LOCAL_POOL \
	$(addprefix ALERTS_,TO SECRET SENDER RECIPIENTS) \
	$(addprefix SNOWFLAKE_,BLOCK ACCOUNT USER PRIVATE_KEY PRIVATE_KEY_FILE PRIVATE_KEY_PASSPHRASE PASSWORD ROLE WAREHOUSE \
		DATABASE SCHEMA QUERY_TAG STATEMENT_TIMEOUT_SECONDS SCORING HOST PORT PROTOCOL) \
	$(addprefix AIRBYTE_,URL CLIENT_ID CLIENT_SECRET BLOCK CONNECTIONS SYNC_TIMEOUT_SECONDS ON_TIMEOUT) \
	$(addprefix TABLEAU_,URL SITE TOKEN_NAME TOKEN_SECRET BLOCK PROJECT REQUEST_TIMEOUT_SECONDS JOB_TIMEOUT_SECONDS \
		SNOWFLAKE_USER SNOWFLAKE_ROLE SNOWFLAKE_WAREHOUSE SNOWFLAKE_PASSWORD) \
	$(addprefix DIGEST_,TO FROM LANGUAGE WEEKDAY SMTP_HOST SMTP_PORT SMTP_SECURITY SMTP_USER SMTP_PASSWORD SLACK_URL TEAMS_URL BLOCK) \
	$(addprefix KLAVIYO_,API_KEY BLOCK BASE_URL CREATE_PROFILES) \
	$(addprefix BREVO_,API_KEY BLOCK BASE_URL CREATE_CONTACTS SUPPRESS_OPT_OUTS) \
	$(addprefix MAILCHIMP_,API_KEY BLOCK AUDIENCE BASE_URL CREATE_MEMBERS SUPPRESS_OPT_OUTS) \
	$(addprefix HUBSPOT_,ACTIVATION_TOKEN ACTIVATION_BLOCK BASE_URL CREATE_CONTACTS) \
	WHEN_NOT_STORED API_KEYS API_KEYS_SECRET TRUSTED_ROLE_ARNS SHOP_TIME_ZONE BASE_PATH LOG_LEVEL \
	PYTHON VENV SHELL

given := $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))
unknown := $(filter-out $(OPTIONS),$(given))
ifneq ($(unknown),)
unknown := $(filter-out $(shell grep -o '$${[A-Z0-9_]*' airbyte/connections.yml | tr -d '$${'),$(unknown))
endif
nearest = $(shell $(PYTHON) -c 'import difflib, sys; print(*difflib.get_close_matches(sys.argv[1], sys.argv[2:], 1, 0.5))' $(1) $(OPTIONS))
ifneq ($(unknown),)
$(foreach name,$(unknown),$(info $(name)=: no target takes it.$(if $(call nearest,$(name)), Is $(call nearest,$(name))= meant?)))
$(error Nothing was started. docs/configuration.md lists the options; a variable for another program goes before make: $(firstword $(unknown))=… make …)
endif

.PHONY: help run inspect campaign activate publish validate-workbook serve digest mcp promote rollback package env deploy alert-test erase forget person docs redrive test test-fast test-release smoke-snowflake airflow checkov clients metricflow check bench lint types explore generate lock champion screenshots clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-17s %s\n", $$1, $$2}'

run: $(BIN)/churn ## simulate a shop, or read ORDERS= (with SOURCE=, AS_OF=, HORIZON_DAYS=, CURRENCY=), and score it
	@$(CHURN) run

inspect: $(BIN)/churn ## show what a run would read from ORDERS= (with SOURCE=, CONTACTS=, PRODUCTS=), and the entry to write for a file that is not known
	@$(CHURN) inspect

campaign: $(BIN)/churn ## show who the campaign of FILE= would contact and what it could show; LAUNCH=1 freezes and sends it; PLAN=1: the next three
	@$(CHURN) campaign $(if $(filter-out 0 n no f false off,$(LAUNCH)),launch,$(if $(filter-out 0 n no f false off,$(PLAN)),plan,preview)) $(if $(FILE),"$$FILE")

activate: $(BIN)/churn ## send every customer's segment and risk to DESTINATION= (hubspot, or a file: csv, mailchimp, …)
	@$(CHURN) activate

publish: $(BIN)/churn ## publish the last run's workbook and customers on the Tableau site of TABLEAU_URL=
	@$(CHURN) publish

validate-workbook: $(BIN)/churn ## check with the Tableau of TABLEAU_URL= whether it opens tableau/marketing.twb (or FILE=)
	@$(CHURN) validate-workbook $(if $(FILE),"$$FILE")

serve: $(BIN)/churn ## answer POST /predict on 127.0.0.1:8000 (PORT=) with the champion model; campaigns by hand at /campaigns
	@$(CHURN) serve

digest: $(BIN)/churn ## write what changed in a week as e-mail and messages, in both languages; SEND=1 sends it to DIGEST_TO= and the like
	@$(CHURN) digest

mcp: $(BIN)/churn ## answer agents (Model Context Protocol) on the standard streams, or on 127.0.0.1:MCP_PORT=; read-only
	@$(CHURN) mcp

promote: $(BIN)/churn ## make the stored model VERSION= the champion
	@$(CHURN) models promote $(if $(VERSION),"$$VERSION")

rollback: $(BIN)/churn ## make the previous champion the champion again
	@$(CHURN) models rollback

package: $(BIN)/churn ## build the Lambda packages into dist/, with the champion model
	@$(CHURN) package

env: $(BIN)/churn ## write Terraform's outputs to .env (or ENV_FILE=), without secrets
	@$(CHURN) env

deploy: $(BIN)/churn ## create work pools, deployments and automations on the Prefect server of PREFECT_API_URL=
	@$(CHURN) deploy

alert-test: $(BIN)/churn ## send one alert to the receiver of ALERTS_TO=, to see it arrive
	@$(CHURN) alert-test

erase: $(BIN)/churn ## erase the people in FILE=, one customer id or e-mail address per line, for good
	@$(CHURN) erase $(if $(FILE),"$$FILE")

forget: ## the old name of make erase
	@echo "make forget is make erase now, and nobody was erased: make erase FILE=$(or $(FILE),people.txt)" >&2; exit 2

person: $(BIN)/churn ## write everything that is kept about PERSON=, a customer id or e-mail address, to FILE= (person.html)
	@$(CHURN) person $(if $(PERSON),"$$PERSON" $(if $(FILE),"$$FILE"))

docs: $(BIN)/churn ## write dbt's documentation of all models, columns, tests and exposures, as of the last run
	@$(CHURN) docs

redrive: $(BIN)/churn ## put the messages of DEAD_LETTER_QUEUE_URL= back on QUEUE_URL=
	@$(CHURN) redrive

PYTEST = $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test: check $(VENV)/dev $(VENV)/cdk/ready $(VENV)/terraform/ready ## all checks, and all tests but the slowest
	@$(PYTEST) -m "not release"

test-release: $(VENV)/dev $(VENV)/cdk/ready $(VENV)/terraform/ready ## the slowest tests, which are part of CI and of a release
	@$(PYTEST) -m release

# without the plugin of schemathesis, which loads for a second in each worker and is for integration tests
test-fast: $(VENV)/dev $(VENV)/cdk/ready ## the tests for every day: unit and contract tests
	@$(PYTEST) -p no:schemathesis -m "not processes" tests/unit tests/contract

smoke-snowflake: $(VENV)/dev ## test against your Snowflake account, given by SNOWFLAKE_ACCOUNT and the like
	@$(BIN)/python -m pytest tests/smoke

check: lint types ## style, import rules and types

lint: $(VENV)/dev ## style and import rules
	@$(BIN)/ruff check -q . && $(BIN)/ruff format -q --check . && $(BIN)/lint-imports --no-logo

types: $(VENV)/dev ## types, by mypy
	@$(BIN)/mypy

bench: $(VENV)/dev $(VENV)/cdk/ready $(VENV)/peers/ready $(VENV)/uplift/ready $(VENV)/recommenders/ready ## measure speed, memory and model quality, and write docs/benchmarks.md
	@$(BIN)/python -m tests.benchmarks

metricflow: $(VENV)/metricflow/ready ## install MetricFlow in an environment of its own, for the test that queries the metrics by it

checkov: $(VENV)/checkov/ready ## install checkov in an environment of its own, for the test of Terraform's plan

clients: $(VENV)/clients/ready ## install generators of API clients in an environment of their own, for the test that calls the API by them

airflow: $(VENV)/airflow/ready ## install Airflow in an environment of its own, for the test that calls the API from it

explore: $(VENV)/dev ## open the page on which an analyst changes a feature and compares models
	@$(BIN)/marimo edit model_artifacts/exploration.py

generate: $(VENV)/dev ## rewrite dbt's columns of features and predictions from their definitions in functions/
	@$(BIN)/python -m flows.adapters.dbt.generate

champion: $(BIN)/churn ## train the model that comes with the project again, into model_artifacts/
	@DATA_DIR="$(DATA_DIR)/champion" $(CHURN) models ship

screenshots: $(VENV)/dev ## take the screenshots of the README again, from the last run
	@$(BIN)/python -m tests.screenshots

lock: $(VENV)/uv ## compile requirements/ from pyproject.toml again
	@$(BIN)/uv pip compile -q pyproject.toml --group dev $(COMPILE) -o requirements/dev.txt
	@$(BIN)/uv pip compile -q pyproject.toml --group pipeline $(COMPILE) -c requirements/dev.txt -o requirements/pipeline.txt
	@$(BIN)/uv pip compile -q pyproject.toml --group api $(COMPILE) -c requirements/dev.txt -o requirements/api.txt
	@$(BIN)/uv pip compile -q pyproject.toml --group sink $(COMPILE) -c requirements/dev.txt -o requirements/sink.txt
	@$(BIN)/uv pip compile -q pyproject.toml --group cdk $(COMPILE) -o requirements/cdk.txt
	@$(BIN)/uv pip compile -q pyproject.toml --group airflow $(COMPILE) -o requirements/airflow.txt
	@$(BIN)/uv pip compile -q pyproject.toml --group terraform $(COMPILE) -o requirements/terraform.txt
	@$(BIN)/uv pip compile -q pyproject.toml --group clients $(COMPILE) -o requirements/clients.txt
	@$(BIN)/uv pip compile -q pyproject.toml --group checkov $(COMPILE) -o requirements/checkov.txt
	@$(BIN)/uv pip compile -q pyproject.toml --group metricflow $(COMPILE) -c requirements/dev.txt -o requirements/metricflow.txt
	@$(BIN)/uv pip compile -q pyproject.toml --group peers $(COMPILE) -o requirements/peers.txt
	@$(BIN)/uv pip compile -q pyproject.toml --group uplift $(COMPILE) -o requirements/uplift.txt
	@$(BIN)/uv pip compile -q pyproject.toml --group recommenders $(COMPILE) -o requirements/recommenders.txt
COMPILE := --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command 'make lock'

clean: ## remove the environment and everything that runs wrote
	@rm -rf $(VENV) $(DATA_DIR) dist

# The environment. dev contains all of pipeline, so one environment is enough.
$(VENV)/uv: requirements/uv.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; none was found. Install one, or set PYTHON=/path/to/python."; exit 1; }
	@echo "setting up $(VENV) (once)" >&2
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/dev: requirements/dev.txt $(VENV)/uv
	@echo "installing the packages of requirements/dev.txt" >&2
	@$(BIN)/uv pip install -q --compile-bytecode --require-hashes -r requirements/dev.txt
	@touch $@ $(VENV)/pipeline

$(VENV)/pipeline: requirements/pipeline.txt $(VENV)/uv
	@echo "installing the packages of requirements/pipeline.txt" >&2
	@$(BIN)/uv pip install -q --compile-bytecode --require-hashes -r requirements/pipeline.txt
	@touch $@

# the command `churn`, from any folder
$(BIN)/churn: $(VENV)/pipeline
	@printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s/python" -P -m flows "$$@"\n' "$(CURDIR)" "$(abspath $(BIN))" > $@
	@chmod +x $@

$(VENV)/%/ready: requirements/%.txt $(VENV)/uv
	@echo "installing the packages of $<" >&2
	@$(BIN)/uv venv -q --clear --python $(BIN)/python $(@D)
	@$(BIN)/uv pip install -q --compile-bytecode --python $(@D)/bin/python --require-hashes -r $<
	@touch $@
