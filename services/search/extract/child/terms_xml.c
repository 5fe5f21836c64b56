#include "services/search/extract/child/terms_xml.h"

enum { STEP_BYTES = 65536 };

void terms_read_xml(struct sh_bytes file, struct terms_out *terms,
                    const struct xml_events *events, void *arg)
{
    struct xml xml;
    bool whole = true;

    if (!xml_open(&xml, &terms->out, events, arg)) {
        xml_close(&xml, false);
        out_refuse(&terms->out, OUT_LIMIT, "there is not memory enough to read it");
        return;
    }
    xml.doctype = true;
    for (size_t at = 0; whole && at < file.len; at += STEP_BYTES) {
        size_t len = file.len - at < STEP_BYTES ? file.len - at : STEP_BYTES;
        whole = xml_feed(&xml, (struct sh_bytes){(const char *)file.data + at, len});
    }
    xml_close(&xml, whole);
}
