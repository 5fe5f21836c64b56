/* sink: the writing end. Bytes are compressed, perhaps encrypted, and written as files of
 * a set, NAME.000, NAME.001 …, none larger than BACKUP_PART_MB; the SHA-256 of each is
 * computed on the way. Each file is on the disk (fsync) before the next one begins. Free
 * space and the rate are watched. One thread. */
#ifndef BACKUP_SINK_H
#define BACKUP_SINK_H

#include "services/backup/run/work.h"

struct sink;

/* `folder` must stay open. Errors: SH_NOMEM, SH_INVALID (BACKUP_PUBLIC_KEY). */
SH_CHECK enum sh_err sink_open(struct work *work, int folder, const char *name,
                               struct sink **out);
/* Errors stick: SH_IO, SH_BUSY (no room), SH_NOMEM, SH_CANCELED; the work has the text.
 */
SH_CHECK enum sh_err sink_add(struct sink *sink, struct sh_bytes bytes);
/* The same, for whoever hands bytes to a function. */
SH_CHECK enum sh_err sink_take(void *sink, struct sh_bytes bytes);
/* Everything was added. *stream: {"compression","encrypted","raw_bytes","bytes","parts":
 * [{"name","size","sha256"}]}, the caller's. */
SH_CHECK enum sh_err sink_finish(struct sink *sink, json_t **stream);
/* Readable without any key, whatever BACKUP_PUBLIC_KEY says. */
SH_CHECK enum sh_err sink_open_plain(struct work *work, int folder, const char *name,
                                     struct sink **out);
uint64_t sink_raw_bytes(const struct sink *sink);
/* At any time. NULL is fine. */
void sink_close(struct sink **at);

/* Room on the disk of the folder beyond what must stay free. SH_BUSY: there is none. */
SH_CHECK enum sh_err sink_room(struct work *work, int folder, uint64_t wanted);

#endif
