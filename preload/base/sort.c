#include "base/sort.h"

#include <string.h>

static void sift_down(char *base, size_t root, size_t count, size_t size, sort_compare compare)
{
	char moved[SORT_ELEMENT_MOST];

	memcpy(moved, base + root * size, size);
	for (;;) {
		size_t child = 2 * root + 1;
		if (child >= count)
			break;
		if (child + 1 < count &&
		    compare(base + child * size, base + (child + 1) * size) < 0)
			child++;
		if (compare(moved, base + child * size) >= 0)
			break;
		memcpy(base + root * size, base + child * size, size);
		root = child;
	}
	memcpy(base + root * size, moved, size);
}

void sort_heap(void *base, size_t count, size_t size, sort_compare compare)
{
	char swapped[SORT_ELEMENT_MOST];
	char *bytes = base;

	for (size_t root = count / 2; root-- > 0;)
		sift_down(bytes, root, count, size, compare);
	for (size_t last = count; last-- > 1;) {
		memcpy(swapped, bytes, size);
		memcpy(bytes, bytes + last * size, size);
		memcpy(bytes + last * size, swapped, size);
		sift_down(bytes, 0, last, size, compare);
	}
}
