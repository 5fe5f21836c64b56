/* What a server says, on its way to a terminal: nothing of it may be an escape sequence,
 * whatever it is and however it is laid out. */
#include <stdlib.h>

#include "cli/api/events.h"
#include "cli/cairn/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct sh_buffer *out)
{
    for (size_t i = 0; i < out->len; i++) {
        unsigned char c = (unsigned char)out->data[i];
        if ((c < 0x20 && c != '\n') || c == 0x7f)
            abort();
        /* C1 controls in UTF-8 */
        if (c == 0xc2 && i + 1 < out->len && (unsigned char)out->data[i + 1] < 0xa0)
            abort();
    }
}

static bool on_event(void *arg, const char *name, struct sh_bytes data)
{
    struct sh_buffer *out = arg;
    sh_buffer_clear(out);
    text_clean(out, sh_bytes_of(name), TEXT_ONE_LINE);
    text_clean(out, data, TEXT_ONE_LINE);
    check(out);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sh_bytes text = {data, size};
    struct sh_buffer out = {0};
    struct sh_buffer lines = {0};
    struct events events = {.on_event = on_event, .arg = &out};
    text_clean(&out, text, TEXT_LINES);
    check(&out);
    text_wrap(&lines, sh_buffer_bytes(&out), size % 40, size % 7);
    check(&lines);
    sh_buffer_clear(&out);
    text_fit(&out, text, size % 30, true);
    check(&out);
    if (text_width(sh_buffer_bytes(&out)) > size % 30 + 1)
        abort();
    sh_buffer_clear(&out);
    text_marked(&out, text, "", "");
    check(&out);
    if (!events_feed(&events, (struct sh_bytes){data, size / 2}) ||
        !events_feed(&events, (struct sh_bytes){data + size / 2, size - size / 2}))
        abort();
    events_free(&events);
    sh_buffer_free(&out);
    sh_buffer_free(&lines);
    return 0;
}
