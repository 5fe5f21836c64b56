#include "cli/cairn/args.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MAX = 48, FIRST_LONG = 256 };

/* getopt's view of the tables. */
struct spelling {
    struct option longs[OPTIONS_MAX + 1];
    char shorts[2 * OPTIONS_MAX + 2];
    const struct option_row *rows[OPTIONS_MAX];
    size_t count;
};

static void spell(struct spelling *into, const struct option_row *rows)
{
    size_t len = strlen(into->shorts);
    for (; rows && rows->name && into->count < OPTIONS_MAX; rows++) {
        bool takes = rows->type != OPTION_SWITCH;
        into->longs[into->count] =
            (struct option){rows->name, takes ? required_argument : no_argument, NULL,
                            FIRST_LONG + (int)into->count};
        into->rows[into->count++] = rows;
        if (!rows->letter)
            continue;
        into->shorts[len++] = rows->letter;
        if (takes)
            into->shorts[len++] = ':';
    }
}

static const struct option_row *row_of(const struct spelling *spelling, int c)
{
    if (c >= FIRST_LONG)
        return spelling->rows[c - FIRST_LONG];
    for (size_t i = 0; i < spelling->count; i++) {
        if (spelling->rows[i]->letter == c && c != 0)
            return spelling->rows[i];
    }
    return NULL; /* '?': getopt has said what is wrong */
}

/* --- values ----------------------------------------------------------------------- */

static bool is_choice(const char *choices, const char *text)
{
    size_t len = strlen(text);
    for (const char *at = choices; *at; at += strspn(at, " ")) {
        size_t word = strcspn(at, " ");
        if (word == len && strncmp(at, text, len) == 0)
            return true;
        at += word;
    }
    return false;
}

static bool is_number(const struct option_row *row, const char *text)
{
    char *end = NULL;
    errno = 0;
    long number = strtol(text, &end, 10);
    return errno == 0 && *text && !*end && number >= row->least && number <= row->most;
}

static bool check(const struct option_row *row, const char *text)
{
    if (row->type == OPTION_NUMBER && !is_number(row, text)) {
        (void)fprintf(stderr, "cairn: --%s must be %ld to %ld\n", row->name, row->least,
                      row->most);
        return false;
    }
    if (row->type == OPTION_CHOICE && !is_choice(row->choices, text)) {
        (void)fprintf(stderr, "cairn: --%s must be one of: %s\n", row->name,
                      row->choices);
        return false;
    }
    return true;
}

static bool read_options(struct args *args, struct spelling *spelling, int argc,
                         char **argv)
{
    for (int c = 0;
         (c = getopt_long(argc, argv, spelling->shorts, spelling->longs, NULL)) != -1;) {
        const struct option_row *row = row_of(spelling, c);
        if (!row)
            return false;
        const char *text = row->type == OPTION_SWITCH ? NULL : optarg;
        if (!check(row, text))
            return false;
        if (args->count == ARGS_VALUES_MAX) {
            (void)fprintf(stderr, "cairn: too many options\n");
            return false;
        }
        args->values[args->count++] = (struct arg_value){row, text};
    }
    return true;
}

/* --- words ------------------------------------------------------------------------ */

static bool count_words(const struct args *args)
{
    const struct command *command = args->command;
    if (args_given(args, "help"))
        return true;
    if (args->word_count < command->least) {
        (void)fprintf(stderr, "cairn: missing argument: %s\n", command->arguments);
        return false;
    }
    if (command->most >= 0 && args->word_count > command->most) {
        (void)fprintf(stderr, "cairn: too many arguments: %s\n",
                      args->words[command->most]);
        return false;
    }
    return true;
}

/* The command, and where what is its own begins; 0: there is no such command. */
static int find_command(struct args *args, int argc, char **argv)
{
    if (optind >= argc)
        return optind;
    args->command = command_find(argv[optind]);
    if (!args->command) {
        (void)fprintf(stderr, "cairn: no command %s; `cairn help` lists them\n",
                      argv[optind]);
        return 0;
    }
    int at = optind;
    if (!args->command->subs || at + 1 >= argc || argv[at + 1][0] == '-')
        return at;
    args->group = args->command;
    args->command = command_sub(args->group, argv[at + 1]);
    if (args->command)
        return at + 1;
    (void)fprintf(stderr, "cairn: no command %s %s; `cairn help %s` lists them\n",
                  args->group->name, argv[at + 1], args->group->name);
    return 0;
}

bool args_parse(struct args *args, int argc, char **argv)
{
    struct spelling before = {.shorts = "+"}; /* stops at the command */
    struct spelling within = {0};
    *args = (struct args){0};
    spell(&before, common_options);
    optind = 0;
    if (!read_options(args, &before, argc, argv))
        return false;
    int at = find_command(args, argc, argv);
    if (at == 0)
        return false;
    if (!args->command)
        return true;
    spell(&within, args->command->options);
    spell(&within, common_options);
    argv[at] = argv[0]; /* who getopt's messages come from */
    optind = 0;
    if (!read_options(args, &within, argc - at, argv + at))
        return false;
    args->words = argv + at + optind;
    args->word_count = argc - at - optind;
    if (args->command->subs)
        return true;
    return count_words(args);
}

/* --- asking ----------------------------------------------------------------------- */

const char *args_next(const struct args *args, const char *option, size_t *at)
{
    while (*at < args->count) {
        const struct arg_value *value = &args->values[(*at)++];
        if (strcmp(value->row->name, option) == 0)
            return value->text ? value->text : "";
    }
    return NULL;
}

const char *args_text(const struct args *args, const char *option)
{
    const char *last = NULL;
    size_t at = 0;
    for (const char *text; (text = args_next(args, option, &at)) != NULL;)
        last = text;
    return last;
}

bool args_given(const struct args *args, const char *option)
{
    return args_text(args, option) != NULL;
}

long args_number(const struct args *args, const char *option, long otherwise)
{
    const char *text = args_text(args, option);
    return text ? strtol(text, NULL, 10) : otherwise;
}

void args_phrase(const struct args *args, struct sh_buffer *out)
{
    for (int i = 0; i < args->word_count; i++) {
        sh_buffer_text(out, i > 0 ? " " : "");
        sh_buffer_text(out, args->words[i]);
    }
    sh_buffer_append(out, "", 1);
}
