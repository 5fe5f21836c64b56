/* models: what embeds, and what was embedded with it. */
#ifndef CAIRN_MODELS_H
#define CAIRN_MODELS_H

#include "cli/cairn/cli.h"

/* The fingerprint of the one generation that begins so, to be freed; NULL with *code set,
 * after a message to stderr, when there is none, or more than one. */
char *models_fingerprint(struct cli *cli, const char *begins, int *code);

#endif
