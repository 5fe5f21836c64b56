/* browse: documents by conditions on what is said of them. */
#ifndef CAIRN_BROWSE_H
#define CAIRN_BROWSE_H

#include "cli/cairn/cli.h"

/* Prints what --filter, --collection and --sort ask for, --max (100) at most. */
int browse(struct cli *cli);

#endif
