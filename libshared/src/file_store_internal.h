/* file_store_internal: what the file store's files share. The functions of file_dir wait
 * for the disk and are called by workers; all else belongs to the loop's thread. */
#ifndef SHARED_FILE_STORE_INTERNAL_H
#define SHARED_FILE_STORE_INTERNAL_H

#include "shared/file_store.h"
#include "shared/workers.h"

enum { FILE_FOLDER = 1024, FILE_PATH = FILE_FOLDER + SH_FILE_HASH_TEXT + 32 };

struct sh_file_store {
    uv_loop_t *loop;
    struct sh_workers *workers;
    char root[FILE_FOLDER];  /* "": it is in S3 */
    char spool[FILE_FOLDER]; /* on the same file system as root */
    struct sh_s3 *s3;        /* or NULL */
    char prefix[SH_S3_KEY_MAX];
};

/* prefix + hash; `out` as long as a key may be. */
bool file_key(const struct sh_file_store *store, const char *hash,
              char out[static SH_S3_KEY_MAX + 1]);
/* What S3 said, as it concerns who uses the store; logged if it is no NOTFOUND. */
enum sh_err file_s3_result(const struct sh_s3_reply *reply, const char *what);

/* --- file_dir
 * ----------------------------------------------------------------------------
 */

/* mkdir -p. Errors: as errno says. */
enum sh_err file_dir_make(const char *path);
/* A new file in the spool; its path goes to `path`. -1 and errno. */
int file_dir_spool(const struct sh_file_store *store, char path[static FILE_PATH]);
/* From the spool to its place, for good; `path` is "" afterwards. */
enum sh_err file_dir_place(const struct sh_file_store *store, char path[static FILE_PATH],
                           const char *hash, uint64_t size);
/* -1 and errno. */
int file_dir_open(const struct sh_file_store *store, const char *hash, uint64_t *size);
enum sh_err file_dir_remove(const struct sh_file_store *store, const char *hash);
enum sh_err file_dir_list(const struct sh_file_store *store, const char *after,
                          size_t most, struct sh_file_entry *entries, size_t *count);
/* Clears the spool of what is older than a day. */
void file_dir_tidy(const struct sh_file_store *store);
/* Logged; a disk that is full is SH_BUSY. */
enum sh_err file_dir_error(const char *what, const char *path, int code);

#endif
