#include "cli/cairn/ingest/walk.h"

#include <errno.h>
#include <fnmatch.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shared/bytes.h"
#include "shared/mem.h"

struct walker {
    struct walk *walk;
    const struct walk_options *options;
    size_t room;
};

/* --- which ------------------------------------------------------------------------ */

bool walk_matches(const char *glob, const char *relative)
{
    const char *slash = strrchr(relative, '/');
    const char *name = slash ? slash + 1 : relative;
    return fnmatch(glob, strchr(glob, '/') ? relative : name, 0) == 0;
}

static bool matches_any(const char *const *globs, const char *relative)
{
    for (; globs && *globs; globs++) {
        if (walk_matches(*globs, relative))
            return true;
    }
    return false;
}

static bool ends_with(const char *path, const char *const *endings, size_t count)
{
    const char *dot = strrchr(path, '.');
    const char *slash = strrchr(path, '/');
    for (size_t i = 0; dot && (!slash || dot > slash) && i < count; i++) {
        if (strcasecmp(dot, endings[i]) == 0)
            return true;
    }
    return false;
}

static bool has_lines(const char *path)
{
    static const char *const endings[] = {".ndjson", ".jsonl"};
    return ends_with(path, endings, SH_COUNT(endings));
}

static bool is_read(const char *path)
{
    static const char *const endings[] = {".pdf", ".docx", ".txt", ".text",    ".md",
                                          ".csv", ".html", ".htm", ".markdown"};
    return ends_with(path, endings, SH_COUNT(endings)) || has_lines(path);
}

/* --- the list --------------------------------------------------------------------- */

static bool add(struct walker *walker, const char *path, const char *shown,
                const struct stat *stat)
{
    struct walk *walk = walker->walk;
    if (walk->count == walker->room) {
        size_t room = walker->room > 0 ? walker->room * 2 : 64;
        struct walk_file *larger = sh_realloc(walk->files, room * sizeof(*larger));
        if (!larger)
            return false;
        walk->files = larger;
        walker->room = room;
    }
    struct walk_file *file = &walk->files[walk->count];
    *file = (struct walk_file){.path = sh_strdup(path),
                               .shown = sh_strdup(shown),
                               .size = (uint64_t)stat->st_size,
                               .mtime_ns = (int64_t)stat->st_mtim.tv_sec * 1000000000 +
                                           stat->st_mtim.tv_nsec,
                               .lines = has_lines(path)};
    walk->count++;
    return file->path && file->shown;
}

static void fault(const struct walker *walker, const char *shown, int code)
{
    walker->options->fault(walker->options->arg, shown, strerror(code));
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct walk_file *)a)->path,
                  ((const struct walk_file *)b)->path);
}

static void release(struct walk_file *file)
{
    sh_free(file->path);
    sh_free(file->shown);
}

/* What was named twice, or is below two of what was named. */
static void drop_repeated(struct walk *walk)
{
    size_t kept = 0;
    if (walk->count > 0)
        qsort(walk->files, walk->count, sizeof(*walk->files), by_path);
    for (size_t i = 0; i < walk->count; i++) {
        if (kept > 0 && strcmp(walk->files[kept - 1].path, walk->files[i].path) == 0)
            release(&walk->files[i]);
        else
            walk->files[kept++] = walk->files[i];
    }
    walk->count = kept;
}

/* --- directories ------------------------------------------------------------------ */

struct tree {
    char *real;        /* the directory, absolute */
    const char *shown; /* as it was named */
    size_t prefix;     /* of fts paths */
};

static const char *relative_of(const struct tree *tree, const FTSENT *entry)
{
    const char *relative = entry->fts_path + tree->prefix;
    return *relative == '/' ? relative + 1 : relative;
}

static void shown_path(const struct tree *tree, const char *relative, char *into,
                       size_t size)
{
    size_t len = strlen(tree->shown);
    bool slash = len > 0 && tree->shown[len - 1] == '/';
    (void)snprintf(into, size, "%s%s%s", tree->shown, *relative && !slash ? "/" : "",
                   relative);
}

static bool is_wanted(const struct walker *walker, const char *relative)
{
    const struct walk_options *options = walker->options;
    if (options->include)
        return matches_any(options->include, relative);
    return is_read(relative);
}

static bool is_left_out(const struct walker *walker, const FTSENT *entry,
                        const char *relative)
{
    if (entry->fts_level == FTS_ROOTLEVEL)
        return false;
    return (entry->fts_name[0] == '.' && !walker->options->hidden) ||
           matches_any(walker->options->exclude, relative);
}

/* False: out of memory. */
static bool visit(struct walker *walker, const struct tree *tree, FTS *fts, FTSENT *entry)
{
    char shown[PATH_MAX];
    const char *relative = relative_of(tree, entry);
    shown_path(tree, relative, shown, sizeof(shown));
    switch (entry->fts_info) {
    case FTS_D:
        if (is_left_out(walker, entry, relative))
            (void)fts_set(fts, entry, FTS_SKIP);
        return true;
    case FTS_F:
        if (is_left_out(walker, entry, relative))
            return true;
        if (is_wanted(walker, relative))
            return add(walker, entry->fts_path, shown, entry->fts_statp);
        walker->walk->others++;
        return true;
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        fault(walker, shown, entry->fts_errno);
        return true;
    default: /* links, loops, sockets, the way back up */
        return true;
    }
}

static bool walk_tree(struct walker *walker, const struct tree *tree)
{
    char *const roots[] = {tree->real, NULL};
    int how = FTS_NOCHDIR | (walker->options->follow ? FTS_LOGICAL : FTS_PHYSICAL);
    FTS *fts = fts_open(roots, how, NULL);
    bool good = fts != NULL;
    for (FTSENT *entry = NULL; good && (entry = fts_read(fts)) != NULL;)
        good = visit(walker, tree, fts, entry);
    if (fts)
        (void)fts_close(fts);
    return good;
}

/* What is named is taken whatever it is called, and through a link. */
static bool walk_root(struct walker *walker, const char *root)
{
    struct stat stat_of;
    char *real = realpath(root, NULL);
    bool good = true;
    if (!real || stat(real, &stat_of) != 0) {
        fault(walker, root, errno);
    } else if (S_ISREG(stat_of.st_mode)) {
        good = add(walker, real, root, &stat_of);
    } else if (S_ISDIR(stat_of.st_mode)) {
        struct tree tree = {real, root, strlen(real)};
        good = walk_tree(walker, &tree);
    } else {
        walker->options->fault(walker->options->arg, root, "neither file nor directory");
    }
    free(real); /* the C library's */
    return good;
}

bool walk_run(struct walk *walk, char *const *roots, size_t count,
              const struct walk_options *options)
{
    struct walker walker = {.walk = walk, .options = options};
    *walk = (struct walk){0};
    for (size_t i = 0; i < count; i++) {
        if (!walk_root(&walker, roots[i]))
            return false;
    }
    drop_repeated(walk);
    return true;
}

void walk_free(struct walk *walk)
{
    for (size_t i = 0; i < walk->count; i++)
        release(&walk->files[i]);
    sh_free(walk->files);
    *walk = (struct walk){0};
}
