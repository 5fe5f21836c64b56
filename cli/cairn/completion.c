/* Shell completion from the tables: `cairn completion bash|zsh|fish`. */
#include <stdio.h>
#include <string.h>

#include "cli/cairn/cli.h"

/* --- parts that all shells need --------------------------------------------------- */

/* In single quotes, for any of the three shells. */
static void quoted(const char *text)
{
    (void)putchar('\'');
    for (; *text; text++) {
        if (*text == '\'')
            (void)fputs("'\\''", stdout);
        else
            (void)putchar(*text);
    }
    (void)putchar('\'');
}

static void option_words(const struct option_row *rows)
{
    for (; rows && rows->name; rows++) {
        (void)printf(" --%s", rows->name);
        if (rows->letter)
            (void)printf(" -%c", rows->letter);
    }
}

/* Called for every command that can be run, with its group or NULL. */
static void each(void (*tell)(const struct command *group, const struct command *command))
{
    for (const struct command *const *at = commands; *at; at++) {
        if (!(*at)->subs)
            tell(NULL, *at);
        for (const struct command *sub = (*at)->subs; sub && sub->name; sub++)
            tell(*at, sub);
    }
}

/* --- bash ------------------------------------------------------------------------- */

static void bash_values(const struct option_row *rows, const char *of)
{
    for (; rows && rows->name; rows++) {
        if (rows->type == OPTION_SWITCH)
            continue;
        (void)printf("    '%s:--%s'", of, rows->name);
        if (rows->letter)
            (void)printf("|'%s:-%c'", of, rows->letter);
        if (rows->type == OPTION_CHOICE)
            (void)printf(") mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$cur\"); "
                         "return ;;\n",
                         rows->choices);
        else if (rows->type == OPTION_FILE)
            (void)puts(") compopt -o filenames; "
                       "mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return ;;");
        else
            (void)puts(") return ;;");
    }
}

static void bash_command_values(const struct command *group,
                                const struct command *command)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "%s%s%s", group ? group->name : "",
                   group ? " " : "", command->name);
    bash_values(command->options, name);
    bash_values(common_options, name);
}

static void bash_words(const struct command *group, const struct command *command)
{
    (void)printf("    '%s%s%s') words='", group ? group->name : "", group ? " " : "",
                 command->name);
    option_words(command->options);
    option_words(common_options);
    (void)printf("'; paths=%s ;;\n", command->kind == ARGUMENT_PATH ? "yes" : "");
}

static void command_names(void)
{
    for (const struct command *const *at = commands; *at; at++)
        (void)printf("%s%s", at == commands ? "" : " ", (*at)->name);
}

static void bash_groups(void)
{
    for (const struct command *const *at = commands; *at; at++) {
        if (!(*at)->subs)
            continue;
        (void)printf("    %s) subs='", (*at)->name);
        for (const struct command *sub = (*at)->subs; sub->name; sub++)
            (void)printf("%s%s", sub == (*at)->subs ? "" : " ", sub->name);
        (void)puts("' ;;");
    }
}

static void write_bash(void)
{
    (void)fputs(
        "# Completion of cairn for bash, written by `cairn completion bash`.\n"
        "_cairn()\n"
        "{\n"
        "    local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
        "    local first=${COMP_WORDS[1]} subs= words= paths= command= at=1\n"
        "    COMPREPLY=()\n"
        "    case $first in\n",
        stdout);
    bash_groups();
    (void)fputs(
        "    esac\n"
        "    command=$first\n"
        "    if [[ -n $subs ]]; then command=\"$first ${COMP_WORDS[2]}\" at=2; fi\n"
        "    if (( COMP_CWORD == 1 )); then words='",
        stdout);
    command_names();
    option_words(common_options);
    (void)fputs("'\n"
                "    elif (( COMP_CWORD == 2 )) && [[ -n $subs ]]; then words=$subs\n"
                "    elif (( COMP_CWORD == 2 )) && [[ $first == help ]]; then words='",
                stdout);
    command_names();
    (void)fputs("'\n"
                "    fi\n"
                "    if [[ -n $words ]]; then\n"
                "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
                "        return\n"
                "    fi\n"
                "    case $command:$before in\n",
                stdout);
    each(bash_command_values);
    (void)fputs("    esac\n"
                "    case $command in\n",
                stdout);
    each(bash_words);
    (void)fputs("    esac\n"
                "    if [[ $cur == -* ]]; then\n"
                "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
                "    elif [[ -n $paths ]]; then\n"
                "        compopt -o filenames\n"
                "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
                "    fi\n"
                "}\n"
                "complete -F _cairn cairn\n",
                stdout);
}

/* --- zsh -------------------------------------------------------------------------- */

/* _arguments and _describe have meanings for colons and brackets. */
static void zsh_plain(const char *text)
{
    for (; *text; text++) {
        if (strchr("[]:\\", *text))
            (void)putchar('\\');
        if (*text == '\'')
            (void)fputs("'\\''", stdout);
        else
            (void)putchar(*text);
    }
}

static void zsh_option(const struct option_row *row, const char *spelled)
{
    (void)printf(" \\\n            '%s%s[", row->repeated ? "*" : "", spelled);
    zsh_plain(row->help);
    (void)putchar(']');
    if (row->type == OPTION_CHOICE)
        (void)printf(":%s:(%s)", row->value, row->choices);
    else if (row->type == OPTION_FILE)
        (void)printf(":%s:_files", row->value);
    else if (row->type != OPTION_SWITCH)
        (void)printf(":%s:", row->value);
    (void)putchar('\'');
}

