#include "recording.h"

#include <errno.h>
#include <stdatomic.h>

#include "pages.h"
#include "record/originals.h"

static _Atomic unsigned pauses;
static _Atomic uint64_t left_out;

void recording_add(const struct first_write *write, uint32_t original)
{
	uint32_t event = 0;
	if (recording_is_paused())
		atomic_fetch_add_explicit(&left_out, 1, memory_order_relaxed);
	else
		event = journal_append(write);
	originals_bind(event, original);
	pages_set_event(write->page, event);
}

void recording_pause(void)
{
	atomic_fetch_add(&pauses, 1);
}

int recording_resume(void)
{
	unsigned now = atomic_load(&pauses);
	do
		if (!now)
			return -EINVAL;
	while (!atomic_compare_exchange_weak(&pauses, &now, now - 1));
	return 0;
}

bool recording_is_paused(void)
{
	return atomic_load_explicit(&pauses, memory_order_relaxed);
}

uint64_t recording_left_out(void)
{
	return atomic_load_explicit(&left_out, memory_order_relaxed);
}

void recording_child(void)
{
	atomic_store(&left_out, 0);
	originals_child();
}
