"""The parts of the fault harness: a cluster in network namespaces, faults for it, a workload
that is recorded, and a checker that judges the record."""
