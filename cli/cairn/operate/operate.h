/* operate: what those see who keep it running. */
#ifndef CAIRN_OPERATE_H
#define CAIRN_OPERATE_H

#include "cli/cairn/cli.h"

/* The answer of /health or a part of it, also when it is 503 since something is wrong.
 * NULL with *code set otherwise. */
json_t *operate_ask_health(struct cli *cli, const char *path, int *code);

/* What is degraded, and maintenance, a line each on stderr. */
void operate_say_issues(const json_t *health);

#endif
