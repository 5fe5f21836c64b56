/* cairn glossary: its commands as a table. */
#include "cli/cairn/command.h"
#include "cli/cairn/glossary/glossary.h"

/* clang-format off */
#define STATUSES "draft validated deprecated"
#define TEXT_OPTION(name_, letter_, help_)                                               \
    {.name = (name_), .letter = (letter_), .type = OPTION_TEXT, .value = "TEXT",         \
     .help = (help_)}
#define FILTER_OPTIONS                                                                   \
    TEXT_OPTION("language", 'l', "only of this language"),                               \
    TEXT_OPTION("domain", 'd', "only of this domain"),                                   \
    {.name = "status", .letter = 's', .type = OPTION_CHOICE, .value = "STATUS",          \
     .choices = STATUSES, .help = "only these"}
#define LIST_OPTIONS                                                                     \
    FILTER_OPTIONS,                                                                      \
    {.name = "sort", .type = OPTION_CHOICE, .value = "ORDER",                            \
     .choices = "term -term updated_at -updated_at", .help = "in this order"},           \
    {.name = "max", .letter = 'n', .type = OPTION_NUMBER, .value = "N", .least = 1,      \
     .most = 1000000000, .help = "so many at most (default: all)"},                      \
    {.name = "json", .help = "an object a line"}
#define ENTRY_OPTIONS                                                                    \
    TEXT_OPTION("definition", 0, "what it means"),                                       \
    TEXT_OPTION("language", 'l', "en, de, ..."),                                         \
    TEXT_OPTION("domain", 'd', "the field that it belongs to"),                          \
    TEXT_OPTION("part-of-speech", 0, "noun, verb, ..."),                                 \
    TEXT_OPTION("sense", 0, "tells homonyms apart"),                                     \
    TEXT_OPTION("source", 0, "where it is from"),                                        \
    TEXT_OPTION("department", 0, "whose it is"),                                         \
    {.name = "status", .letter = 's', .type = OPTION_CHOICE, .value = "STATUS",          \
     .choices = STATUSES, .help = "its status"},                                         \
    {.name = "clearance", .type = OPTION_NUMBER, .value = "N", .least = 1, .most = 5,    \
     .help = "who may read it: 1 everybody to 5"},                                       \
    {.name = "metadata", .letter = 'm', .type = OPTION_TEXT, .value = "NAME=VALUE",      \
     .repeated = true,                                                                   \
     .help = "anything else; numbers, true, false, lists and objects as in JSON"},       \
    {.name = "json", .help = "the answer as it is"}
#define FORMAT_OPTION(help_)                                                             \
    {.name = "format", .letter = 'f', .type = OPTION_CHOICE, .value = "FORMAT",          \
     .choices = "csv xlsx json tbx skos", .help = (help_)}

static const struct option_row json_options[] = {
    {.name = "json", .help = "the answer as it is"},
    {0}};
static const struct option_row list_options[] = {LIST_OPTIONS, {0}};
static const struct option_row search_options[] = {
    {.name = "mode", .letter = 'm', .type = OPTION_CHOICE, .value = "MODE",
     .choices = "text semantic hybrid",
     .help = "by words, by meaning or both (default: text)"},
    LIST_OPTIONS, {0}};
static const struct option_row add_options[] = {
    TEXT_OPTION("id", 0, "its id (default: made)"), ENTRY_OPTIONS, {0}};
static const struct option_row edit_options[] = {
    TEXT_OPTION("term", 0, "as it is written"), ENTRY_OPTIONS, {0}};
static const struct option_row relation_options[] = {
    TEXT_OPTION("type", 't', "only of this type"),
    {.name = "json", .help = "an object a line"},
    {0}};
static const struct option_row import_options[] = {
    FORMAT_OPTION("what it is (default: by its ending)"),
    {.name = "no-wait", .help = "only begin it, for `cairn jobs watch`"},
    {.name = "json", .help = "a line for each change"},
    {0}};
static const struct option_row export_options[] = {
    FORMAT_OPTION("default: json"),
    FILTER_OPTIONS,
    {.name = "output", .letter = 'o', .type = OPTION_FILE, .value = "PATH",
     .help = "where to; - or absent: standard output"},
    {0}};

#define COUNT_OPTION(name_, help_)                                                       \
    {.name = (name_), .type = OPTION_NUMBER, .value = "N", .least = 1, .most = 1000000,  \
     .help = (help_)}
static const struct option_row extract_options[] = {
    TEXT_OPTION("document", 0, "only in this document"),
    TEXT_OPTION("collection", 'c', "only in documents of this collection"),
    TEXT_OPTION("language", 'l', "only in documents of this language"),
    COUNT_OPTION("min-frequency", "found at least so often (default: 2)"),
    COUNT_OPTION("max-candidates", "of each language, the best (default: 1000)"),
    {.name = "no-wait", .help = "only begin it, for `cairn jobs watch`"},
    {.name = "json", .help = "a line for each change"},
    {0}};
static const struct option_row candidate_options[] = {
    TEXT_OPTION("language", 'l', "only of this language"),
    {.name = "status", .letter = 's', .type = OPTION_CHOICE, .value = "STATUS",
     .choices = "open accepted rejected", .help = "only these (default: open)"},
    {.name = "kind", .letter = 'k', .type = OPTION_CHOICE, .value = "KIND",
     .choices = "word phrase", .help = "only these"},
    COUNT_OPTION("min-frequency", "only those found at least so often"),
    TEXT_OPTION("job", 'j', "only what this extraction was the last to find"),
    {.name = "sort", .type = OPTION_CHOICE, .value = "ORDER",
     .choices = "score frequency documents term", .help = "in this order"},
    {.name = "max", .letter = 'n', .type = OPTION_NUMBER, .value = "N", .least = 1,
     .most = 1000000000, .help = "so many at most (default: all)"},
    {.name = "json", .help = "an object a line, with contexts"},
    {0}};
