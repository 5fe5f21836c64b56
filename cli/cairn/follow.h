/* follow: a job as a person sees it: how far it is, what it came to. */
#ifndef CAIRN_FOLLOW_H
#define CAIRN_FOLLOW_H

#include "cli/cairn/cli.h"

/* The job, and what failed in it; with --json as it is. */
void follow_print(const struct cli *cli, const json_t *job);

/* Follows it to its end with progress, and prints it; with --json a line for each change.
 * An exit code: CLI_OK when it ended well and nothing in it failed. */
int follow_job(struct cli *cli, const char *id);

/* The same of the job that the last answer names (`job_id`); with --no-wait it is only
 * told. */
int follow_begun(struct cli *cli);

#endif
