/* glossary_parts: what the service has for the glossary beside what widens searches: its
 * terms as others may ask for them. Loop thread only. */
#ifndef SEARCH_GLOSSARY_PARTS_H
#define SEARCH_GLOSSARY_PARTS_H

#include "services/search/glossary/terms.h"

struct glossary_parts { /* {0} is stopped */
    struct terms terms;
};

struct glossary_parts_options {
    struct sh_pg *pg;
    struct sh_rpc_server *rpc;
};

/* `self` must live as long as its calls do. Errors: those of sh_rpc_server_add(). */
SH_CHECK enum sh_err glossary_parts_start(struct glossary_parts *self,
                                          const struct glossary_parts_options *options);

#endif
