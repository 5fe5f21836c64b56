# Verbs for module.mk files: library, program, tests, fuzzers.
obj = $(patsubst %.c,$(OUT)/%.o,$(1))

define library # name, sources
DEPS += $(patsubst %.o,%.d,$(call obj,$(2)))
SRCS += $(2)
$(OUT)/$(1).a: $(call obj,$(2))
	$(Q)rm -f $$@ && $(AR) rcs $$@ $$^
endef

link = $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group \
       $(filter %.a,$^) -Wl,--end-group $(filter-out %.a,$(LDLIBS))

define program # name, sources, archives
DEPS += $(patsubst %.o,%.d,$(call obj,$(2)))
SRCS += $(2)
PROGRAMS += $(OUT)/bin/$(1)
$(OUT)/bin/$(1): $(call obj,$(2)) $(addprefix $(OUT)/,$(3)) $(filter %.a,$(LLHTTP_LIBS))
	@mkdir -p $$(@D)
	$(Q)echo LD $$@; $$(link)
endef

define test # source, archives
DEPS += $(OUT)/$(1:.c=.d)
SRCS += $(1)
TESTS += $(OUT)/$(1:.c=)
$(OUT)/$(1:.c=): $(call obj,$(1)) $(addprefix $(OUT)/,$(2)) $(filter %.a,$(LLHTTP_LIBS))
	$(Q)echo LD $$@; $$(link) -lcmocka
endef

# Every test_*.c in a folder is one test program. $(1) folder, $(2) archives.
tests = $(foreach t,$(wildcard $(1)/test_*.c),$(eval $(call test,$(t),$(2))))

define fuzzer # source, archives; built by BUILD=fuzz CC=clang, and tried as a test by others
DEPS += $(OUT)/$(1:.c=.d)
SRCS += $(1)
FUZZERS += $(OUT)/$(1:.c=)
$(OUT)/$(1:.c=): $(call obj,$(1)) $(addprefix $(OUT)/,$(2)) $(filter %.a,$(LLHTTP_LIBS))
	$(Q)echo LD $$@; $$(link) -fsanitize=fuzzer
ifneq ($(BUILD),fuzz)
TESTS += $(OUT)/$(1:.c=.replay)
$(OUT)/$(1:.c=.replay): $(call obj,$(1) tests/fuzz/replay.c) $(addprefix $(OUT)/,$(2)) $(filter %.a,$(LLHTTP_LIBS))
	$(Q)echo LD $$@; $$(link)
endif
endef
SRCS += tests/fuzz/replay.c
DEPS += $(OUT)/tests/fuzz/replay.d

# Every fuzz_*.c in a folder is one target. $(1) folder, $(2) archives.
fuzzers = $(foreach t,$(wildcard $(1)/fuzz_*.c),$(eval $(call fuzzer,$(t),$(2))))

# Rebuilt when its source, a header it read (.d), or the flags (stamp) change.
$(OUT)/%.o: %.c $(OUT)/flags.stamp
	@mkdir -p $(@D)
	$(Q)echo CC $<; $(CC) $(CPPFLAGS) $(CFLAGS) $(CFLAGS_$<) -MMD -MP -c $< -o $@

$(OUT)/flags.stamp: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(subst ','\'',$(CPPFLAGS)) $(CFLAGS)' | cmp -s - $@ || \
	    echo '$(CC) $(subst ','\'',$(CPPFLAGS)) $(CFLAGS)' > $@
FORCE:
