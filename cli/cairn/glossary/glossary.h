/* glossary: the commands of `cairn glossary`. */
#ifndef CAIRN_GLOSSARY_H
#define CAIRN_GLOSSARY_H

#include "cli/cairn/cli.h"

int glossary_run_list(struct cli *cli);
int glossary_run_search(struct cli *cli);
int glossary_run_show(struct cli *cli);
int glossary_run_add(struct cli *cli);
int glossary_run_edit(struct cli *cli);
int glossary_run_validate(struct cli *cli);
int glossary_run_deprecate(struct cli *cli);
int glossary_run_delete(struct cli *cli);
int glossary_run_relations(struct cli *cli);
int glossary_run_relate(struct cli *cli);
int glossary_run_unrelate(struct cli *cli);
int glossary_run_import(struct cli *cli);
int glossary_run_export(struct cli *cli);
int glossary_run_extract(struct cli *cli);
int glossary_run_candidates(struct cli *cli);
int glossary_run_accept(struct cli *cli);
int glossary_run_reject(struct cli *cli);
int glossary_run_reopen(struct cli *cli);
int glossary_run_lookup(struct cli *cli);

#endif
