/* help: what the tables say, for people. */
#ifndef CAIRN_HELP_H
#define CAIRN_HELP_H

#include <stdio.h>

#include "cli/cairn/command.h"

void help_all(FILE *out);
/* `group` is NULL unless the command is a sub-command. */
void help_command_text(FILE *out, const struct command *group,
                       const struct command *command);

#endif
