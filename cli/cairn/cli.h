/* cli: what a command has at hand: its arguments, the server, and ways to say how it
 * went. One thread at a time, cli_stop apart. */
#ifndef CAIRN_CLI_H
#define CAIRN_CLI_H

#include "cli/api/api.h"
#include "cli/cairn/args.h"
#include "cli/cairn/settings.h"

struct cli {
    struct args args;
    struct settings settings;
    struct api *api;        /* made by the first cli_ask(); see cli_connect() */
    struct api_reply reply; /* of the last cli_ask() */
};

/* Set by SIGINT and SIGTERM; whatever takes long looks at it. */
extern atomic_bool cli_stop;

/* How this client is to speak to the server; valid as long as the cli. */
struct api_settings cli_api_settings(const struct cli *cli);

/* 0, or an exit code after a message to stderr. */
int cli_connect(struct cli *cli);

/* Asks, and says on stderr what went wrong: 0 when the answer is a good one (2xx), else
 * an exit code. */
int cli_ask(struct cli *cli, const struct api_request *request);
/* The same without a body, and the answer as JSON: NULL with *code set otherwise. The
 * caller lets it go. */
json_t *cli_get(struct cli *cli, const char *path, int *code);

/* `base`, a segment of a path, encoded, and `rest`: to be freed; NULL: out of memory. */
char *cli_path(const char *base, const char *segment, const char *rest);

/* A value as it was typed: numbers, truth values, lists, objects and null are taken as
 * JSON, all else is text. The caller lets it go. */
json_t *cli_value(const char *text);
/* NAME=VALUE of every `option` into an object. False: a message is on stderr. */
bool cli_pairs(const struct args *args, const char *option, json_t *into);

/* Sends JSON, which it lets go; 0 when the answer, in cli->reply, is a good one. */
int cli_send(struct cli *cli, const char *method, const char *path, json_t *body);

/* The exit code for how a call ended; a message on stderr when it is not 0. */
int cli_judge(enum api_end end, const struct api_reply *reply);

/* To stderr, "cairn: " before it; hostile text is made harmless. */
__attribute__((format(printf, 1, 2))) void cli_say(const char *format, ...);

/* JSON to stdout: one line when piped, indented on a terminal. */
int cli_print_json(const json_t *value);
/* An object for reading, a member a line, or as it is. */
int cli_print_members(json_t *object, bool json);

#endif
