/* Disaster recovery: no service runs any more, but its program and a directory of sets
 * are here. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cairn/backup/backup.h"
#include "shared/mem.h"

enum { WORDS = 64, PATH = 4096 };

static const char program[] = "cairn-backup";

/* What the client alone knows. */
static bool ours(const char *option)
{
    static const char *const names[] = {"directory", "json",   "no-wait", "url",
                                        "profile",   "cacert", "help"};

    for (size_t i = 0; i < SH_COUNT(names); i++)
        if (strcmp(option, names[i]) == 0)
            return true;
    return false;
}

/* Beside this program, or wherever the PATH says. */
static const char *find(char path[static PATH])
{
    ssize_t len = readlink("/proc/self/exe", path, PATH - sizeof(program) - 1);
    char *slash = NULL;

    if (len > 0) {
        path[len] = '\0';
        slash = strrchr(path, '/');
    }
    if (slash == NULL)
        return program;
    memcpy(slash + 1, program, sizeof(program));
    return access(path, X_OK) == 0 ? path : program;
}

static size_t spell(const struct args *args, char options[WORDS][64], char *argv[])
{
    size_t count = 2;

    for (size_t i = 0; i < args->count && count + 3 < WORDS; i++) {
        const struct arg_value *value = &args->values[i];
        if (ours(value->row->name))
            continue;
        bool into = strcmp(value->row->name, "into") == 0; /* `directory` is ours */
        (void)snprintf(options[i], 64, "--%s", into ? "directory" : value->row->name);
        argv[count++] = options[i];
        if (value->text != NULL)
            argv[count++] = sh_unconst(value->text); /* execvp() leaves it alone */
    }
    for (int i = 0; i < args->word_count && count + 1 < WORDS; i++)
        argv[count++] = args->words[i];
    argv[count] = NULL;
    return count;
}

bool backup_by_service(const struct cli *cli, const char *verb, int *code)
{
    const char *directory = args_text(&cli->args, "directory");
    static char options[WORDS][64];
    static char path[PATH];
    static char name[64], word[32];
    char *argv[WORDS] = {name, word};

    if (directory == NULL)
        return true;
    (void)snprintf(name, sizeof(name), "%s", program);
    (void)snprintf(word, sizeof(word), "%s", verb);
    (void)spell(&cli->args, options, argv);
    const char *file = find(path);
    *code = CLI_FAILED;
    if (setenv("BACKUP_DIR", directory, 1) != 0)
        return false;
    (void)fflush(stdout);
    (void)execvp(file, argv);
    cli_say("%s cannot be started: %s", file, strerror(errno));
    return false;
}
