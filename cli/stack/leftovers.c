#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/stack/stack.h"
#include "shared/bytes.h"

/* Empty when there is none. `path` may be `out` itself. */
static void first_line(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "re");
    if (!file || !fgets(out, (int)size, file))
        out[0] = '\0';
    if (file)
        (void)fclose(file);
}

/* The process that a file of ours names, if it still is one of ours; 0 otherwise. Told by
 * its name: the link to its program is not for our eyes (PR_SET_DUMPABLE). */
static pid_t ours(const char *path, bool *postgres)
{
    static const char *const programs[] = {"cairn-", "postgres", "redis-"};
    char text[64];
    first_line(path, text, sizeof(text));
    long pid = strtol(text, NULL, 10);
    if (pid <= 1)
        return 0;
    (void)snprintf(text, sizeof(text), "/proc/%ld/comm", pid);
    first_line(text, text, sizeof(text));
    *postgres = strncmp(text, "postgres", 8) == 0;
    for (size_t i = 0; i < SH_COUNT(programs); i++) {
        if (strncmp(text, programs[i], strlen(programs[i])) == 0)
            return (pid_t)pid;
    }
    return 0;
}

void stack_end_leftovers(const struct layout *layout)
{
    glob_t found;
    char pattern[PATH_MAX + 16];
    (void)snprintf(pattern, sizeof(pattern), "%s/run/*.pid", layout->dir);
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        bool postgres = false;
        pid_t pid = ours(found.gl_pathv[i], &postgres);
        if (pid > 0) /* PostgreSQL takes SIGQUIT as "at once", and its children with it */
            (void)kill(pid, postgres ? SIGQUIT : SIGKILL);
        (void)unlink(found.gl_pathv[i]);
    }
    globfree(&found);
}
