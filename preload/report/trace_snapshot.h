/* A snapshot as records of the trace. Any mask; the snapshot's own rules hold. */
#ifndef COWSPY_REPORT_TRACE_SNAPSHOT_H
#define COWSPY_REPORT_TRACE_SNAPSHOT_H

#include "report/report.h"
#include "report/snapshot.h"

void trace_snapshot(const struct snapshot *snapshot, enum report_reason reason);

#endif
