/* readable: the right to read, as a condition of SQL. The same as proto/access.h says in
 * C, search in bitmaps (filter/filter_parse.c) and the graph in classes; tests hold them
 * against each other. */
#ifndef PROTO_READABLE_H
#define PROTO_READABLE_H

/* Rights are the parameters $2 to $5: all (t: no limit), clearance, all departments,
 * department. */
#define STORE_READABLE(level, department)                                                \
    "($2::bool OR (" level " <= $3::int AND (" level " <= 2 "                            \
    "OR $4::bool OR (" department " = $5::text AND $5::text <> ''))))"

#endif
