/*
 * What watching has taken, for reports and traces. Any thread and handler that holds none of our
 * locks.
 */
#ifndef COWSPY_REPORT_COST_H
#define COWSPY_REPORT_COST_H

#include "cowspy/trace.h"

/* All but the snapshot's number and what the report takes. */
struct trace_cost cost_now(void);

#endif
