/* config: settings from the environment, declared once. A group of settings is an X-macro
 * table; its struct, defaults, validation, --help, the start-up log and
 * docs/configuration.md all come from it:
 *
 *   #define GATEWAY_SETTINGS(S) \
 *       S(str, api_host, "API_HOST", "127.0.0.1", 1, 255, 0, "", "address to listen on")
 * \ S(u32, api_port, "API_PORT", "8000", 0, 65535, 0, "", "port; 0 takes a free one")
 *   struct gateway_config { GATEWAY_SETTINGS(SH_SETTING_MEMBER) };
 *
 * Columns: type, member, variable, default, least, most, flags, extra, help. Least and
 * most bound a number, or the length of a text. `extra` lists the choices of a choice
 * ("a|b|c", then other names after a ';'), or the other names
 * ("DB_PASS|POSTGRES_PASSWORD") of anything else: two names set to different values stop
 * the start. NAME_FILE names a file that holds the value of NAME. An empty variable
 * counts as not set, unless the setting is a text whose least length is 0. In development
 * a .env file in the working directory is read first; variables that are set win over it.
 * Texts live as long as the process. Main thread, at start. */
#ifndef SHARED_CONFIG_H
#define SHARED_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/buffer.h"
#include "shared/err.h"

typedef const char *sh_setting_str;
typedef const char *sh_setting_choice;
typedef const char *sh_setting_url; /* printed with its password masked */
typedef uint32_t sh_setting_u32;
typedef double sh_setting_f64;
typedef bool sh_setting_flag; /* True/False/true/1/yes/on … */

enum sh_setting_type {
    SH_SETTING_str,
    SH_SETTING_choice,
    SH_SETTING_url,
    SH_SETTING_u32,
    SH_SETTING_f64,
    SH_SETTING_flag,
};

enum {                  /* flags */
       SH_SECRET = 1,   /* masked wherever it is shown */
       SH_RELOAD = 2,   /* taken over again on SIGHUP */
       SH_REQUIRED = 4, /* no default: the start fails without it */
       SH_HTTP = 8,     /* of a url: of http or https, nothing else is asked */
};

struct sh_setting {
    enum sh_setting_type type;
    unsigned offset; /* of the member */
    const char *name;
    const char *fallback;
    double least;
    double most;
    unsigned flags;
    const char *extra;
    const char *help;
};

#define SH_SETTING_MEMBER(type, member, ...) sh_setting_##type member;
/* Needs `owner` to name the struct: typedef struct gateway_config owner; */
#define SH_SETTING_ROW(type, member, ...)                                                \
    {SH_SETTING_##type, offsetof(owner, member), __VA_ARGS__},

struct sh_settings {
    const char *title; /* "HTTP", "PostgreSQL": a heading in the docs */
    const struct sh_setting *rows;
    size_t count;
    void *into; /* the struct to fill */
};

/* Define `struct sh_settings PREFIX_settings(struct PREFIX_config *into)` from a table.
 */
#define SH_SETTINGS_DEFINE(prefix, title_, TABLE)                                        \
    struct sh_settings prefix##_settings(struct prefix##_config *into)                   \
    {                                                                                    \
        typedef struct prefix##_config owner;                                            \
        static const struct sh_setting rows[] = {TABLE(SH_SETTING_ROW)};                 \
        return (struct sh_settings){title_, rows, sizeof(rows) / sizeof(rows[0]), into}; \
    }

/* Fill every group from the environment. All faults are reported together, one line each
 * that names the variable, in `faults`. Errors: SH_INVALID, SH_NOMEM. */
SH_CHECK enum sh_err sh_config_load(const struct sh_settings *groups, size_t count,
                                    struct sh_buffer *faults);
/* Take over the values of settings flagged SH_RELOAD; the others are compared and named
 * in `notes` when a restart would change them. One bad value leaves all as they were:
 * SH_INVALID, and the faults are in `notes`. */
SH_CHECK enum sh_err sh_config_reload(const struct sh_settings *groups, size_t count,
                                      struct sh_buffer *notes);
/* For production: one line in `faults` for each secret, and each password of a URL, that
 * is short or well known. */
void sh_config_refuse_weak(const struct sh_settings *groups, size_t count,
                           struct sh_buffer *faults);
/* NAME=value lines, secrets masked. */
void sh_config_print(const struct sh_settings *groups, size_t count,
                     struct sh_buffer *out);
/* The same of those that differ from their defaults. */
void sh_config_print_changed(const struct sh_settings *groups, size_t count,
                             struct sh_buffer *out);
/* For --help and, with markdown, for docs/configuration.md. */
void sh_config_describe(const struct sh_settings *groups, size_t count, bool markdown,
                        struct sh_buffer *out);

#endif
