/* kept_vectors: the vectors of nodes as a file, so that a new process need not ask the
 * embedder for all of them again. One file, replaced as a whole, with its XXH3 at the
 * end; what is torn, changed or of another version is refused. A vector is found by the
 * number of its node and the hash of its text: what changed since finds none. */
#ifndef GRAPH_KEPT_VECTORS_H
#define GRAPH_KEPT_VECTORS_H

#include "services/graph/vectors/node_vectors.h"

enum { KEPT_FINGERPRINT = 64 };

struct kept_vectors;

/* The file at `path`, mapped until it is closed. Errors: SH_NOTFOUND, SH_MALFORMED,
 * SH_IO, SH_NOMEM. */
SH_CHECK enum sh_err kept_vectors_open(const char *path, struct kept_vectors **out);
void kept_vectors_close(struct kept_vectors **self);                   /* NULL is fine */
const char *kept_vectors_fingerprint(const struct kept_vectors *self); /* of the model */
size_t kept_vectors_dimension(const struct kept_vectors *self);
/* Lent until it is closed. False: there is none of that node with that text. */
bool kept_vectors_find(const struct kept_vectors *self, uint64_t number, uint64_t hash,
                       struct packed_vector *out);

/* All that are there, to `path`, by way of `path`.tmp; they are on the disk when this
 * returns. The putter's thread. Errors: SH_IO, SH_TOOBIG. */
SH_CHECK enum sh_err kept_vectors_save(const struct node_vectors *vectors,
                                       const char *fingerprint, const char *path);

#endif
