/* download: an answer into a file, or onto standard output. */
#ifndef CAIRN_DOWNLOAD_H
#define CAIRN_DOWNLOAD_H

#include "cli/cairn/cli.h"

/* What `path` answers, to where --output says; a terminal takes no files. What is whole
 * appears under its name, and nothing else. An exit code. */
int download(struct cli *cli, const char *path);

/* The same, but text may go onto a terminal. */
int download_text(struct cli *cli, const char *path);

#endif
