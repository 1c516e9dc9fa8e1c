#include "base/notice.h"

#include <string.h>
#include <sys/stat.h>

#include "base/sys.h"
#include "base/text.h"

#define STDERR 2

static bool quiet;
static bool known;
static dev_t device;
static ino_t inode;

void notice_start(bool is_quiet)
{
	struct stat status;
	quiet = is_quiet;
	known = sys_call2(SYS_fstat, STDERR, &status) == 0;
	device = status.st_dev;
	inode = status.st_ino;
}

bool notice_is_stderr(int fd)
{
	struct stat status;
	return known && sys_call2(SYS_fstat, fd, &status) == 0 && status.st_dev == device &&
	       status.st_ino == inode;
}

void notice_say(const char *before, const char *name, const char *after)
{
	char data[512];
	struct text text;
	if (quiet || !notice_is_stderr(STDERR))
		return;
	text_start(&text, STDERR, data, sizeof(data));
	text_string(&text, "cowspy: ");
	text_string(&text, before);
	text_untrusted(&text, name, strlen(name));
	text_string(&text, after);
	text_flush(&text);
}
