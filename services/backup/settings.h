/* settings: what backup can be told, and all of it together for those who work. */
#ifndef BACKUP_SETTINGS_H
#define BACKUP_SETTINGS_H

#include "shared/config.h"
#include "shared/file_store.h"
#include "shared/pg.h"
#include "shared/s3.h"

#define BACKUP_SETTINGS(S)                                                               \
    S(str, directory, "BACKUP_DIR", "var/backups", 1, 1024, 0, "",                       \
      "directory with one folder a backup set")                                          \
    S(str, places, "BACKUP_PLACES", "", 0, 4096, 0, "",                                  \
      "where finished sets are copied to: /DIRECTORY or s3://BUCKET/PREFIX, with "       \
      "commas "                                                                          \
      "between; s3 with S3_*")                                                           \
    S(choice, compression, "BACKUP_COMPRESSION", "zstd", 0, 0, 0, "zstd|gzip|none",      \
      "how dumps are packed")                                                            \
    S(u32, level, "BACKUP_COMPRESSION_LEVEL", "3", 1, 19, 0, "",                         \
      "how hard; gzip knows 1 to 9")                                                     \
    S(u32, threads, "BACKUP_COMPRESSION_THREADS", "1", 0, 64, 0, "",                     \
      "threads of zstd beside the one that reads; 0: none")                              \
    S(u32, part_mb, "BACKUP_PART_MB", "256", 1, 4096, 0, "",                             \
      "largest file of a set; what failed to upload is repeated from the last whole "    \
      "one")                                                                             \
    S(u32, rate_mb, "BACKUP_RATE_MB", "0", 0, 1000000, 0, "",                            \
      "most megabytes written in a second; 0: as fast as it goes")                       \
    S(u32, free_mb, "BACKUP_MIN_FREE_MB", "256", 0, 1000000000, 0, "",                   \
      "what must stay free on the disk; a run that would take it ends")                  \
    S(flag, files, "BACKUP_FILES", "true", 0, 0, 0, "",                                  \
      "the originals in FILE_STORE are part of a full set")                              \
    S(str, config_paths, "BACKUP_CONFIG_PATHS", "", 0, 4096, 0, "",                      \
      "files and directories that are part of a set as configuration, with commas "      \
      "between")                                                                         \
    S(str, public_key, "BACKUP_PUBLIC_KEY", "", 0, 64, 0, "",                            \
      "sets are encrypted for the owner of this key: 64 digits of hex, from "            \
      "`cairn-backup keys`; empty: not encrypted")                                       \
    S(str, private_key, "BACKUP_PRIVATE_KEY", "", 0, 64, SH_SECRET, "",                  \
      "opens encrypted sets; it should not be on the server that makes them")            \
    S(str, signing_key, "BACKUP_SIGNING_KEY", "", 0, 64, SH_SECRET, "",                  \
      "manifests are signed with it (Ed25519 seed, 64 digits of hex); empty: they are "  \
      "only guarded against damage")                                                     \
    S(choice, proof, "BACKUP_VERIFY", "drill", 0, 0, 0, "none|verify|drill",             \
      "what a new set is put through: reading it again, or restoring it")                \
    S(str, scratch_dir, "BACKUP_SCRATCH_DIR", "/tmp", 1, 64, 0, "",                      \
      "where drills, and restores of physical sets, make their PostgreSQL; it needs "    \
      "room for the whole database, of a physical set for the whole server and its log") \
    S(str, pg_bin, "PG_BIN_DIR", "", 0, 1024, 0, "",                                     \
      "pg_dump and its kin; empty: the newest below /usr/lib/postgresql, or the PATH")   \
    S(str, pg_user, "BACKUP_PG_USER", "postgres", 1, 64, 0, "",                          \
      "whose rights a drill's PostgreSQL has where backup runs as root")                 \
    S(str, schedule, "BACKUP_SCHEDULE", "0 2 * * *", 0, 256, 0, "",                      \
      "when full sets are made: minute, hour, day, month, weekday; empty: never")        \
    S(str, timezone, "BACKUP_TIMEZONE", "", 0, 64, 0, "",                                \
      "of the schedule, Europe/London say; empty: that of the process")                  \
    S(u32, jitter_s, "BACKUP_JITTER_SECONDS", "0", 0, 86400, 0, "",                      \
      "scheduled runs start up to so much later")                                        \
    S(flag, wal, "BACKUP_WAL", "false", 0, 0, 0, "",                                     \
      "the write-ahead log is stored as it comes, so that a physical set can be "        \
      "recovered to any moment; the role needs REPLICATION")                             \
    S(u32, wal_seconds, "BACKUP_WAL_SECONDS", "5", 1, 60, 0, "",                         \
      "the segment that is being written is stored so often, if there is anything new")  \
    S(str, wal_slot, "BACKUP_WAL_SLOT", "cairn_backup", 1, 60, 0, "",                    \
      "replication slot that keeps the log on the server until it is stored; bound it "  \
      "with max_slot_wal_keep_size there")                                               \
    S(str, physical_schedule, "BACKUP_PHYSICAL_SCHEDULE", "0 3 * * 0", 0, 256, 0, "",    \
      "with BACKUP_WAL: when physical sets are made beside the first one and those "     \
      "after a gap; empty: no others")                                                   \
    S(u32, keep_days, "BACKUP_RETENTION_DAYS", "30", 0, 36500, 0, "RETENTION_DAYS",      \
      "sets of so many days are kept; 0: not a reason to keep one")                      \
    S(u32, keep_count, "BACKUP_RETENTION_COUNT", "0", 0, 10000, 0, "",                   \
      "so many of the newest sets are kept")                                             \
    S(u32, keep_daily, "BACKUP_RETENTION_DAILY", "7", 0, 36500, 0, "",                   \
      "the newest set of each of so many days is kept")                                  \
    S(u32, keep_weekly, "BACKUP_RETENTION_WEEKLY", "4", 0, 5200, 0, "",                  \
      "and of so many weeks")                                                            \
    S(u32, keep_monthly, "BACKUP_RETENTION_MONTHLY", "6", 0, 1200, 0, "",                \
      "and of so many months; with all five at 0 nothing is removed")                    \
    S(url, hook_url, "BACKUP_HOOK_URL", "", 0, 1024, SH_SECRET | SH_HTTP, "",            \
      "gets a POST with JSON when a run has failed")

struct backup_config {
    BACKUP_SETTINGS(SH_SETTING_MEMBER)
};
struct sh_settings backup_settings(struct backup_config *into);

struct backup_all {
    struct backup_config backup;
    struct sh_pg_config pg;
    struct sh_file_config files;
    struct sh_s3_config s3;
};

enum { BACKUP_GROUPS = 4 };
void backup_groups(struct backup_all *all, struct sh_settings groups[BACKUP_GROUPS]);

#endif
