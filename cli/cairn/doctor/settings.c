/* Settings: whether the services take them, names that are nearly one, and files that
 * others should not read. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cairn/doctor/doctor.h"
#include "libshared/src/dotenv.h"

extern char **environ;

enum { NAME_LEN = 64, FILE_MAX = 1 << 20, NEAR = 2, LEAST = 5 };

/* --- reading FILE ----------------------------------------------------------------- */

static bool read_file(const char *path, struct sh_buffer *text)
{
    char piece[4096];
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    for (size_t n;
         text->len < FILE_MAX && (n = fread(piece, 1, sizeof(piece), file)) > 0;)
        sh_buffer_append(text, piece, n);
    bool good = !ferror(file);
    (void)fclose(file);
    return good && text->err == SH_OK;
}

/* Every NAME of the file, in `names`; they become this process's. */
static bool take_over(const struct sh_buffer *text, struct sh_dotenv *env)
{
    const char *at = text->data ? text->data : "";
    const char *end = at + text->len;
    while (at < end) {
        char name[NAME_LEN];
        size_t len = 0;
        while (at < end && (*at == ' ' || *at == '\t'))
            at++;
        if (end - at > 7 && strncmp(at, "export ", 7) == 0)
            at += 7;
        while (at + len < end && len < NAME_LEN - 1 &&
               (isalnum((unsigned char)at[len]) || at[len] == '_'))
            len++;
        (void)snprintf(name, sizeof(name), "%.*s", (int)len, at);
        const char *value = len > 0 ? sh_dotenv_get(env, name) : NULL;
        if (value && setenv(name, value, 1) != 0)
            return false;
        const char *line = memchr(at, '\n', (size_t)(end - at));
        at = line ? line + 1 : end;
    }
    return true;
}

static void tell_lines(struct doctor *self, const char *check, const char *remedy,
                       const struct sh_buffer *lines)
{
    const char *at = lines->err == SH_OK && lines->data ? lines->data : "";
    while (*at) {
        size_t len = strcspn(at, "\n");
        if (len > 0)
            doctor_say(self, DOCTOR_FAIL, check, remedy, "%.*s", (int)len, at);
        at += len + (at[len] == '\n');
    }
}

bool doctor_environment(struct doctor *self, const char *file)
{
    struct sh_buffer text = {0};
    struct sh_buffer faults = {0};
    struct sh_dotenv env = {0};
    bool good = !file || read_file(file, &text);
    if (!good)
        doctor_say(self, DOCTOR_FAIL, "settings",
                   "name the file that the services read, and run this as who may",
                   "%s: %s", file, strerror(errno));
    else if (file) {
        enum sh_err err = sh_dotenv_parse(&env, sh_buffer_bytes(&text), &faults);
        sh_buffer_append(&faults, "", 1);
        if (err != SH_OK)
            tell_lines(self, "settings",
                       "NAME=value lines, as docs/configuration.md says", &faults);
        good = take_over(&text, &env);
    }
    sh_dotenv_free(&env);
    sh_buffer_free(&faults);
    sh_buffer_free(&text);
    return good;
}

/* --- what the services say -------------------------------------------------------- */

static bool has_row(const struct doctor *self, const char *said)
{
    size_t i = 0;
    const json_t *row = NULL;
    json_array_foreach(self->rows, i, row)
    {
        const char *text = json_string_value(json_object_get(row, "said"));
        if (text && strcmp(text, said) == 0)
            return true;
    }
    return false;
}

/* What two services share, both complain of: it is told once. */
static void tell_faults(struct doctor *self, const char *check, char *text)
{
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        if (!has_row(self, line))
            doctor_say(self, DOCTOR_FAIL, check,
                       "change it in the settings of the service: docs/configuration.md",
                       "%s", line);
    }
}

static void check_service(struct doctor *self, const char *service)
{
    struct sh_buffer out = {0};
    char check[NAME_LEN];
    int status =
        doctor_run(service, (const char *const[2]){"--check-config", NULL}, true, &out);
    (void)snprintf(check, sizeof(check), "settings %s", service);
    if (status < 0)
        doctor_say(self, DOCTOR_WARN, check,
                   "install it beside `cairn`, or in a directory of PATH",
                   "cairn-%s is not here", service);
    else if (status == 0)
        doctor_say(self, DOCTOR_OK, check, NULL, "taken");
    else if (out.err == SH_OK)
        tell_faults(self, check, out.data);
    sh_buffer_free(&out);
}

/* --- names that are nearly one ---------------------------------------------------- */

/* All names that a service knows, also other names of a setting: they stand in backquotes
 * and after "also" in its tables. */
