$(eval $(call library,libproto,$(filter-out proto/document.c,$(wildcard proto/*.c))))
