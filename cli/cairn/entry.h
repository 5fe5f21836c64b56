/* entry: what a login answers: a token for a while, and a session that can renew it. */
#ifndef CAIRN_ENTRY_H
#define CAIRN_ENTRY_H

#include "cli/cairn/cli.h"

/* Keeps the entry that was answered last in the profile. An exit code. */
int entry_keep(struct cli *cli);

/* POSTs nothing to `path` as the session of the profile, without its token. An exit code.
 */
int entry_ask(struct cli *cli, const char *path);

/* A token of the profile that is not of these minutes is renewed while its session is
 * there; nothing is said when that fails: the token may do for now. */
void entry_renew(struct cli *cli);

#endif
