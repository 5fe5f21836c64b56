#include "shared/sections.h"

#include <string.h>

#include <xxhash.h>

enum { ALIGN = 8, ORDER = 0x01020304, SUM = sizeof(uint64_t) };

/* --- writing ---------------------------------------------------------------------- */

enum sh_err sh_sections_open(FILE *file, struct sh_sections *out)
{
    *out = (struct sh_sections){.file = file, .sum = XXH3_createState()};
    if (out->sum == NULL)
        return SH_NOMEM;
    out->failed = XXH3_64bits_reset(out->sum) != XXH_OK;
    return SH_OK;
}

void sh_section_put(struct sh_sections *self, const void *data, size_t len)
{
    if (len == 0 || self->failed)
        return;
    self->failed = fwrite(data, 1, len, self->file) != len ||
                   XXH3_64bits_update(self->sum, data, len) != XXH_OK;
    self->at += len;
}

static void pad(struct sh_sections *self)
{
    static const char zeros[ALIGN];

    sh_section_put(self, zeros, (size_t)(ALIGN - self->at % ALIGN) % ALIGN);
}

void sh_section_begin(struct sh_sections *self, struct sh_section *section)
{
    pad(self);
    if (XXH3_64bits_reset(self->sum) != XXH_OK)
        self->failed = true;
    section->start = self->at;
}

void sh_section_end(struct sh_sections *self, struct sh_section *section)
{
    section->len = self->at - section->start;
    section->sum = XXH3_64bits_digest(self->sum);
}

void sh_sections_seal(const struct sh_sections_kind *kind, void *foot)
{
    struct sh_sections_mark mark = {.version = kind->version, .order = ORDER};
    char *bytes = foot;

    memcpy(mark.magic, kind->magic, sizeof(mark.magic));
    memcpy(bytes, &mark, sizeof(mark));
    uint64_t sum = XXH3_64bits(bytes, kind->foot - SUM);
    memcpy(bytes + kind->foot - SUM, &sum, SUM);
}

enum sh_err sh_sections_close(struct sh_sections *self,
                              const struct sh_sections_kind *kind, void *foot)
{
    if (foot != NULL) {
        pad(self);
        sh_sections_seal(kind, foot);
        sh_section_put(self, foot, kind->foot);
    }
    (void)XXH3_freeState(self->sum);
    self->sum = NULL;
    return self->failed || fflush(self->file) != 0 ? SH_IO : SH_OK;
}

/* --- reading ---------------------------------------------------------------------- */

bool sh_sections_foot(const struct sh_sections_kind *kind, struct sh_bytes bytes,
                      void *foot)
{
    struct sh_sections_mark mark;
    uint64_t sum;

    if (bytes.len < kind->foot)
        return false;
    memmove(foot, (const char *)bytes.data + (bytes.len - kind->foot), kind->foot);
    memcpy(&mark, foot, sizeof(mark));
    memcpy(&sum, (const char *)foot + kind->foot - SUM, SUM);
    return memcmp(mark.magic, kind->magic, sizeof(mark.magic)) == 0 &&
           mark.version == kind->version && mark.order == ORDER &&
           XXH3_64bits(foot, kind->foot - SUM) == sum;
}

static bool read_one(const struct sh_sections_kind *kind, struct sh_bytes bytes,
                     const struct sh_section *section, size_t unit, struct sh_bytes *out)
{
    uint64_t end = bytes.len - kind->foot;

    if (section->start > end || section->len > end - section->start ||
        section->start % ALIGN != 0 || section->len % unit != 0 ||
        (kind->most > 0 && section->len / unit > kind->most))
        return false;
    *out = (struct sh_bytes){(const char *)bytes.data + section->start,
                             (size_t)section->len};
    return XXH3_64bits(out->data, out->len) == section->sum;
}

bool sh_sections_read(const struct sh_sections_kind *kind, struct sh_bytes bytes,
                      const void *foot, struct sh_bytes *out)
{
    const char *at = (const char *)foot + kind->sections;

    for (size_t i = 0; i < kind->count; i++, at += sizeof(struct sh_section)) {
        struct sh_section section;
        memcpy(&section, at, sizeof(section));
        if (!read_one(kind, bytes, &section, kind->units[i], &out[i]))
            return false;
    }
    return true;
}