static void known_names(struct sh_buffer *names)
{
    static const char *const more[] = {"migrate", NULL};
    const char *const *lists[] = {doctor_services_names, more};
    for (size_t list = 0; list < SH_COUNT(lists); list++) {
        for (const char *const *at = lists[list]; *at; at++) {
            const char *const words[2] = {list == 0 ? "--config-markdown" : "--help",
                                          NULL};
            (void)doctor_run(*at, words, false, names);
        }
    }
}

static size_t name_length(const char *text)
{
    size_t len = 0;
    while (isupper((unsigned char)text[len]) || isdigit((unsigned char)text[len]) ||
           text[len] == '_')
        len++;
    return len;
}

/* Insertions, deletions, changes and swaps of neighbours
 * (https://en.wikipedia.org/wiki/Damerau%E2%80%93Levenshtein_distance, optimal string
 * alignment). */
static size_t distance(const char *a, const char *b, size_t b_len)
{
    size_t rows[3][NAME_LEN + 1];
    size_t a_len = strlen(a);
    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *now = rows[i % 3];
        const size_t *last = rows[(i - 1) % 3];
        const size_t *before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
            best = last[j] + 1 < best ? last[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return rows[a_len % 3][b_len];
}

struct near {
    const char *name; /* NULL: none is near */
    size_t len;
    size_t far;
};

static struct near nearest(const struct sh_buffer *names, const char *name)
{
    struct near best = {.far = NEAR + 1};
    for (size_t at = 0; at < names->len;) {
        size_t len = name_length(names->data + at);
        bool fits = len >= LEAST && len < NAME_LEN;
        size_t far = fits ? distance(name, names->data + at, len) : best.far;
        if (far < best.far)
            best = (struct near){names->data + at, len, far};
        at += len > 0 ? len : 1;
    }
    return best;
}

static void check_name(struct doctor *self, const struct sh_buffer *names,
                       const char *variable)
{
    char name[NAME_LEN];
    char remedy[2 * NAME_LEN + 32];
    size_t len = name_length(variable);
    if (len < LEAST || len >= NAME_LEN || variable[len] != '=')
        return;
    bool by_file = len > LEAST + 5 && strncmp(variable + len - 5, "_FILE", 5) == 0;
    (void)snprintf(name, sizeof(name), "%.*s", (int)len, variable);
    struct near near = nearest(names, name);
    if (near.far > 0 && by_file) { /* NAME_FILE holds the value of NAME */
        name[len - 5] = '\0';
        near = nearest(names, name);
    }
    if (!near.name || near.far == 0 || near.far * 4 > len)
        return;
    (void)snprintf(remedy, sizeof(remedy), "call it %.*s%s", (int)near.len, near.name,
                   strlen(name) < len ? "_FILE" : "");
    doctor_say(self, DOCTOR_WARN, "spelling", remedy,
               "%.*s is no setting of any service: nobody reads it", (int)len, variable);
}

/* --- files that others should not read -------------------------------------------- */

static void check_secret(struct doctor *self, const char *path)
{
    struct stat stat_of;
    if (stat(path, &stat_of) != 0)
        doctor_say(self, DOCTOR_FAIL, "secrets",
                   "make it, and run this as who runs the services", "%s: %s", path,
                   strerror(errno));
    else if ((stat_of.st_mode & 07) != 0)
        doctor_say(self, DOCTOR_FAIL, "secrets",
                   "chmod o= FILE; chgrp to the services' group",
                   "anybody on this machine can reach %s (mode %03o)", path,
                   (unsigned)stat_of.st_mode & 0777);
    else if (access(path, R_OK) != 0)
        doctor_say(self, DOCTOR_WARN, "secrets",
                   "chgrp to the services' group, chmod 640", "%s: %s", path,
                   strerror(errno));
    else
        doctor_say(self, DOCTOR_OK, "secrets", NULL, "%s is for few", path);
}

/* NAME_FILE of what is secret, by its name. */
static void check_secret_files(struct doctor *self)
{
    static const char *const kinds[] = {"PASSWORD", "SECRET", "KEY", "TOKEN"};
    for (char **at = environ; *at; at++) {
        size_t len = name_length(*at);
        bool secret = false;
        if (len < 6 || (*at)[len] != '=' || strncmp(*at + len - 5, "_FILE", 5) != 0)
            continue;
        for (size_t i = 0; i < SH_COUNT(kinds); i++) {
            const char *found = strstr(*at, kinds[i]);
            secret = secret || (found && found < *at + len);
        }
        if (secret && (*at)[len + 1] && !strstr(*at, "PUBLIC"))
            check_secret(self, *at + len + 1);
    }
}

void doctor_settings(struct doctor *self, const char *file)
{
    struct sh_buffer names = {0};
    for (const char *const *at = doctor_services_names; *at; at++)
        check_service(self, *at);
    known_names(&names);
    if (names.err == SH_OK)
        for (char **at = environ; *at; at++)
            check_name(self, &names, *at);
    sh_buffer_free(&names);
    if (file)
        check_secret(self, file);
    check_secret_files(self);
}
