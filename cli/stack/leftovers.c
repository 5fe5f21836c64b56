#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/stack/stack.h"
#include "shared/bytes.h"

/* The process that a file of ours names, if it still is one of ours; 0 otherwise. */
static pid_t ours(const char *path, bool *postgres)
{
    static const char *const programs[] = {"/cairn-", "/postgres", "/redis-"};
    char text[64] = "";
    char target[PATH_MAX] = "";
    FILE *file = fopen(path, "re");
    if (!file || !fgets(text, sizeof(text), file))
        text[0] = '\0';
    if (file)
        (void)fclose(file);
    long pid = strtol(text, NULL, 10);
    (void)snprintf(text, sizeof(text), "/proc/%ld/exe", pid);
    if (pid <= 1 || readlink(text, target, sizeof(target) - 1) <= 0)
        return 0;
    *postgres = strstr(target, "/postgres") != NULL;
    for (size_t i = 0; i < SH_COUNT(programs); i++) {
        if (strstr(target, programs[i]))
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
