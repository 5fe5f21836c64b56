/* ollama_reply: what the endpoint says, as JSON that is not trusted, and what it is
 * asked. No I/O. */
#ifndef EMBEDDER_OLLAMA_REPLY_H
#define EMBEDDER_OLLAMA_REPLY_H

#include "services/embedder/provider/provider.h"
#include "shared/buffer.h"

/* {"model","input":[…],"truncate"} for count texts. Errors: SH_NOMEM, SH_MALFORMED (a
 * text is not UTF-8). */
SH_CHECK enum sh_err ollama_request(const char *model, const struct provider_text *texts,
                                    size_t count, bool truncate, struct sh_buffer *out);

/* Vectors of all texts, of this dimension, normalised, or none: any fault leaves err and
 * vectors as they are. Tokens are shared over the texts. Errors: SH_UPSTREAM, SH_NOMEM.
 */
SH_CHECK enum sh_err ollama_vectors(struct sh_bytes body, struct provider_text *texts,
                                    size_t count, uint32_t dimension);
/* How long the first vector of an answer is; 0 when there is none. */
uint32_t ollama_dimension(struct sh_bytes body);

enum ollama_presence { OLLAMA_ABSENT, OLLAMA_PRESENT, OLLAMA_NONSENSE };
/* Look for the model in an answer of /api/tags; digest and size go to the card. */
enum ollama_presence ollama_tags(struct sh_bytes body, const char *model,
                                 struct card *card);
/* Dimension and context length from an answer of /api/show, as far as it has them. */
void ollama_show(struct sh_bytes body, struct card *card);
/* The endpoint's own words about an error, "" when it has none. */
void ollama_error(struct sh_bytes body, char *out, size_t size);

#endif
