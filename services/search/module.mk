SEARCH := $(filter-out %/main.c,$(wildcard services/search/*.c services/search/*/*.c))
$(eval $(call library,search,$(SEARCH)))
ifneq ($(wildcard services/search/main.c),)
$(eval $(call program,cairn-search,services/search/main.c,search.a libproto.a libshared.a))
endif
