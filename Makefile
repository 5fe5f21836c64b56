# Cairn. `make help` lists the targets; BUILD=debug|release|asan|tsan chooses the flavour.
.DEFAULT_GOAL := all
include mk/flags.mk mk/rules.mk
include libshared/module.mk proto/module.mk
include $(sort $(wildcard services/*/module.mk)) $(wildcard cli/module.mk db/module.mk) tests/module.mk

.PHONY: all tests-build test-unit help clean FORCE
all: $(PROGRAMS) ## build every program (BUILD=debug|release|asan|tsan)

tests-build: $(TESTS)

test-unit: $(TESTS) ## build and run the unit tests
	@fail=0; for t in $(TESTS); do $$t || fail=1; done; exit $$fail

clean: ## remove build/
	rm -rf build

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

-include $(DEPS)
