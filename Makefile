# The verbs of this project; bare `make` lists them.
.DEFAULT_GOAL := help
.PHONY: help demo test ui dashboard browser docs bench lint format lock clean

bin := .venv/bin
export SEGMENTS_HOME ?= $(CURDIR)/data

help: ## List the verbs
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: ## From a fresh clone to published segments of the sample shop
	@./segments generate
	@./segments run

test: ## Everything that checks the project, fast to slow (what CI calls)
	@requirements/sync.sh dev
	@$(MAKE) --no-print-directory lint
	$(bin)/python -m pytest --numprocesses 2 --dist loadfile

ui: ## Dagster's UI and daemon, on http://127.0.0.1:3000
	@SEGMENTS_ENVIRONMENT="$${SEGMENTS_ENVIRONMENT:-development}" ./segments ui

dashboard: ## The dashboard of what is published, on http://127.0.0.1:8501
	@requirements/sync.sh dashboard
	@./segments dashboard

browser: ## Debian's Chromium and Chinese fonts, for the dashboard's tests (as root)
	@tests/dashboard/install_browser.sh

docs: ## The data dictionary, and dbt's documentation as one page
	@./segments dbt docs generate --static --quiet
	@PYTHONPATH=. $(bin)/python -m orchestration.dictionary
	@echo "Open $(SEGMENTS_HOME)/warehouse/target/static_index.html"

bench: ## What it costs beside a script by hand and its budgets (ORDERS=20000000: the big one)
	@requirements/sync.sh dev
	@PYTHONPATH=. $(bin)/python -m benchmarks --orders $(or $(ORDERS),2000000)

lint: ## Formatting and lint of Python and SQL
	@requirements/sync.sh dev
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	@mkdir -p target/lint/warehouse
	SEGMENTS_HOME="$(CURDIR)/target/lint" $(bin)/sqlfluff lint --processes 2 --disable-progress-bar models tests
	$(bin)/sqlfluff lint --disable-progress-bar --templater raw docs/questions

format: ## Mend what lint finds, where a tool can
	@requirements/sync.sh dev
	$(bin)/ruff check --fix .
	$(bin)/ruff format .
	@mkdir -p target/lint/warehouse
	SEGMENTS_HOME="$(CURDIR)/target/lint" $(bin)/sqlfluff fix --disable-progress-bar models tests
	$(bin)/sqlfluff fix --disable-progress-bar --templater raw docs/questions

lock: ## Resolve the requirements anew
	@requirements/sync.sh dev
	@requirements/lock.sh --upgrade

clean: ## Remove what dbt and the tests left; the data stay
	@rm -rf target logs .pytest_cache .ruff_cache .hypothesis
