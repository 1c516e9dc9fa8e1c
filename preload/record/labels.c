#include "record/labels.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/chunks.h"
#include "base/sys.h"
#include "record/trace.h"

static struct chunks labels = {.element = sizeof(struct label)};
static _Atomic uint32_t count;
static _Atomic uint32_t first;

/* `time` tells a complete label: it is stored last, with release, and read first, with acquire. */
int labels_add(const char *text, size_t length, uint32_t epoch)
{
	uint64_t now = sys_now();
	struct label *label = chunks_make(&labels, atomic_fetch_add(&count, 1) + 1);

	if (!label)
		return -ENOMEM;
	if (length > LABEL_MOST)
		length = LABEL_MOST;
	label->thread = (uint32_t)sys_call0(SYS_gettid);
	label->epoch = epoch;
	label->length = (uint32_t)length;
	memcpy(label->text, text, length);
	__atomic_store_n(&label->time, now, __ATOMIC_RELEASE);
	trace_label(label);
	return 0;
}

uint32_t labels_first(void)
{
	return atomic_load(&first);
}

uint32_t labels_count(void)
{
	return atomic_load(&count);
}

const struct label *labels_get(uint32_t index)
{
	const struct label *label = chunks_get(&labels, index);

	return label && __atomic_load_n(&label->time, __ATOMIC_ACQUIRE) ? label : NULL;
}

void labels_child(void)
{
	atomic_store(&first, labels_count());
}
