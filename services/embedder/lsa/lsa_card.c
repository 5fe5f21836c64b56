#include "services/embedder/lsa/lsa_card.h"

#include <stdio.h>

#include "services/embedder/lsa/lsa_format.h"
#include "services/embedder/model/pack_format.h"

static enum sh_err fill(struct card *card, uint32_t dimension, const uint8_t *digest)
{
    (void)snprintf(card->name, sizeof(card->name), LSA_NAME);
    (void)snprintf(card->provider, sizeof(card->provider), "builtin");
    (void)snprintf(card->format, sizeof(card->format), "cairn-pack");
    (void)snprintf(card->family, sizeof(card->family), "latent-semantic-analysis");
    (void)snprintf(card->quantization, sizeof(card->quantization), "F32");
    card->dimension = dimension;
    card->context_length = LSA_TEXT_MAX / 4;
    card->alpha = 0.5;
    card_hex(digest, PACK_DIGEST_BYTES, card->digest);
    return card_seal(card);
}

enum sh_err lsa_card(struct card *card, struct sh_bytes file)
{
    struct pack_header header;
    struct pack_entry entry;
    size_t at = sizeof(header);
    if (file.len < sizeof(header))
        return SH_MALFORMED;
    memcpy(&header, file.data, sizeof(header));
    for (uint32_t i = 0; i < header.tensors && at + sizeof(entry) <= file.len; i++) {
        memcpy(&entry, (const uint8_t *)file.data + at, sizeof(entry));
        at += sizeof(entry);
        if (memcmp(entry.name, LSA_V, sizeof(LSA_V)) != 0)
            continue;
        card->size_bytes = file.len;
        return fill(card, entry.columns, header.digest);
    }
    return SH_MALFORMED;
}

enum sh_err lsa_card_of(struct card *card, const struct lsa *model)
{
    card->size_bytes = pack_file_bytes(lsa_pack(model));
    return fill(card, lsa_dimension(model), pack_digest(lsa_pack(model)));
}
