/* A fingerprint has 64 digits; its beginning will do. */
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/models/models.h"

enum { WHOLE = 64 };

char *models_fingerprint(struct cli *cli, const char *begins, int *code)
{
    const json_t *one = NULL;
    size_t i = 0;
    const char *found = NULL;
    int count = 0;
    char *whole = NULL;
    *code = CLI_FAILED;
    if (strlen(begins) >= WHOLE)
        return strdup(begins);
    json_t *answer = cli_get(cli, "/api/generations", code);
    json_array_foreach(json_object_get(answer, "generations"), i, one)
    {
        const char *text = json_string_value(json_object_get(one, "fingerprint"));
        if (!text || strncmp(text, begins, strlen(begins)) != 0)
            continue;
        found = text;
        count++;
    }
    if (answer && count != 1) {
        cli_say("%s generation %s: `cairn generations list`",
                count ? "more than one" : "no", begins);
        *code = CLI_FAILED;
    } else if (found) {
        whole = strdup(found);
    }
    json_decref(answer);
    return whole;
}
