/* cairn: the command line of Cairn, a client of its HTTP API. The commands are the rows
 * of commands.c, one file each. */
#include <signal.h>
#include <stdio.h>

#include "cli/cairn/cli.h"
#include "cli/cairn/help.h"

static void on_signal(int number)
{
    (void)number;
    atomic_store(&cli_stop, true); /* free of locks */
}

/* The second SIGINT ends it whatever it does. */
static void watch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

static int run(struct cli *cli)
{
    const struct args *args = &cli->args;
    if (!args->command) {
        help_all(args_given(args, "help") ? stdout : stderr);
        return args_given(args, "help") ? CLI_OK : CLI_USAGE;
    }
    if (args_given(args, "help")) {
        help_command_text(stdout, args->group, args->command);
        return CLI_OK;
    }
    if (!args->command->run) {
        help_command_text(stderr, NULL, args->command);
        return CLI_USAGE;
    }
    if (!settings_load(&cli->settings, args))
        return CLI_USAGE;
    watch_signals();
    return args->command->run(cli);
}

int main(int argc, char **argv)
{
    static struct cli cli; /* large */
    static char name[] = "cairn";
    if (argc < 1 || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        return CLI_FAILED;
    argv[0] = name;
    int code = args_parse(&cli.args, argc, argv) ? run(&cli) : CLI_USAGE;
    api_free(&cli.api);
    api_reply_free(&cli.reply);
    settings_free(&cli.settings);
    curl_global_cleanup();
    if (fflush(stdout) != 0 && code == CLI_OK)
        code = CLI_FAILED;
    return code;
}
