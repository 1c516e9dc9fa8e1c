/*
 * Page states of any memory of this process, for the program's own questions.
 *
 * Any thread and handler that holds none of our locks may call; about 7 KiB of stack. The states
 * are those of a report: one function decides both.
 */
#ifndef COWSPY_REPORT_PAGE_QUERY_H
#define COWSPY_REPORT_PAGE_QUERY_H

#include <stddef.h>
#include <stdint.h>

#include "cowspy.h"

/*
 * enum cowspy_bit bits for each of `count` pages from start on. 0; -ENOMEM when one is not mapped,
 * -EAGAIN when the kernel is short of resources, -ENOTSUP when it does not show page states.
 */
int page_query_range(uintptr_t start, size_t count, unsigned char *bits);

/* Everything about the page around address. Results as above. */
int page_query_one(uintptr_t address, struct cowspy_page *page);

#endif
