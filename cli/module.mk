$(eval $(call program,cairn-eval,$(wildcard cli/eval/*.c),libshared.a))
$(eval $(call program,cairn-keys,$(wildcard cli/keys/*.c),libshared.a))
$(eval $(call program,cairn-sample,$(wildcard cli/sample/*.c),libshared.a))
$(eval $(call program,cairn-stack,$(wildcard cli/stack/*.c),libshared.a))
