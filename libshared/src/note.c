#include "shared/note.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void sh_note_write(const struct sh_note *note, struct sh_buffer *out)
{
    sh_buffer_printf(out, "%" PRIu64 " %" PRIu64 " %s %s", note->position.xid,
                     note->position.seq, note->identity, note->sample);
}

/* Up to the blank behind it. */
static bool read_number(const char **at, uint64_t *number)
{
    char *end = NULL;
    if (!isdigit((unsigned char)**at))
        return false;
    errno = 0;
    *number = strtoull(*at, &end, 10);
    if (errno != 0 || *end != ' ')
        return false;
    *at = end + 1;
    return true;
}

bool sh_note_read(const char *text, struct sh_note *out)
{
    *out = (struct sh_note){0};
    if (!read_number(&text, &out->position.xid) ||
        !read_number(&text, &out->position.seq))
        return false;
    size_t identity = strcspn(text, " ");
    if (identity == 0 || identity > SH_RECORD_IDENTITY || text[identity] != ' ')
        return false;
    memcpy(out->identity, text, identity);
    text += identity + 1;
    if (strlen(text) >= sizeof(out->sample))
        return false;
    memcpy(out->sample, text, strlen(text) + 1);
    return true;
}

const char *sh_note_refused(const struct sh_note *note,
                            const struct sh_record_state *record)
{
    const struct sh_changefeed_position *position = &note->position;
    if (record->identity[0] == '\0' || strcmp(note->identity, record->identity) != 0 ||
        position->xid >= record->after)
        return "database";
    const struct sh_changefeed_position *horizon = &record->horizon;
    if (position->xid < horizon->xid ||
        (position->xid == horizon->xid && position->seq < horizon->seq))
        return "trimmed";
    return NULL;
}
