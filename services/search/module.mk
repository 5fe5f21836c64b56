SEARCH := $(filter-out %/main.c,$(wildcard services/search/*.c services/search/*/*.c))
# Loops over bytes that the compiler is to turn into vectors.
CFLAGS_services/search/vector/codes.c := $(if $(filter release,$(BUILD)),-O3)
$(eval $(call library,search,$(SEARCH)))
ifneq ($(wildcard services/search/main.c),)
$(eval $(call program,cairn-search,services/search/main.c,search.a libproto.a libshared.a))
endif

# What reads uploaded files, a process of its own: only this program is linked with poppler,
# libzip, libxml2 and the like.
EXTRACT := $(filter-out %/main.c,$(wildcard services/search/extract/child/*.c)) \
           services/search/glossary/terms_rules.c
$(eval $(call library,extract,$(EXTRACT)))
$(eval $(call program,cairn-extract,services/search/extract/child/main.c,extract.a libproto.a libshared.a))
