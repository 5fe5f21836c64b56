/* model_files: the directory where an embedder keeps the files of fitted models, by
 * fingerprint. It may be shared by several processes of a machine and be emptied at any
 * time. These calls wait for the disk: not on a loop's thread. */
#ifndef EMBEDDER_MODEL_FILES_H
#define EMBEDDER_MODEL_FILES_H

#include <stdbool.h>

#include "shared/err.h"

enum { MODEL_FILES_KEPT = 4, MODEL_FILES_PATH = 4096 };

/* DIR/FINGERPRINT.lsa, or another suffix. False when it is too long. */
bool model_files_path(const char *dir, const char *fingerprint, const char *suffix,
                      char out[static MODEL_FILES_PATH]);
/* The directory, with what is above it. Errors: those of mkdir(). */
SH_CHECK enum sh_err model_files_prepare(const char *dir);
/* Remove all but the MODEL_FILES_KEPT newest, and what was never completed. Best effort.
 */
void model_files_tidy(const char *path);

#endif
