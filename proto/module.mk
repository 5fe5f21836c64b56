$(eval $(call library,libproto,$(filter-out proto/document.c,$(wildcard proto/*.c))))
$(eval $(call program,cairn-protocol-doc,proto/document.c,libproto.a libshared.a))
