/* A snapshot as records of the trace. Any mask; the snapshot's own rules hold. */
#ifndef COWSPY_REPORT_TRACE_SNAPSHOT_H
#define COWSPY_REPORT_TRACE_SNAPSHOT_H

#include "cowspy/trace.h"
#include "report/report.h"
#include "report/snapshot.h"

/* Returns its number; 0: there is no trace. */
uint32_t trace_snapshot(const struct snapshot *snapshot, enum report_reason reason);

/* Afterwards; nothing where the number in it is 0. */
void trace_snapshot_cost(struct trace_cost *cost);

#endif
