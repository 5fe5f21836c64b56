EMBEDDER := $(filter-out %/main.c,$(wildcard services/embedder/*.c services/embedder/*/*.c))
$(eval $(call library,embedder,$(EMBEDDER)))
ifneq ($(wildcard services/embedder/main.c),)
$(eval $(call program,cairn-embedder,services/embedder/main.c,embedder.a libproto.a libshared.a))
endif
