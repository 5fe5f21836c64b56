$(eval $(call library,migrate,$(filter-out %/main.c,$(wildcard db/migrate/*.c))))
$(eval $(call program,cairn-migrate,db/migrate/main.c,migrate.a libshared.a))
