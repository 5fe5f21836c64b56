SHARED := libproto.a libshared.a
$(call tests,tests/unit/libshared,$(SHARED))
$(call tests,tests/unit/proto,$(SHARED))
$(call tests,tests/unit/cli,cairn.a cli.a libshared.a)
$(call tests,tests/unit/wordnet,wordnet.a libshared.a)
$(call tests,tests/unit/migrate,migrate.a libshared.a)
$(foreach s,gateway search embedder graph backup,\
    $(call tests,tests/unit/$(s),$(s).a $(SHARED)))
$(call fuzzers,tests/fuzz/libshared,$(SHARED))
$(call fuzzers,tests/fuzz/proto,$(SHARED))
$(foreach s,gateway search embedder graph backup,\
    $(call fuzzers,tests/fuzz/$(s),$(s).a $(SHARED)))
$(call tests,tests/unit/extract,extract.a $(SHARED))
$(call fuzzers,tests/fuzz/extract,extract.a $(SHARED))
$(call fuzzers,tests/fuzz/cli,cairn.a cli.a libshared.a)
# Answers the queries of the openCypher TCK (tests/tck/run.py).
TCK_SRCS := tests/tck/driver.c tests/tck/show.c
DEPS += $(patsubst %.o,%.d,$(call obj,$(TCK_SRCS)))
SRCS += $(TCK_SRCS)
$(OUT)/tests/tck/driver: $(call obj,$(TCK_SRCS)) $(addprefix $(OUT)/,graph.a $(SHARED))
	$(Q)echo LD $@; $(link)
