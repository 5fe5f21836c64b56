GRAPH := $(filter-out %/main.c,$(wildcard services/graph/*.c services/graph/*/*.c))
$(eval $(call library,graph,$(GRAPH)))
ifneq ($(wildcard services/graph/main.c),)
$(eval $(call program,cairn-graph,services/graph/main.c,graph.a libproto.a libshared.a))
endif
