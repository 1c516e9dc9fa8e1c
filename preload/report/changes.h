/* How much of the copied pages really changed. Called while a snapshot is taken, under its rules. */
#ifndef COWSPY_REPORT_CHANGES_H
#define COWSPY_REPORT_CHANGES_H

#include "report/snapshot.h"

/* Of a page that is copied and explained by this first write, if it was kept what was there before. */
void changes_add(struct snapshot *snapshot, uintptr_t page, const struct kept_write *origin,
		 struct stack_group *group);

#endif
