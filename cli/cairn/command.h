/* command: what `cairn` can do, as tables. One row here and one file make a command; its
 * help, its page of the manual and its completion come from the same row. */
#ifndef CAIRN_COMMAND_H
#define CAIRN_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

struct cli;

/* Exit codes, for scripts. */
enum {
    CLI_OK = 0,
    CLI_FAILED = 1,       /* some of it, or all */
    CLI_USAGE = 2,        /* the command line is wrong: nothing was done */
    CLI_REFUSED = 3,      /* the server cannot be reached, or does not let one in */
    CLI_INTERRUPTED = 130 /* as shells say it: 128 + SIGINT */
};

enum option_type {
    OPTION_SWITCH, /* takes no value */
    OPTION_TEXT,
    OPTION_NUMBER, /* least to most */
    OPTION_CHOICE, /* one of `choices` */
    OPTION_FILE,   /* completed as a path */
};

struct option_row {
    const char *name; /* "collection": --collection */
    char letter;      /* 'c': -c; 0: none */
    enum option_type type;
    const char *value; /* what help calls it: "NAME" */
    const char *help;
    const char *choices; /* "hybrid vector text" */
    long least;
    long most;
    bool repeated;
};

enum argument_kind { ARGUMENT_TEXT, ARGUMENT_PATH, ARGUMENT_COMMAND };

struct command {
    const char *name;      /* "list" */
    const char *arguments; /* "DIR|FILE..."; NULL: none */
    const char *summary;   /* one line, no full stop */
    const char *details;   /* paragraphs, separated by an empty line; NULL: none */
    const struct option_row *options; /* ends with {0} */
    const struct command *subs;       /* ends with {0}; then nothing but name, summary,
                                         details is set */
    int (*run)(struct cli *cli);      /* an exit code */
    enum argument_kind kind;
    int least; /* arguments */
    int most;  /* -1: any number */
};

/* All of them, in the order of the help; ends with NULL. */
extern const struct command *const commands[];

/* What every command takes; ends with {0}. */
extern const struct option_row common_options[];

/* NULL when there is none. `word` must be whole. */
const struct command *command_find(const char *word);
const struct command *command_sub(const struct command *of, const char *word);

/* The rows, each in a file of its own. */
extern const struct command ingest_command;
extern const struct command rows_command;
extern const struct command search_command;
extern const struct command suggest_command;
extern const struct command documents_command;
extern const struct command jobs_command;
extern const struct command collections_command;
extern const struct command backup_command;
extern const struct command graph_command;
extern const struct command glossary_command;
extern const struct command embed_command;
extern const struct command models_command;
extern const struct command generations_command;
extern const struct command users_command;
extern const struct command roles_command;
extern const struct command keys_command;
extern const struct command audit_command;
extern const struct command doctor_command;
extern const struct command status_command;
extern const struct command history_command;
extern const struct command health_command;
extern const struct command ping_command;
extern const struct command metrics_command;
extern const struct command errors_command;
extern const struct command cache_command;
extern const struct command maintenance_command;
extern const struct command bench_command;
extern const struct command mcp_command;
extern const struct command whoami_command;
extern const struct command refresh_command;
extern const struct command password_command;
extern const struct command profile_command;
extern const struct command openapi_command;
extern const struct command login_command;
extern const struct command logout_command;
extern const struct command completion_command;
extern const struct command manual_command;
extern const struct command help_command;
extern const struct command version_command;

#endif
