#include "services/search/ingest/prepare.h"

#include <openssl/evp.h>
#include <stdio.h>

#include "services/search/collections/defaults.h"
#include "services/search/quality/boilerplate.h"
#include "services/search/quality/report.h"
#include "services/search/quality/signature.h"

enum { HASH_BYTES = 32 };

static enum sh_err refuse(struct prepared *out, const char *message)
{
    (void)snprintf(out->problem.message, sizeof(out->problem.message), "%s", message);
    return SH_INVALID;
}

static enum sh_err take_id(struct sh_arena *arena, struct prepared *out)
{
    char id[64];

    out->id = out->record.id;
    if (out->id.len > 0)
        return SH_OK;
    record_new_id(id);
    out->id = sh_arena_copy(arena, sh_bytes_of(id));
    return out->id.data ? SH_OK : SH_NOMEM;
}

static enum sh_err cut_sections(const struct chunk_section *sections,
                                const struct chunk_options *options,
                                struct sh_arena *arena, struct prepared *out)
{
    return chunk_document(out->record.title, sections, out->record.section_count, options,
                          arena, &out->chunks, &out->chunk_count);
}

/* Without boilerplate; when nothing would be left, with all of it. */
static enum sh_err cut(const struct chunk_options *options, struct sh_arena *arena,
                       struct prepared *out)
{
    const struct record *record = &out->record;
    struct chunk_section *sections =
        sh_arena_array(arena, record->section_count + 1, sizeof(*sections));
    struct chunk_section *clean;
    enum sh_err err;

    if (sections == NULL)
        return SH_NOMEM;
    for (size_t i = 0; i < record->section_count; i++)
        sections[i] =
            (struct chunk_section){record->sections[i].title, record->sections[i].text,
                                   record->sections[i].page_number};
    err = boilerplate_lines(sections, record->section_count, arena, &clean, &out->drops);
    if (err == SH_OK)
        err = cut_sections(clean, options, arena, out);
    if (err == SH_OK)
        err = boilerplate_passages(out->chunks, &out->chunk_count, arena, &out->drops);
    if (err != SH_OK || out->chunk_count > 0 || out->drops.total == 0)
        return err;
    out->drops = (struct drops){.kept_all = true};
    return cut_sections(sections, options, arena, out);
}

static enum sh_err hash_chunks(struct sh_arena *arena, struct prepared *out)
{
    uint8_t digest[EVP_MAX_MD_SIZE];

    out->hashes = sh_arena_array(arena, out->chunk_count + 1, HASH_BYTES);
    out->texts = sh_arena_array(arena, out->chunk_count + 1, sizeof(*out->texts));
    out->signatures = sh_arena_array(arena, out->chunk_count + 1, SIGNATURE_BYTES);
    if (out->hashes == NULL || out->texts == NULL || out->signatures == NULL)
        return SH_NOMEM;
    for (size_t i = 0; i < out->chunk_count; i++) {
        struct sh_bytes text = out->chunks[i].embed_text;
        if (EVP_Digest(text.data, text.len, digest, NULL, EVP_sha256(), NULL) != 1)
            return SH_NOMEM;
        memcpy(out->hashes + i * HASH_BYTES, digest, HASH_BYTES);
        out->texts[i] = text;
        signature_of(out->chunks[i].text, out->signatures + i * SIGNATURE_BYTES);
    }
    return SH_OK;
}

enum sh_err prepare_put(struct sh_bytes payload, struct sh_arena *arena,
                        struct prepared *out)
{
    struct document_put put;
    enum sh_err err = msg_decode(document_put_desc(), payload, arena, &put);

    *out = (struct prepared){0};
    if (err == SH_NOMEM)
        return err;
    if (err != SH_OK)
        return refuse(out, "the document cannot be decoded");
    if (put.document_count != 1)
        return refuse(out, "exactly one document is wanted");
    out->no_wait = put.no_wait;
    err = record_check(&put.document[0], arena, &out->record, &out->problem);
    return err == SH_OK ? take_id(arena, out) : err;
}

enum sh_err prepare_cut(const struct chunk_options *options, struct sh_arena *arena,
                        struct prepared *out)
{
    enum sh_err err = defaults_show(&out->record, arena, &out->problem);

    if (err == SH_OK)
        err = cut(options, arena, out);
    if (err == SH_OK)
        err = hash_chunks(arena, out);
    if (err == SH_OK)
        err = report_write(&out->record, &out->drops, arena, &out->report);
    return err;
}
