#include "cli/cairn/help.h"

#include <string.h>

#include "cli/cairn/cli.h"
#include "cli/cairn/text.h"

enum { COLUMNS = 80, HELP_AT = 28 };

/* "  -c, --collection NAME", and the help beside or below it. */
static void print_option(FILE *out, const struct option_row *row)
{
    char head[96];
    struct sh_buffer text = {0};
    struct sh_buffer help = {0};
    (void)snprintf(head, sizeof(head), "  %c%c%c --%s%s%s", row->letter ? '-' : ' ',
                   row->letter ? row->letter : ' ', row->letter ? ',' : ' ', row->name,
                   row->value ? " " : "", row->value ? row->value : "");
    sh_buffer_text(&help, row->help);
    if (row->choices)
        sh_buffer_printf(&help, ": %s", row->choices);
    if (row->repeated)
        sh_buffer_text(&help, "; may be repeated");
    text_wrap(&text, sh_buffer_bytes(&help), COLUMNS, HELP_AT);
    if (strlen(head) + 2 <= HELP_AT)
        (void)fprintf(out, "%-*s%.*s", HELP_AT, head, (int)(text.len - HELP_AT),
                      text.data + HELP_AT);
    else
        (void)fprintf(out, "%s\n%.*s", head, (int)text.len, text.data);
    sh_buffer_free(&help);
    sh_buffer_free(&text);
}

static void print_options(FILE *out, const struct option_row *rows)
{
    for (; rows && rows->name; rows++)
        print_option(out, rows);
}

static void print_details(FILE *out, const char *details)
{
    struct sh_buffer text = {0};
    if (!details)
        return;
    text_wrap(&text, sh_bytes_of(details), COLUMNS, 0);
    (void)fprintf(out, "\n%.*s", (int)text.len, text.data);
    sh_buffer_free(&text);
}

void help_all(FILE *out)
{
    (void)fprintf(out, "usage: cairn COMMAND [ARGUMENT]... [OPTION]...\n\n");
    for (const struct command *const *at = commands; *at; at++)
        (void)fprintf(out, "  %-14s %s\n", (*at)->name, (*at)->summary);
    (void)fprintf(out, "\nEvery command takes:\n");
    print_options(out, common_options);
    (void)fprintf(out, "\n`cairn help COMMAND` says more about one. Exit status: 0 all "
                       "done, 1 some of it\nfailed, 2 wrong usage, 3 the server cannot "
                       "be reached or does not let one in.\n");
}

static void print_subs(FILE *out, const struct command *subs)
{
    size_t names = 0;
    size_t arguments = 0;
    for (const struct command *at = subs; at && at->name; at++) {
        size_t len = at->arguments ? strlen(at->arguments) : 0;
        names = strlen(at->name) > names ? strlen(at->name) : names;
        arguments = len > arguments ? len : arguments;
    }
    for (const struct command *at = subs; at && at->name; at++)
        (void)fprintf(out, "  %-*s %-*s %s\n", (int)names, at->name, (int)arguments,
                      at->arguments ? at->arguments : "", at->summary);
}

void help_command_text(FILE *out, const struct command *group,
                       const struct command *command)
{
    (void)fprintf(out, "usage: cairn %s%s%s%s%s%s\n", group ? group->name : "",
                  group ? " " : "", command->name,
                  command->subs        ? " COMMAND"
                  : command->arguments ? " "
                                       : "",
                  command->arguments ? command->arguments : "", " [OPTION]...");
    (void)fprintf(out, "\n%s.\n", command->summary);
    print_details(out, command->details);
    if (command->subs)
        (void)fputc('\n', out);
    print_subs(out, command->subs);
    if (command->options && command->options->name)
        (void)fprintf(out, "\nOptions:\n");
    print_options(out, command->options);
    (void)fprintf(out, "\nEvery command takes:\n");
    print_options(out, common_options);
}

/* --- the commands ----------------------------------------------------------------- */

static int run_help(struct cli *cli)
{
    const struct args *args = &cli->args;
    const struct command *group = NULL;
    const struct command *command =
        args->word_count > 0 ? command_find(args->words[0]) : NULL;
    if (args->word_count == 0) {
        help_all(stdout);
        return CLI_OK;
    }
    if (command && args->word_count > 1) {
        group = command;
        command = command_sub(group, args->words[1]);
    }
    if (!command) {
        cli_say("no such command; `cairn help` lists them");
        return CLI_USAGE;
    }
    help_command_text(stdout, group, command);
    return CLI_OK;
}

static int run_version(struct cli *cli)
{
    (void)cli;
    (void)printf("cairn %s\n", CAIRN_VERSION);
    return CLI_OK;
}

const struct command help_command = {.name = "help",
                                     .arguments = "[COMMAND]",
                                     .summary = "Explain a command",
                                     .run = run_help,
                                     .kind = ARGUMENT_COMMAND,
                                     .most = 2};

const struct command version_command = {
    .name = "version", .summary = "Say which version this is", .run = run_version};
