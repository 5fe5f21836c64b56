/* manifest: the description that lies in every backup set's folder, manifest.json:
 *   {"id":"…","kind":"full","label":"…","created_at":"2026-01-31T12:00:00Z",
 *    "size_bytes":123,"verified":true,"proven":"restored"}
 * `id` is the folder's name; created_at may also be Unix seconds. `proven` says what
 * `verified` rests on: "checksums" (all files are what was written), "archive" (and the
 * dump could be opened and names all tables), "restored" (and it became a database with
 * the same content); empty: nothing, or it is not known. Pure. */
#ifndef BACKUP_MANIFEST_H
#define BACKUP_MANIFEST_H

#include "proto/msg.h"
#include "shared/mem.h"

enum { MANIFEST_BYTES_MAX = 1 << 20 };

/* *out lives in `arena`. `fault` gets what is wrong. Errors: SH_INVALID, SH_NOMEM. */
SH_CHECK enum sh_err manifest_parse(struct sh_bytes json, const char *folder,
                                    struct sh_arena *arena, struct backup_set *out,
                                    char fault[static 128]);

#endif
