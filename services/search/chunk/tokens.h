/* tokens: reads a text run by run (a word, blanks, a mark) and estimates what each costs
 * a model. Pure: any thread. */
#ifndef SEARCH_TOKENS_H
#define SEARCH_TOKENS_H

#include "shared/bytes.h"

enum run_kind { RUN_END, RUN_WORD, RUN_IDEOGRAPH, RUN_BLANK, RUN_MARK };

/* One run of the text. A word of more than RUN_CHARACTERS characters comes in pieces that
 * end between graphemes where those are of sane length. */
enum { RUN_CHARACTERS = 24, RUN_BLANKS = 64 };

struct run {
    enum run_kind kind;
    uint32_t start;
    uint32_t end;
    uint32_t tokens;
    uint32_t lines; /* line ends in a blank run */
    int32_t first;  /* its first code point */
};

/* The run that begins at `pos`; RUN_END at the end. Bytes that are no UTF-8 count as
 * marks, one each. */
struct run run_next(struct sh_bytes text, uint32_t pos);

#endif
