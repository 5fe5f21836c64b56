#include "cli/cairn/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cairn/cli.h"

/* --- where ------------------------------------------------------------------------ */

static bool make_directories(char *path)
{
    for (char *at = path + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        bool made = mkdir(path, 0700) == 0 || errno == EEXIST;
        *at = '/';
        if (!made)
            return false;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

bool settings_directory(const char *variable, const char *fallback, bool make, char *into,
                        size_t size)
{
    const char *base = getenv(variable);
    const char *home = getenv("HOME");
    int len = 0;
    if (base && base[0] == '/') /* relative ones are to be ignored */
        len = snprintf(into, size, "%s/cairn", base);
    else if (home && home[0] == '/')
        len = snprintf(into, size, "%s/%s/cairn", home, fallback);
    if (len <= 0 || (size_t)len >= size) {
        cli_say("neither %s nor HOME is set", variable);
        return false;
    }
    if (make && !make_directories(into)) {
        cli_say("%s: %s", into, strerror(errno));
        return false;
    }
    return true;
}

/* --- reading ---------------------------------------------------------------------- */

static bool is_private(int fd, const char *path)
{
    struct stat stat;
    if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode)) {
        cli_say("%s is no file", path);
        return false;
    }
    if ((stat.st_mode & 077) == 0)
        return true;
    cli_say("%s may hold secrets, and others can reach it: chmod 600 %s", path, path);
    return false;
}

static json_t *parse(int fd, const char *path)
{
    json_error_t error;
    json_t *all = json_loadfd(fd, JSON_REJECT_DUPLICATES, &error);
    if (!all) {
        cli_say("%s: line %d: %s", path, error.line, error.text);
        return NULL;
    }
    if (json_is_object(all))
        return all;
    cli_say("%s: no object of profiles", path);
    json_decref(all);
    return NULL;
}

static bool config_path(bool make, char *into, size_t size)
{
    char directory[PATH_MAX - 16];
    if (!settings_directory("XDG_CONFIG_HOME", ".config", make, directory,
                            sizeof(directory)))
        return false;
    return snprintf(into, size, "%s/config", directory) < (int)size;
}

static bool read_profiles(struct settings *settings)
{
    char path[PATH_MAX];
    if (!getenv("HOME") && !getenv("XDG_CONFIG_HOME")) {
        settings->all = json_object(); /* a service's account: the environment will do */
        return settings->all != NULL;
    }
    if (!config_path(false, path, sizeof(path)))
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        settings->all = json_object();
        return settings->all != NULL;
    }
    if (fd < 0) {
        cli_say("%s: %s", path, strerror(errno));
        return false;
    }
    settings->all = is_private(fd, path) ? parse(fd, path) : NULL;
    close(fd);
    return settings->all != NULL;
}

static const char *first_of(const char *a, const char *b, const char *c)
{
    if (a && *a)
        return a;
    return b && *b ? b : c;
}

static void choose_identity(struct settings *settings, const json_t *profile)
{
    const char *saved = json_string_value(json_object_get(profile, "url"));
    settings->token = first_of(getenv("CAIRN_TOKEN"), NULL, NULL);
    settings->key =
        settings->token ? NULL : first_of(getenv("CAIRN_API_KEY"), NULL, NULL);
    if (settings->token || settings->key || !saved || strcmp(saved, settings->url) != 0)
        return;
    settings->token = json_string_value(json_object_get(profile, "token"));
    if (!settings->token)
        settings->key = json_string_value(json_object_get(profile, "api_key"));
    settings->session = json_string_value(json_object_get(profile, "session"));
    settings->csrf = json_string_value(json_object_get(profile, "csrf"));
}

bool settings_load(struct settings *settings, const struct args *args)
{
    *settings = (struct settings){.url = SETTINGS_URL};
    if (!read_profiles(settings))
        return false;
    const char *used = json_string_value(json_object_get(settings->all, SETTINGS_USED));
    settings->profile = first_of(args_text(args, "profile"), getenv("CAIRN_PROFILE"),
                                 first_of(used, "default", NULL));
    const json_t *profile = json_object_get(settings->all, settings->profile);
    const char *saved = json_string_value(json_object_get(profile, "url"));
    settings->url = first_of(args_text(args, "url"), getenv("CAIRN_URL"),
                             first_of(saved, SETTINGS_URL, NULL));
    settings->ca_file = first_of(args_text(args, "cacert"), getenv("CAIRN_CACERT"),
                                 json_string_value(json_object_get(profile, "cacert")));
    choose_identity(settings, profile);
    return true;
}

void settings_free(struct settings *settings)
{
    json_decref(settings->all);
    settings->all = NULL;
    free(settings->renewed);
    settings->renewed = NULL;
}

/* --- writing ---------------------------------------------------------------------- */

static bool write_file(const char *path, const json_t *all)
{
    char draft[PATH_MAX + 8];
    (void)snprintf(draft, sizeof(draft), "%s.XXXXXX", path);
    int fd = mkostemp(draft, O_CLOEXEC); /* mode 0600 */
    if (fd < 0)
        return false;
    bool good = json_dumpfd(all, fd, JSON_INDENT(2) | JSON_SORT_KEYS) == 0 &&
                write(fd, "\n", 1) == 1 && fsync(fd) == 0;
    good = close(fd) == 0 && good && rename(draft, path) == 0;
    if (!good)
        (void)unlink(draft);
    return good;
}

static json_t *profile_of(const struct settings *settings,
                          const struct identity *identity)
{
    const struct {
        const char *name;
        const char *text;
    } kept[] = {{"token", identity->token},
                {"api_key", identity->key},
                {"session", identity->session},
                {"csrf", identity->csrf}};
    json_t *profile = json_pack("{s:s}", "url", settings->url);
    for (size_t i = 0; profile && i < SH_COUNT(kept); i++) {
        if (kept[i].text && *kept[i].text)
            json_object_set_new(profile, kept[i].name, json_string(kept[i].text));
    }
    char *ca_file = settings->ca_file ? realpath(settings->ca_file, NULL) : NULL;
    if (profile && ca_file)
        json_object_set_new(profile, "cacert", json_string(ca_file));
    free(ca_file); /* the C library's */
    return profile;
}

bool settings_write(json_t *all)
{
    char path[PATH_MAX];
    if (!config_path(true, path, sizeof(path)))
        return false;
    if (write_file(path, all))
        return true;
    cli_say("%s: %s", path, strerror(errno));
    return false;
}

bool settings_save(struct settings *settings, const struct identity *identity)
{
    json_t *profile = profile_of(settings, identity);
    json_t *all = json_deep_copy(settings->all);
    bool good = profile && all && json_object_set(all, settings->profile, profile) == 0;
    json_decref(profile);
    good = good && settings_write(all);
    json_decref(all);
    return good;
}
