/* keyfile: pairs of keys as files. Each returns false after saying on stderr what is
 * wrong; nothing that is there is overwritten. */
#ifndef KEYS_KEYFILE_H
#define KEYS_KEYFILE_H

#include <stdbool.h>

/* DIR/NAME.key (0600) and DIR/public/NAME.pub, unless they are there. A public file that
 * is missing, or lacks the key, is made from the secret. */
bool keyfile_make(const char *dir, const char *name);
/* DIR/NAME.next.key, its public half added to DIR/public/NAME.pub. */
bool keyfile_next(const char *dir, const char *name);
/* DIR/NAME.next.key takes the place of DIR/NAME.key. */
bool keyfile_switch(const char *dir, const char *name);
/* DIR/public/NAME.pub holds only the key of DIR/NAME.key from here on. */
bool keyfile_drop(const char *dir, const char *name);

#endif
