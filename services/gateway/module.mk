GATEWAY := $(filter-out %/main.c,$(wildcard services/gateway/*.c services/gateway/*/*.c))
$(eval $(call library,gateway,$(GATEWAY)))
$(OUT)/services/gateway/openapi_answers.o: $(wildcard services/gateway/answers/*.json)
ifneq ($(wildcard services/gateway/main.c),)
$(eval $(call program,cairn-gateway,services/gateway/main.c,gateway.a libproto.a libshared.a))
endif