static void zsh_options(const struct option_row *rows)
{
    char spelled[64];
    for (; rows && rows->name; rows++) {
        (void)snprintf(spelled, sizeof(spelled), "--%s", rows->name);
        zsh_option(rows, spelled);
        (void)snprintf(spelled, sizeof(spelled), "-%c", rows->letter);
        if (rows->letter)
            zsh_option(rows, spelled);
    }
}

static void zsh_command(const struct command *group, const struct command *command)
{
    (void)printf("        '%s%s%s') _arguments", group ? group->name : "",
                 group ? " " : "", command->name);
    zsh_options(command->options);
    zsh_options(common_options);
    (void)printf(" '*:argument:%s' ;;\n", command->kind == ARGUMENT_PATH ? "_files"
                                          : command->kind == ARGUMENT_COMMAND
                                              ? "_cairn_commands"
                                              : " ");
}

static void zsh_list(const struct command *command)
{
    (void)printf(" '%s:", command->name);
    zsh_plain(command->summary);
    (void)putchar('\'');
}

static void write_zsh(void)
{
    (void)fputs("#compdef cairn\n"
                "# Completion of cairn for zsh, written by `cairn completion zsh`.\n"
                "_cairn_commands()\n{\n    local -a all=(",
                stdout);
    for (const struct command *const *at = commands; *at; at++)
        zsh_list(*at);
    (void)fputs(")\n    _describe command all\n}\n\n_cairn()\n{\n"
                "    local command=$words[2]\n    local -a subs=()\n"
                "    if (( CURRENT == 2 )); then _cairn_commands; return; fi\n"
                "    case $command in\n",
                stdout);
    for (const struct command *const *at = commands; *at; at++) {
        if (!(*at)->subs)
            continue;
        (void)printf("        %s) subs=(", (*at)->name);
        for (const struct command *sub = (*at)->subs; sub->name; sub++)
            zsh_list(sub);
        (void)puts(") ;;");
    }
    (void)fputs(
        "    esac\n"
        "    if (( $#subs && CURRENT == 3 )); then _describe command subs; return; fi\n"
        "    if (( $#subs )); then command=\"$command $words[3]\"; "
        "shift words; (( CURRENT-- )); fi\n"
        "    shift words; (( CURRENT-- ))\n"
        "    case $command in\n",
        stdout);
    each(zsh_command);
    (void)fputs("    esac\n}\n\n"
                "if [[ $funcstack[1] == _cairn ]]; then _cairn \"$@\"; "
                "else compdef _cairn cairn; fi\n",
                stdout);
}

/* --- fish ------------------------------------------------------------------------- */

static void fish_options(const struct option_row *rows, const char *condition)
{
    for (; rows && rows->name; rows++) {
        (void)printf("complete -c cairn%s -l %s", condition, rows->name);
        if (rows->letter)
            (void)printf(" -s %c", rows->letter);
        if (rows->type != OPTION_SWITCH)
            (void)printf(rows->type == OPTION_FILE ? " -rF" : " -x");
        if (rows->choices)
            (void)printf(" -a '%s'", rows->choices);
        (void)printf(" -d ");
        quoted(rows->help);
        (void)putchar('\n');
    }
}

static void fish_command(const struct command *group, const struct command *command)
{
    char condition[160];
    if (group)
        (void)snprintf(condition, sizeof(condition),
                       " -n '__fish_seen_subcommand_from %s; and "
                       "__fish_seen_subcommand_from %s'",
                       group->name, command->name);
    else
        (void)snprintf(condition, sizeof(condition),
                       " -n '__fish_seen_subcommand_from %s'", command->name);
    fish_options(command->options, condition);
    if (command->kind == ARGUMENT_PATH)
        (void)printf("complete -c cairn%s -F\n", condition);
}

static void fish_group(const struct command *group)
{
    for (const struct command *sub = group->subs; sub && sub->name; sub++) {
        (void)printf("complete -c cairn -n '__fish_seen_subcommand_from %s; and not "
                     "__fish_seen_subcommand_from",
                     group->name);
        for (const struct command *other = group->subs; other->name; other++)
            (void)printf(" %s", other->name);
        (void)printf("' -a %s -d ", sub->name);
        quoted(sub->summary);
        (void)putchar('\n');
    }
}

static void write_fish(void)
{
    (void)puts("# Completion of cairn for fish, written by `cairn completion fish`.\n"
               "complete -c cairn -f");
    for (const struct command *const *at = commands; *at; at++) {
        (void)printf("complete -c cairn -n __fish_use_subcommand -a %s -d ", (*at)->name);
        quoted((*at)->summary);
        (void)putchar('\n');
        fish_group(*at);
    }
    each(fish_command);
    fish_options(common_options, "");
}

/* --- the command ------------------------------------------------------------------ */

static int run_completion(struct cli *cli)
{
    const char *shell = cli->args.words[0];
    if (strcmp(shell, "bash") == 0)
        write_bash();
    else if (strcmp(shell, "zsh") == 0)
        write_zsh();
    else if (strcmp(shell, "fish") == 0)
        write_fish();
    else {
        cli_say("no completion for %s: bash, zsh, fish", shell);
        return CLI_USAGE;
    }
    return CLI_OK;
}

const struct command completion_command = {
    .name = "completion",
    .arguments = "bash|zsh|fish",
    .summary = "Print the completion script for a shell",
    .details = "bash: `source <(cairn completion bash)` in ~/.bashrc. zsh: the script as "
               "_cairn in a directory of $fpath. fish: the script as "
               "~/.config/fish/completions/cairn.fish. `make install` installs all "
               "three.",
    .run = run_completion,
    .least = 1,
    .most = 1};
