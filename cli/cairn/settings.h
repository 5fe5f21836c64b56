/* settings: which server, and as whom: the command line, the environment, and profiles in
 * $XDG_CONFIG_HOME/cairn/config (mode 0600, since tokens are in it). What a profile holds
 * of an identity goes to that profile's server only. */
#ifndef CAIRN_SETTINGS_H
#define CAIRN_SETTINGS_H

#include <jansson.h>

#include "cli/cairn/args.h"

#define SETTINGS_URL "http://127.0.0.1:8080"

struct settings {
    const char *profile; /* its name: "default" */
    const char *url;
    const char *token; /* at most one of token and key is set */
    const char *key;
    const char *ca_file;
    json_t *all; /* every profile; what is above may be borrowed from it */
};

/* False after a message to stderr: the file cannot be read, makes no sense, or others may
 * read it. settings_free() in any case. */
bool settings_load(struct settings *settings, const struct args *args);
void settings_free(struct settings *settings);

/* Keeps the identity (one of both, or none: it is forgotten) in the profile, together
 * with the URL and the certificates. False after a message to stderr. */
bool settings_save(struct settings *settings, const char *token, const char *key);

/* $XDG_CONFIG_HOME/cairn, or ~/.config/cairn: `variable` and `fallback` are those.
 * Made with mode 0700 when missing and `make`. False: no home, or it cannot be made. */
bool settings_directory(const char *variable, const char *fallback, bool make, char *into,
                        size_t size);

#endif
