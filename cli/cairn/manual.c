/* The manual page, cairn(1), from the tables: `cairn manual`. */
#include <stdio.h>
#include <string.h>

#include "cli/cairn/cli.h"

/* --- roff ------------------------------------------------------------------------- */

/* Text as roff takes it: no line begins with a control character, hyphens stay as they
 * are typed. */
static void put(const char *text)
{
    for (const char *at = text; *at; at++) {
        bool first = at == text || at[-1] == '\n';
        if (first && (*at == '.' || *at == '\''))
            (void)fputs("\\&", stdout);
        if (*at == '\\')
            (void)fputs("\\e", stdout);
        else if (*at == '-')
            (void)fputs("\\-", stdout);
        else if (at[0] == '\n' && at[1] == '\n')
            (void)fputs("\n.PP", stdout);
        else
            (void)putchar(*at);
    }
}

static void put_line(const char *before, const char *text, const char *after)
{
    (void)fputs(before, stdout);
    put(text);
    (void)fputs(after, stdout);
}

static void put_option(const struct option_row *row)
{
    (void)puts(".TP");
    if (row->letter)
        (void)printf("\\fB\\-%c\\fR, ", row->letter);
    put_line("\\fB\\-\\-", row->name, "\\fR");
    if (row->value)
        put_line(" \\fI", row->value, "\\fR");
    put_line("\n", row->help, "");
    if (row->choices)
        put_line(": ", row->choices, "");
    (void)puts(row->repeated ? "; may be repeated." : ".");
}

static void put_command(const struct command *group, const struct command *command)
{
    put_line(".SS \"cairn ", group ? group->name : "", group ? " " : "");
    put(command->name);
    put_line(command->arguments ? " " : "", command->arguments ? command->arguments : "",
             "\"\n");
    put_line("", command->summary, ".\n");
    if (command->details) {
        put_line(".PP\n", command->details, "\n");
    }
    for (const struct option_row *row = command->options; row && row->name; row++)
        put_option(row);
    for (const struct command *at = command->subs; at && at->name; at++)
        put_command(command, at);
}

/* --- what no table has ------------------------------------------------------------ */

static const char about[] =
    "cairn speaks to a Cairn server over its HTTP API: it brings documents in, searches "
    "them, and looks after jobs and collections.\n"
    "\n"
    "On a terminal results are laid out for reading; piped, they are plain: one record a "
    "line, values separated by tabs, or JSON with \\-\\-json. Progress and messages go "
    "to standard error. What is put off by the server (429 and 503 with Retry\\-After) "
    "is asked again when it said.";

static const struct {
    const char *name;
    const char *text;
} environment[] =
    {
        {"CAIRN_URL", "The gateway, such as https://cairn.example.org."},
        {"CAIRN_TOKEN", "A bearer token; counts more than the profile's."},
        {"CAIRN_API_KEY", "An API key, where there is no token."},
        {"CAIRN_PROFILE", "The profile; default when absent."},
        {"CAIRN_CACERT", "Certificates to trust in place of the system's."},
        {"NO_COLOR", "Not empty: no colours."},
        {"XDG_CONFIG_HOME, XDG_STATE_HOME", "Where the files below are, in place of "
                                            "~/.config and ~/.local/state."},
},
  files[] =
      {
          {"~/.config/cairn/config",
           "Profiles, as JSON: url, token or api_key, cacert. Only "
           "its owner may be able to read it (mode 0600)."},
          {"~/.local/state/cairn/", "What was ingested, one file for each server."},
},
  codes[] =
      {
          {"0", "All was done."},
          {"1", "Some of it failed, or what was asked for is not there."},
          {"2", "The command line is wrong; nothing was done."},
          {"3", "The server cannot be reached, or does not let one in."},
          {"130", "Interrupted."},
},
  examples[] = {
      {"cairn ingest handbook/ \\-\\-collection staff \\-\\-department Personnel",
       "Stores what is under handbook/; run again, only what is new or has changed."},
      {"cairn search \\(dqannual leave\\(dq \\-\\-max 3", "Three passages about it."},
      {"cairn documents list \\-\\-json | jq \\-r .id", "The ids of all documents."},
      {"cairn jobs watch 42", "Shows how a job goes on, until it ends."},
};

#define PUT_SECTION(title, rows)                                                         \
    do {                                                                                 \
        (void)puts(".SH " title);                                                        \
        for (size_t i = 0; i < SH_COUNT(rows); i++)                                      \
            (void)printf(".TP\n.B %s\n%s\n", (rows)[i].name, (rows)[i].text);            \
    } while (0)

static int run_manual(struct cli *cli)
{
    (void)cli;
    (void)printf(".\\\" Written by `cairn manual`.\n.TH CAIRN 1 \"\" \"Cairn %s\" "
                 "\"User Commands\"\n.SH NAME\ncairn \\- the command line of Cairn\n"
                 ".SH SYNOPSIS\n.B cairn\n.I COMMAND\n[\\fIARGUMENT\\fR]... "
                 "[\\fIOPTION\\fR]...\n.SH DESCRIPTION\n",
                 CAIRN_VERSION);
    for (const char *at = about; *at;) {
        size_t len = strcspn(at, "\n");
        (void)printf("%.*s\n", (int)len, len > 0 ? at : ".PP");
        at += len + (at[len] == '\n');
    }
    (void)puts(".SH COMMANDS");
    for (const struct command *const *at = commands; *at; at++)
        put_command(NULL, *at);
    (void)puts(".SH COMMON OPTIONS");
    for (const struct option_row *row = common_options; row->name; row++)
        put_option(row);
    PUT_SECTION("EXIT STATUS", codes);
    PUT_SECTION("ENVIRONMENT", environment);
    PUT_SECTION("FILES", files);
    PUT_SECTION("EXAMPLES", examples);
    return CLI_OK;
}

const struct command manual_command = {
    .name = "manual",
    .summary = "Print the manual page, as roff",
    .details = "`cairn manual | man -l -` shows it; `make install` installs it.",
    .run = run_manual};
