/* file_store: files kept under the SHA-256 of what is in them, in a directory or in S3
 * (FILE_STORE). The same bytes are there once, whoever brings them. Nothing waits on the
 * loop: disks are used by worker threads, S3 by libcurl. What is written is first spooled
 * under a name of its own, since its hash is known only at its end; a crash leaves no
 * half of a file under a hash. One store per loop; any number of processes may share the
 * directory or the bucket. Loop thread only.
 *
 * Callbacks come exactly once per accepted call, never from inside it, and not after the
 * writer or reader was closed; the store must outlive what was made of it. */
#ifndef SHARED_FILE_STORE_H
#define SHARED_FILE_STORE_H

#include <uv.h>

#include "shared/bytes.h"
#include "shared/config.h"
#include "shared/err.h"
#include "shared/s3.h"

#define SH_FILE_SETTINGS(S)                                                              \
    S(str, store, "FILE_STORE", "dir:var/files", 5, 1024, 0, "",                         \
      "where originals are kept: dir:PATH, or s3://BUCKET/PREFIX with S3_*")             \
    S(str, spool_dir, "FILE_SPOOL_DIR", "", 0, 1024, 0, "",                              \
      "where uploads are written before they go to S3; empty: TMPDIR, or /tmp")

struct sh_file_config {
    SH_FILE_SETTINGS(SH_SETTING_MEMBER)
};
struct sh_settings sh_file_settings(struct sh_file_config *into);

enum {
    SH_FILE_HASH_TEXT = 65,     /* SHA-256 in lower-case hex, with the NUL */
    SH_FILE_PIECE = 256 * 1024, /* most that one read gives */
};

struct sh_file_store;

/* Makes the directory. Errors: SH_INVALID (FILE_STORE or S3_* make no sense; logged),
 * SH_IO (the directory cannot be made; logged), SH_NOMEM. */
SH_CHECK enum sh_err sh_file_store_open(uv_loop_t *loop,
                                        const struct sh_file_config *config,
                                        const struct sh_s3_config *s3,
                                        struct sh_file_store **out);
/* Waits for the disk; what is under way ends without its callback, but for removals and
 * lists, which get SH_CANCELED. Writers and readers must have been closed. NULL is fine.
 */
void sh_file_store_close(struct sh_file_store **store);
/* Exactly 64 digits of lower-case hex. */
bool sh_file_hash_ok(struct sh_bytes text);

/* --- writing: begin, append…, finish, commit, close ------------------------------- */

struct sh_file_writer;

/* `drained`: what append refused to take more after is written, or an error is known.
 * Errors: SH_NOMEM. */
SH_CHECK enum sh_err sh_file_begin(struct sh_file_store *store,
                                   void (*drained)(void *arg), void *arg,
                                   struct sh_file_writer **out);
/* Copied. *full: append no more until `drained`. Errors stick: SH_NOMEM, SH_IO (no room
 * left, say; logged). */
SH_CHECK enum sh_err sh_file_append(struct sh_file_writer *writer, struct sh_bytes bytes,
                                    bool *full);
/* Everything was appended: once it is safely on the disk, its hash and size. Errors: the
 * one that sticks, SH_BUSY; `done` is then never called. */
typedef void sh_file_finished_fn(void *arg, enum sh_err err, const char *hash,
                                 uint64_t size);
SH_CHECK enum sh_err sh_file_finish(struct sh_file_writer *writer,
                                    sh_file_finished_fn *done);
/* After a good finish: put it in its place, where it stays. Errors: SH_NOMEM, SH_BUSY. */
typedef void sh_file_done_fn(void *arg, enum sh_err err);
SH_CHECK enum sh_err sh_file_commit(struct sh_file_writer *writer, sh_file_done_fn *done);
/* At any time; what was not committed leaves nothing behind. NULL is fine. */
void sh_file_writer_close(struct sh_file_writer **writer);

/* --- reading
 * ---------------------------------------------------------------------------- */

struct sh_file_reader;

/* `opened` gets SH_NOTFOUND when there is no such file, else how long it is. The caller
 * closes *out in every case. Errors: SH_INVALID (no hash), SH_NOMEM, SH_BUSY. */
typedef void sh_file_opened_fn(void *arg, enum sh_err err, uint64_t size);
SH_CHECK enum sh_err sh_file_open(struct sh_file_store *store, struct sh_bytes hash,
                                  sh_file_opened_fn *opened, void *arg,
                                  struct sh_file_reader **out);
/* One read at a time. As many of `len` bytes from `offset` as there are, SH_FILE_PIECE at
 * most; none: the file ends there. Borrowed until `got` returns. Errors: SH_NOMEM,
 * SH_BUSY. */
typedef void sh_file_got_fn(void *arg, enum sh_err err, struct sh_bytes piece);
SH_CHECK enum sh_err sh_file_read(struct sh_file_reader *reader, uint64_t offset,
                                  size_t len, sh_file_got_fn *got);
/* Once it is open: what it reads from, and closes itself; -1 where that is no file. */
int sh_file_reader_fd(const struct sh_file_reader *reader);
void sh_file_reader_close(struct sh_file_reader **reader);

/* --- upkeep
 * ----------------------------------------------------------------------------- */

/* A file that is not there is removed. Errors: SH_INVALID, SH_NOMEM, SH_BUSY. */
SH_CHECK enum sh_err sh_file_remove(struct sh_file_store *store, struct sh_bytes hash,
                                    sh_file_done_fn *done, void *arg);

struct sh_file_entry {
    char hash[SH_FILE_HASH_TEXT];
    uint64_t size;
    double modified; /* Unix seconds */
};
/* At most `most` (1,000) files whose hash is above `after` ("" or a hash), in order;
 * none: there are no more. Also clears away what crashes left in the spool a day ago. */
typedef void sh_file_listed_fn(void *arg, enum sh_err err,
                               const struct sh_file_entry *entries, size_t count);
SH_CHECK enum sh_err sh_file_list(struct sh_file_store *store, const char *after,
                                  size_t most, sh_file_listed_fn *done, void *arg);

#endif
