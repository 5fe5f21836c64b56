BACKUP := $(filter-out %/main.c,$(wildcard services/backup/*.c services/backup/*/*.c))
$(eval $(call library,backup,$(BACKUP)))
ifneq ($(wildcard services/backup/main.c),)
$(eval $(call program,cairn-backup,services/backup/main.c,backup.a libproto.a libshared.a))
endif
