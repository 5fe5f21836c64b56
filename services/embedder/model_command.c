#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/embedder/embedder.h"
#include "services/embedder/model/use_lite.h"

static int convert(const char *source, const char *out)
{
    const char *why = "";
    enum sh_err err = use_lite_convert(source, out, &why);
    if (err == SH_OK)
        return EXIT_SUCCESS;
    (void)fprintf(stderr, "cairn-embedder: %s: %s\n", source, why);
    return EXIT_FAILURE;
}

static int check(const char *path)
{
    struct use_lite *model = NULL;
    const char *why = "";
    enum sh_err err = use_lite_open(path, kernel_find("generic"), &model, &why);
    use_lite_close(&model);
    if (err == SH_OK)
        return EXIT_SUCCESS;
    (void)fprintf(stderr, "cairn-embedder: %s: %s\n", path, why);
    return EXIT_FAILURE;
}

bool model_command(int argc, char **argv, int *status)
{
    if (argc == 4 && strcmp(argv[1], "--pack-model") == 0)
        *status = convert(argv[2], argv[3]);
    else if (argc == 3 && strcmp(argv[1], "--check-model") == 0)
        *status = check(argv[2]);
    else
        return false;
    return true;
}
