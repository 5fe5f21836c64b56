DROP TABLE graph_edges, graph_nodes, graph_outbox;
