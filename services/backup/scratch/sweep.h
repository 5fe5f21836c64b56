/* sweep: removes what runs that were killed leave in BACKUP_SCRATCH_DIR. One thread. */
#ifndef BACKUP_SWEEP_H
#define BACKUP_SWEEP_H

#define SCRATCH_PREFIX "cairn-drill-"

/* Folders in `dir` whose run is no more: their server is stopped first. */
void scratch_sweep(const char *dir);
/* A folder with all in it. */
void scratch_remove(const char *folder);

#endif
