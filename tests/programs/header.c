/* Every function of cowspy.h, in any C or C++. test_header.sh compiles and runs it. */
/* run by: test_header.sh */
#include <cowspy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Taken as an address, a wrapper is not inlined. */
static int (*const query)(const void *, struct cowspy_page *) = cowspy_query;

static int fails(int result)
{
	return result == -1 && errno == ENOSYS;
}

int main(void)
{
	static struct cowspy_page page;
	static unsigned char bits[2];
	char *memory = (char *)calloc(3, 4096);
	char *start = memory + 4096 - (size_t)memory % 4096;
	int absent;
	start[0] = 'a';
	errno = 0;
	absent = fails(cowspy_copied(start, 4097, bits));
	if (absent != fails(query(start, &page)))
		return 2;
	if (cowspy_label("label") || cowspy_pause() || cowspy_resume() ||
	    cowspy_mode(COWSPY_MODE_EXACT) || cowspy_track(start, 4096, "name") ||
	    cowspy_name(start, 4096, NULL) || cowspy_untrack(start, 4096) || cowspy_snapshot(NULL))
		return 3;
	if (absent)
		puts("absent");
	else
		puts((bits[0] & COWSPY_COPIED) && page.state == 'C' ? "present" : "wrong");
	free(memory);
	return 0;
}
