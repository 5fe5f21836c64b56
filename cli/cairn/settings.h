/* settings: which server, and as whom: the command line, the environment, and profiles in
 * $XDG_CONFIG_HOME/cairn/config (mode 0600, since tokens are in it). What a profile holds
 * of an identity goes to that profile's server only. */
#ifndef CAIRN_SETTINGS_H
#define CAIRN_SETTINGS_H

#include <jansson.h>

#include "cli/cairn/args.h"

#define SETTINGS_URL  "http://127.0.0.1:8080"
#define SETTINGS_USED "use" /* a member beside the profiles: which one is meant */

struct settings {
    const char *profile; /* its name: "default" */
    const char *url;
    const char *token; /* at most one of token and key is set */
    const char *key;
    const char *session; /* the cookie "name=value" that came with the token, or NULL */
    const char *csrf;    /* what goes with it */
    const char *ca_file;
    char *renewed; /* a token of now, which `token` then is; the C library's */
    json_t *all;   /* every profile; what is above may be borrowed from it */
};

/* False after a message to stderr: the file cannot be read, makes no sense, or others may
 * read it. settings_free() in any case. */
bool settings_load(struct settings *settings, const struct args *args);
void settings_free(struct settings *settings);

/* What is kept of who one is: a token or a key, and the session of the token. */
struct identity {
    const char *token;
    const char *key;
    const char *session;
    const char *csrf;
};

/* Keeps the identity ({0}: it is forgotten) in the profile, together with the URL and the
 * certificates. False after a message to stderr. */
bool settings_save(struct settings *settings, const struct identity *identity);

/* Keeps all profiles as they are in `all`, which stays the caller's. */
bool settings_write(json_t *all);

/* $XDG_CONFIG_HOME/cairn, or ~/.config/cairn: `variable` and `fallback` are those.
 * Made with mode 0700 when missing and `make`. False: no home, or it cannot be made. */
bool settings_directory(const char *variable, const char *fallback, bool make, char *into,
                        size_t size);

#endif
