/* cairn-keys: the key pairs of the bus. DIR/NAME.key is a service's secret, for that
 * service alone; DIR/public/NAME.pub is for all of them. Nothing that is there is ever
 * overwritten. A key is replaced in three steps, docs/operations.md, "Keys of the bus":
 * `next` adds a pair, `switch` puts it into use, `drop` takes the old one out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/keys/keyfile.h"

static int usage(FILE *out, int status)
{
    (void)fprintf(out,
                  "usage: cairn-keys DIR [NAME...]      make the pairs that are missing "
                  "(of all services)\n"
                  "       cairn-keys DIR --next NAME    make another pair; its public "
                  "key joins public/NAME.pub\n"
                  "       cairn-keys DIR --switch NAME  the next key becomes NAME.key\n"
                  "       cairn-keys DIR --drop NAME    public/NAME.pub keeps only the "
                  "key of NAME.key\n");
    return status;
}

static bool make_all(const char *dir, char **names, int count)
{
    static const char *const services[] = {"gateway", "search", "embedder", "graph",
                                           "backup"};
    bool good = true;
    for (int i = 0; i < count && good; i++)
        good = keyfile_make(dir, names[i]);
    for (size_t i = 0; i < sizeof(services) / sizeof(*services) && count == 0 && good;
         i++)
        good = keyfile_make(dir, services[i]);
    return good;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *option;
        bool (*run)(const char *dir, const char *name);
    } steps[] = {
        {"--next", keyfile_next}, {"--switch", keyfile_switch}, {"--drop", keyfile_drop}};

    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return usage(stdout, EXIT_SUCCESS);
    if (argc < 2 || argv[1][0] == '-' || argv[1][0] == '\0')
        return usage(stderr, 2);
    if (argc == 2 || argv[2][0] != '-')
        return make_all(argv[1], argv + 2, argc - 2) ? EXIT_SUCCESS : EXIT_FAILURE;
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) && argc == 4; i++) {
        if (strcmp(argv[2], steps[i].option) == 0)
            return steps[i].run(argv[1], argv[3]) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    return usage(stderr, 2);
}
