# Cairn. `make help` lists the targets; BUILD=debug|release|asan|tsan chooses the flavour.
.DEFAULT_GOAL := all
include mk/flags.mk mk/rules.mk
include libshared/module.mk proto/module.mk
include $(sort $(wildcard services/*/module.mk)) $(sort $(wildcard cli/module.mk db/module.mk)) \
        tests/module.mk

# A make within has as many jobs as there are cores, unless -j was given.
PARALLEL = --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
PREFIX  ?= /usr/local
DESTDIR ?=
STACK    = build/release/bin/cairn-stack
MODEL    = var/models/use-lite
# A machine that others share stalls now and then: a test that failed once has a second try,
# and the report names it (RERUN).
PYTEST   = /usr/bin/python3 -m pytest -q -rR -p no:cacheprovider --reruns 1
# What is linted: our own C, headers included.
HEADERS  = $(wildcard libshared/include/shared/*.h libshared/src/*.h proto/*.h proto/*/*.h \
             services/*/*.h services/*/*/*.h services/*/*/*/*.h cli/*/*.h cli/*/*/*.h db/*/*.h tests/*/*.h tests/*/*/*.h)
BENCHES  = $(wildcard bench/*/*.c)

.PHONY: all pages deps run tck up down status logs test test-unit test-system test-web test-security test-pgvector test-bolt test-deploy k8s-rules tests-build fuzzers \
        bench bench-edge bench-connections bench-search bench-backup bench-drill bench-recovery bench-filters bench-graph bench-latency test-backup-faults test-faults faults fault-table soak overload load eval web clients lint tidy format asan tsan models fuzz keys docs images test-containers install dist clean help model FORCE

all: $(PROGRAMS) ## build every program (BUILD=debug|release|asan|tsan)

deps: ## install what is missing, from Debian packages
	@scripts/deps.sh build run

# The flags are worked out before a rule runs, so what deps installs needs a make of its own.
run: deps ## start the whole stack in the foreground with real sample documents
	@$(MAKE) $(PARALLEL) BUILD=release all model pages
	@$(STACK) run

up: deps ## start the stack in the background; var/stack.env has its addresses
	@$(MAKE) $(PARALLEL) BUILD=release all model pages
	@$(STACK) up

down: ## stop the stack
	@test ! -x $(STACK) || $(STACK) down

status: ## what runs, and whether it is ready
	@$(STACK) status

logs: ## follow the logs of the stack
	@$(STACK) logs

# Without the package the embedder falls back to the hashing model, and says so.
model: all
	@scripts/fetch-model.sh $(MODEL) || echo "the hashing model will serve instead"

web: ## the web pages, into build/web
	@scripts/build-web.sh

# A machine that reaches no npm registry runs everything but the pages.
pages:
	@scripts/build-web.sh || echo "the gateway will serve the API without pages"

test: ## install, build and run every test: unit, sanitizers, the real stack
	@scripts/deps.sh build run test
	@$(MAKE) $(PARALLEL) BUILD=release all model
	@$(MAKE) $(PARALLEL) BUILD=asan all tests-build
	@$(MAKE) $(PARALLEL) BUILD=asan test-unit
	@$(MAKE) $(PARALLEL) BUILD=tsan test-threads
	@$(MAKE) $(PARALLEL) models
	@$(MAKE) $(PARALLEL) BUILD=asan test-system
	@$(MAKE) $(PARALLEL) BUILD=asan test-security
	@$(MAKE) $(PARALLEL) BUILD=asan test-pgvector
	@$(MAKE) $(PARALLEL) BUILD=asan test-faults
	@$(MAKE) $(PARALLEL) test-web

tests-build: $(TESTS) ## build the unit tests

test-unit: $(TESTS) ## build and run the unit tests of this BUILD
	@scripts/run-unit-tests.sh $(OUT) $(TESTS)

# The parts that are used by more than one thread, under ThreadSanitizer.
THREADED = $(filter %/test_workers %/test_http_packing %/test_metrics %/test_log %/test_view %/test_rpc_keys \
                   %/test_hnsw_threads %/test_view_threads %/test_shelf %/test_rpc_states %/test_yield,$(TESTS))
test-threads: $(THREADED)
	@scripts/run-unit-tests.sh $(OUT) $(THREADED)

test-system: all ## run the system tests against the programs of this BUILD
	@CAIRN_BIN=$(OUT)/bin $(PYTEST) --ignore tests/system/test_pgvector.py tests/system

test-security: all ## attack the real stack of this BUILD
	@CAIRN_BIN=$(OUT)/bin $(PYTEST) tests/security

test-pgvector: all ## the pgvector backend's tests (PGVECTOR_DATABASE_URL=postgresql://…)
	@scripts/test-pgvector.sh $(OUT)/bin $(PYTEST)

test-faults: all ## the checker of the fault harness, and a few faults under a checked workload
	@CAIRN_BIN=$(OUT)/bin $(PYTEST) tests/faults

FAULT_RUNS ?= 20
faults: ## FAULT_RUNS random faults under a checked workload (FAULT_SEED repeats, FAULT_ONLY=n one)
	@scripts/deps.sh build run faults
	@$(MAKE) $(PARALLEL) BUILD=release all
	@/usr/bin/python3 tests/faults/run.py --runs $(FAULT_RUNS) $(if $(FAULT_SEED),--seed $(FAULT_SEED)) \
	    $(if $(FAULT_ONLY),--only $(FAULT_ONLY)) $(FAULT_FLAGS)

ROW_RUNS ?= 3
fault-table: ## what each fault costs at 200 requests a second, beside its bars (ROW_RUNS=10)
	@scripts/deps.sh build run faults
	@$(MAKE) $(PARALLEL) BUILD=release all
	@/usr/bin/python3 tests/faults/table.py --runs $(ROW_RUNS) $(FAULT_FLAGS)

SOAK_MINUTES ?= 60
soak: ## an hour at 70 % load with a fault every minute; the chart is build/soak.svg (SOAK_MINUTES=10)
	@scripts/deps.sh build run faults
	@$(MAKE) $(PARALLEL) BUILD=release all
	@/usr/bin/python3 tests/faults/soak.py --minutes $(SOAK_MINUTES) $(SOAK_FLAGS)

test-bolt: ## Neo4j's public driver, from the npm registry, against the stack
	@$(MAKE) $(PARALLEL) BUILD=release all model
	@CAIRN_BIN=build/release/bin $(PYTEST) tests/bolt

# The types of the API's answers come from the gateway's own description.
test-web: ## the web pages in a real Chromium, against the stack; pictures in build/web-screenshots
	@scripts/deps.sh build run test
	@$(MAKE) $(PARALLEL) BUILD=release all model web
	@build/release/bin/cairn-gateway --openapi >build/openapi.json
	@cd web && npm run --silent types >/dev/null && npx --no-install tsc
	@CAIRN_BIN=build/release/bin $(PYTEST) tests/web

clients: ## the clients for TypeScript and Python, from /openapi.json, into build/clients
	@scripts/deps.sh build run
	@$(MAKE) $(PARALLEL) BUILD=release build/release/bin/cairn-gateway
	@build/release/bin/cairn-gateway --openapi >build/openapi.json
	@scripts/build-clients.sh build/openapi.json build/clients
	@echo "build/clients/python, build/clients/typescript: their README.md says how to use them"

test-deploy: ## manifests, alerts, dashboards, workflows; says what it skips for want of a tool
	@scripts/deps.sh build run test deploy
	@$(MAKE) $(PARALLEL) BUILD=release all model
	@CAIRN_BIN=build/release/bin $(PYTEST) -rs tests/deploy

k8s-rules: ## copy compose/monitoring's rules to where Kubernetes and the chart have them
	@scripts/generate-k8s-rules.sh

asan: ## unit and system tests under AddressSanitizer and UBSan
	@$(MAKE) $(PARALLEL) BUILD=asan test-unit
	@$(MAKE) $(PARALLEL) BUILD=asan test-system

tsan: ## the threaded unit tests under ThreadSanitizer
	@$(MAKE) $(PARALLEL) BUILD=tsan test-threads

fuzzers: $(FUZZERS) ## build the fuzz targets (BUILD=fuzz CC=clang)

models: ## check the models of the changefeed and of readers without locks, with spin
	@scripts/deps.sh models
	@tests/models/check.sh build/models

FUZZ_SECONDS ?= 60
fuzz: ## run every fuzz target, or those of FUZZ="a b", for FUZZ_SECONDS each
	@scripts/deps.sh fuzz
	@$(MAKE) $(PARALLEL) BUILD=fuzz CC=clang fuzzers
	@scripts/run-fuzzers.sh build/fuzz $(FUZZ_SECONDS) $(FUZZ)

bench: ## measure against nginx, and search and embedding through the whole stack
	@scripts/deps.sh build run bench
	@$(MAKE) $(PARALLEL) BUILD=release all model
	@/usr/bin/python3 bench/bench.py

bench-edge: ## a cached search with all that guards it, beside nginx and the reference app
	@scripts/deps.sh build run bench
	@$(MAKE) $(PARALLEL) BUILD=release all model
	@/usr/bin/python3 bench/edge/edge.py $(EDGE_FLAGS)

SCALE ?= 1000000
bench-search: ## the vector index beside hnswlib, on GloVe vectors
	@scripts/deps.sh build run bench
	@$(MAKE) $(PARALLEL) BUILD=release all
	@/usr/bin/python3 bench/bench_search.py --scale $(SCALE)

bench-connections: ## what idle, slow and TLS connections cost (CONNECTIONS_FLAGS=--tls)
	@scripts/deps.sh build run bench
	@$(MAKE) $(PARALLEL) BUILD=release all model
	@/usr/bin/python3 bench/connections.py $(CONNECTIONS_FLAGS)

bench-filters: ## filter columns beside asking every document (FILTERS_FLAGS="--each 1")
	@$(MAKE) $(PARALLEL) BUILD=release all
	@/usr/bin/python3 bench/bench_filters.py $(FILTERS_FLAGS)

test-backup-faults: ## kill runs of backup, harm sets, fill disks (KILLS=50 FLIPS=20 DISKS=12 SEED=n)
	@$(MAKE) $(PARALLEL) BUILD=release all
	@CAIRN_BIN=build/release/bin /usr/bin/python3 tests/faults/backup_kills.py
	@CAIRN_BIN=build/release/bin /usr/bin/python3 tests/faults/backup_harm.py

bench-backup: ## making a set beside `pg_dump | zstd` by hand (SIZE_MB=300)
	@scripts/deps.sh build run bench
	@$(MAKE) $(PARALLEL) BUILD=release all model
	@/usr/bin/python3 bench/backup.py

bench-drill: ## a set that is due is made and restored by nobody's hand (SIZE_MB=1024)
	@scripts/deps.sh build run bench
	@$(MAKE) $(PARALLEL) BUILD=release all model
	@/usr/bin/python3 bench/drill.py

bench-recovery: ## what would be lost while the log is stored (LOAD_SECONDS=60 SAMPLES=6)
	@scripts/deps.sh build run bench
	@$(MAKE) $(PARALLEL) BUILD=release all model
	@/usr/bin/python3 bench/recovery_point.py

eval: ## ranking quality on a judged collection (COLLECTION=directory EVAL_FLAGS=--tune)
	@$(MAKE) $(PARALLEL) BUILD=release all model
	@/usr/bin/python3 bench/eval.py $(COLLECTION) $(EVAL_FLAGS)

load: ## fifty users at once, and what they wait for
	@$(MAKE) $(PARALLEL) BUILD=release all model
	@/usr/bin/python3 bench/load.py $(LOAD_FLAGS)

overload: ## ten times what the stack can do, for a minute (OVERLOAD_FLAGS=--times=5)
	@scripts/deps.sh build run bench
	@$(MAKE) $(PARALLEL) BUILD=release all model
	@/usr/bin/python3 bench/overload.py $(OVERLOAD_FLAGS)

bench-graph: ## the graph service with the whole of WordNet (needs wordnet-base)
	@scripts/deps.sh build run bench
	@$(MAKE) $(PARALLEL) BUILD=release all model
	@/usr/bin/python3 bench/graph/graph.py $(GRAPH_FLAGS)

bench-latency: ## search with 100,000 passages at half of the saturation
	@scripts/deps.sh build run bench
	@$(MAKE) $(PARALLEL) BUILD=release all model
	@/usr/bin/python3 bench/latency.py $(LATENCY_FLAGS)

tck: ## the read scenarios of the openCypher TCK: TCK=a checkout of opencypher/openCypher
	@$(MAKE) $(PARALLEL) BUILD=release build/release/tests/tck/driver
	@/usr/bin/python3 tests/tck/run.py --driver build/release/tests/tck/driver --least 70 \
	    --failed build/release/tests/tck/failed.txt $(TCK)
	@echo "what failed: build/release/tests/tck/failed.txt"

lint: ## formatting, clang-tidy, cppcheck; flake8 and shellcheck
	@scripts/deps.sh lint
	@/usr/bin/python3 -m flake8 --max-line-length 100 --extend-exclude node_modules bench clients scripts tests
	@shellcheck -S warning $$(git ls-files '*.sh') .ci/run
	@clang-format --dry-run -Werror $(SRCS) $(BENCHES) $(HEADERS)
	@scripts/lint-c.sh '$(subst ',,$(CPPFLAGS))' $(SRCS) $(BENCHES)

format: ## format our C in place
	@clang-format -i $(SRCS) $(HEADERS)

KEYS ?= var/keys
keys: ## make the key pairs of the bus that are missing in KEYS
	@$(MAKE) $(PARALLEL) BUILD=release build/release/bin/cairn-keys
	@build/release/bin/cairn-keys $(KEYS)
	@echo "$(KEYS)/NAME.key is for NAME alone, $(KEYS)/public for all: docs/operations.md"

docs: all ## write the pages and compose/.env.example that come from the tables in the code
	@scripts/generate-docs.sh $(OUT)/bin

install: ## into $(DESTDIR)$(PREFIX); build with BUILD=release
	@$(MAKE) $(PARALLEL) BUILD=release all pages
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/cairn/migrations
	install -m 755 build/release/bin/cairn build/release/bin/cairn-* $(DESTDIR)$(PREFIX)/bin
	install -m 644 db/migrations/*.sql $(DESTDIR)$(PREFIX)/share/cairn/migrations
	test ! -e build/web/index.html || { rm -rf $(DESTDIR)$(PREFIX)/share/cairn/web && \
	    cp -r build/web $(DESTDIR)$(PREFIX)/share/cairn/web; }
	scripts/install-cli.sh build/release/bin/cairn $(DESTDIR)$(PREFIX)/share
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/lib/sysusers.d \
	    $(DESTDIR)$(PREFIX)/share/doc/cairn
	install -m 644 compose/systemd/*.service compose/systemd/*.target $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 644 compose/systemd/cairn.sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/cairn.conf
	install -m 644 compose/systemd/cairn.env compose/logrotate/cairn $(DESTDIR)$(PREFIX)/share/doc/cairn

# One build of the programs serves all images: their build stages are the same.
TAG         ?= $(shell git describe --tags --always --dirty 2>/dev/null || cat VERSION)
REVISION    ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
REGISTRY    ?=
IMAGES      := gateway search embedder graph backup tools
IMAGE_FLAGS ?=
images: pages ## container images cairn-NAME:TAG and :latest (REGISTRY=ghcr.io/me/ IMAGE_FLAGS=--network=host)
	@REGISTRY='$(REGISTRY)' TAG='$(TAG)' REVISION='$(REVISION)' \
	    scripts/build-images.sh '$(IMAGES)' $(IMAGE_FLAGS)

# Images of others are pulled; where no registry can be reached, stand-ins are built.
# NO_BUILD=1 takes those that are there, as in an engine whose builds have no network.
test-containers: ## images, and the stack of compose.yaml in an engine: up, asked, scaled
	@scripts/test-containers.sh $(if $(NO_BUILD),,'$(MAKE) images IMAGE_FLAGS=$(IMAGE_FLAGS)') -- $(PYTEST) -s -rs

dist: ## source archive in dist/
	@mkdir -p dist
	git archive --prefix=cairn-$(VERSION)/ -o dist/cairn-$(VERSION).tar.gz HEAD
	@echo dist/cairn-$(VERSION).tar.gz

clean: ## remove build/
	rm -rf build

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

-include $(DEPS)
