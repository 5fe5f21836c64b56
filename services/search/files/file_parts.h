/* file_parts: the file store of the service and what keeps it in order. Loop thread only.
 */
#ifndef SEARCH_FILE_PARTS_H
#define SEARCH_FILE_PARTS_H

#include "services/search/files/files.h"
#include "shared/config.h"

#define FILE_KEEPER_SETTINGS(S)                                                          \
    S(f64, orphan_hours, "FILE_ORPHAN_HOURS", "24", 0.01, 8760, 0, "",                   \
      "age above which a file that nothing refers to, or an upload that never ended, "   \
      "is removed; no upload may take longer")                                           \
    S(f64, sweep_minutes, "FILE_SWEEP_MINUTES", "60", 0.01, 100000, 0, "",               \
      "minutes between two looks through the whole file store, over all replicas")

struct file_keeper_config {
    FILE_KEEPER_SETTINGS(SH_SETTING_MEMBER)
};

struct sh_settings file_keeper_settings(struct file_keeper_config *into);

struct file_parts {
    struct sh_file_config config;
    struct sh_s3_config s3_config;
    struct file_keeper_config keeper_config;
    struct sh_file_store *store;
    struct files files;
};

enum { FILE_PARTS_SETTINGS = 3 };
/* To be filled before the start. */
void file_parts_settings(struct file_parts *self,
                         struct sh_settings out[static FILE_PARTS_SETTINGS]);
/* `pg` must outlive it. Errors: those of sh_file_store_open(). */
SH_CHECK enum sh_err file_parts_start(struct file_parts *self, uv_loop_t *loop,
                                      struct sh_pg *pg);
void file_parts_close(struct file_parts *self);

#endif
