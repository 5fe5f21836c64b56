/* walk: the files that an ingest is about: named ones, and what is below directories.
 * Hidden ones are left out, symbolic links in directories are not followed unless that is
 * wanted, and no loop of them is. */
#ifndef INGEST_WALK_H
#define INGEST_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct walk_file {
    char *path;  /* absolute, without symbolic links in the directories above */
    char *shown; /* as whoever named it would write it */
    uint64_t size;
    int64_t mtime_ns;
    bool lines; /* documents, one a line: .ndjson, .jsonl */
};

struct walk_options {
    const char *const *include; /* globs, NULL-ended; NULL: the formats that are read */
    const char *const *exclude; /* of files and of whole directories */
    bool hidden;
    bool follow;
    /* What cannot be read; the walk goes on. */
    void (*fault)(void *arg, const char *shown, const char *why);
    void *arg;
};

struct walk {                /* {0}; walk_free() at the end */
    struct walk_file *files; /* by path, each once */
    size_t count;
    size_t others; /* regular files of other formats, left out */
};

/* False: out of memory. */
bool walk_run(struct walk *walk, char *const *roots, size_t count,
              const struct walk_options *options);
void walk_free(struct walk *walk);

/* A glob with a slash is about the path, below the directory that was named; without one
 * about the name alone. */
bool walk_matches(const char *glob, const char *relative);

#endif
