/* analyses of the graph as a whole: see proto/messages.h. */
#ifndef PROTO_MESSAGES_GRAPH_ANALYSIS_H
#define PROTO_MESSAGES_GRAPH_ANALYSIS_H

/* clang-format off */
/* kind: 0 degree, 1 PageRank, 2 components, 3 communities. label, type: empty: all.
 * write_property: empty: nothing is written. direction: 0 both, 1 out, 2 in. top: nodes or
 * groups that the result names. */
#define GRAPH_ANALYSIS(F)                                                           \
    F(u32,  kind,                  3, _)                                            \
    F(str,  label,              1024, _)                                            \
    F(str,  type,               1024, _)                                            \
    F(str,  write_property,     1024, _)                                            \
    F(u32,  direction,             2, _)                                            \
    F(f64,  damping,               0, _)                                            \
    F(f64,  tolerance,             0, _)                                            \
    F(u32,  iterations,         1000, _)                                            \
    F(f64,  resolution,            0, _)                                            \
    F(u32,  top,                 100, _)

#define GRAPH_ANALYSIS_JOB(F)                                                       \
    F(str,  id,                   64, _)                                            \
    F(str,  state,                16, _)

#define MESSAGES_GRAPH_ANALYSIS(M)              \
    M(133, graph_analysis, GRAPH_ANALYSIS)      \
    M(134, graph_analysis_job, GRAPH_ANALYSIS_JOB)

#define METHODS_GRAPH_ANALYSIS(X) \
    X(111, GRAPH_ANALYSE, "graph.analyse", graph_analysis, graph_analysis_job, "an analysis of the graph as a job")
/* clang-format on */

#endif