static const struct option_row accept_options[] = {
    TEXT_OPTION("term", 0, "as it is to be written"),
    TEXT_OPTION("definition", 0, "what it means"),
    TEXT_OPTION("domain", 'd', "the field that it belongs to"),
    TEXT_OPTION("part-of-speech", 0, "noun, verb, ..."),
    TEXT_OPTION("sense", 0, "tells homonyms apart"),
    TEXT_OPTION("source", 0, "where it is from"),
    TEXT_OPTION("department", 0, "whose it is"),
    {.name = "clearance", .type = OPTION_NUMBER, .value = "N", .least = 1, .most = 5,
     .help = "who may read it: 1 everybody to 5"},
    {.name = "json", .help = "an object a line"},
    {0}};
static const struct option_row verdict_options[] = {
    {.name = "json", .help = "an object a line"},
    {0}};
static const struct option_row lookup_options[] = {
    {.name = "source", .letter = 's', .type = OPTION_CHOICE, .value = "SERVICE",
     .choices = "deepl iate", .help = "who is asked (default: deepl)"},
    TEXT_OPTION("from", 'f', "its language; IATE needs it"),
    {.name = "json", .help = "the answer as it is"},
    {0}};

static const struct command subs[] = {
    {.name = "list", .summary = "List entries", .options = list_options,
     .run = glossary_run_list},
    {.name = "search", .arguments = "QUERY...", .summary = "Find entries",
     .details = "Words, \"a phrase\", or, -not; or how a term begins. Words that begin "
                "with a hyphen come after --.",
     .options = search_options, .run = glossary_run_search, .least = 1, .most = -1},
    {.name = "show", .arguments = "ID", .summary = "Show an entry",
     .options = json_options, .run = glossary_run_show, .least = 1, .most = 1},
    {.name = "add", .arguments = "TERM", .summary = "Make an entry",
     .options = add_options, .run = glossary_run_add, .least = 1, .most = 1},
    {.name = "edit", .arguments = "ID", .summary = "Change an entry",
     .details = "What is not named stays; an empty text takes back what was said.",
     .options = edit_options, .run = glossary_run_edit, .least = 1, .most = 1},
    {.name = "validate", .arguments = "ID...", .summary = "Declare drafts valid",
     .run = glossary_run_validate, .least = 1, .most = -1},
    {.name = "deprecate", .arguments = "ID...", .summary = "Declare entries out of use",
     .run = glossary_run_deprecate, .least = 1, .most = -1},
    {.name = "delete", .arguments = "ID...", .summary = "Delete entries",
     .run = glossary_run_delete, .least = 1, .most = -1},
    {.name = "relations", .arguments = "ID", .summary = "List what other terms are to it",
     .options = relation_options, .run = glossary_run_relations, .least = 1, .most = 1},
    {.name = "relate", .arguments = "ID TYPE ID", .summary = "Relate a term to another",
     .details = "TYPE is SYNONYM_OF, BROADER (the other one is broader), NARROWER, "
                "RELATED, TRANSLATION_OF or ABBREVIATION_OF; the inverse comes by "
                "itself.",
     .options = json_options, .run = glossary_run_relate, .least = 3, .most = 3},
    {.name = "unrelate", .arguments = "ID TYPE ID", .summary = "Delete a relation",
     .run = glossary_run_unrelate, .least = 3, .most = 3},
    {.name = "import", .arguments = "FILE", .summary = "Store the entries of a file",
     .details = "CSV, XLSX, JSON, TBX or SKOS. It is a job, which is followed to its end; "
                "interrupted, it goes on. FILE may be - for standard input, with "
                "--format.",
     .options = import_options, .run = glossary_run_import, .kind = ARGUMENT_PATH,
     .least = 1, .most = 1},
    {.name = "export", .summary = "Write the glossary as a file",
     .options = export_options, .run = glossary_run_export},
    {.name = "extract", .summary = "Look for terms in documents",
     .details = "It is a job, which is followed to its end; interrupted, it goes on. What "
                "it finds are candidates.",
     .options = extract_options, .run = glossary_run_extract},
    {.name = "candidates", .arguments = "[TEXT]",
     .summary = "List what was found in documents",
     .details = "TEXT: only terms with it in them.",
     .options = candidate_options, .run = glossary_run_candidates, .most = 1},
    {.name = "accept", .arguments = "ID...", .summary = "Make drafts of candidates",
     .details = "Of one candidate the options say what is to be otherwise.",
     .options = accept_options, .run = glossary_run_accept, .least = 1, .most = -1},
    {.name = "reject", .arguments = "ID...", .summary = "Never propose candidates again",
     .options = verdict_options, .run = glossary_run_reject, .least = 1, .most = -1},
    {.name = "reopen", .arguments = "ID...", .summary = "Propose candidates again",
     .options = verdict_options, .run = glossary_run_reopen, .least = 1, .most = -1},
    {.name = "lookup", .arguments = "TERM LANGUAGE",
     .summary = "Ask DeepL or IATE for a term",
     .details = "In LANGUAGE. The server's settings say which of them may be asked; the "
                "term leaves the house.",
     .options = lookup_options, .run = glossary_run_lookup, .least = 2, .most = 2},
    {0}};
/* clang-format on */

const struct command glossary_command = {
    .name = "glossary", .summary = "See and change the glossary", .subs = subs};
