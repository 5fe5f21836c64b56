/* Users are known by their names, the API knows them by their ids. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/cairn/admin/admin.h"

enum { ID_LEN = 36, PER_PAGE = 100 };

static bool is_id(const char *word)
{
    return strlen(word) == ID_LEN && strspn(word, "0123456789abcdefABCDEF-") == ID_LEN;
}

/* Names that begin with `name`, by name: the name itself comes first. */
static json_t *ask(struct cli *cli, const char *name, int *code)
{
    struct sh_buffer path = {0};
    sh_buffer_text(&path, ADMIN_USERS);
    api_query(&path, "q", name);
    api_query(&path, "per_page", "100");
    sh_buffer_append(&path, "", 1);
    json_t *page = path.err == SH_OK ? cli_get(cli, path.data, code) : NULL;
    sh_buffer_free(&path);
    return page;
}

char *admin_user_id(struct cli *cli, const char *word, int *code)
{
    char *id = NULL;
    size_t i = 0;
    const json_t *user = NULL;
    *code = CLI_FAILED;
    if (is_id(word))
        return strdup(word);
    json_t *page = ask(cli, word, code);
    json_array_foreach(json_object_get(page, "users"), i, user)
    {
        const char *name = json_string_value(json_object_get(user, "username"));
        const char *found = json_string_value(json_object_get(user, "id"));
        if (!id && name && found && strcasecmp(name, word) == 0)
            id = strdup(found);
    }
    if (page && !id) {
        cli_say("no user %s", word);
        *code = CLI_FAILED;
    }
    json_decref(page);
    return id;
}
