/*
 * A fork, the child writes some pages, the parent others, both write some, in a fixed order. Each
 * side's list must be exact, and a page that the other side left behind is reused, not copied.
 */
#include "check.h"

enum {
	NEITHER,
	CHILD,
	PARENT,
	CHILD_FIRST,
	PARENT_FIRST,
	NEW_CHILD,
	NEW_PARENT,
	READ_CHILD,
	PAGES
};

static char *memory; /* anonymous; 0 to 4 written before the fork, 7 read */
static char *file;   /* 0 and 2 written before the fork, 1 read */
static int to_child[2], to_parent[2];

static void write_before(char *pages, int page)
{
	pages[page * CHECK_PAGE] = 'b';
}

static void child_writes(char *pages, int page)
{
	pages[page * CHECK_PAGE] = 'c';
}

static void parent_writes(char *pages, int page)
{
	pages[page * CHECK_PAGE] = 'p';
}

static void pass_turn(int fd)
{
	CHECK_EQUAL(write(fd, "", 1), 1);
}

static void await_turn(int fd)
{
	char c;
	CHECK_EQUAL(read(fd, &c, 1), 1);
}

static void expect_data(const char *anonymous, const char *of_file)
{
	for (int i = 0; i < PAGES; i++)
		CHECK_EQUAL(memory[i * CHECK_PAGE], anonymous[i] == '0' ? 0 : anonymous[i]);
	for (int i = 0; i < 4; i++)
		CHECK_EQUAL(file[i * CHECK_PAGE], of_file[i]);
}

static void child(void)
{
	child_writes(memory, CHILD);
	child_writes(memory, CHILD_FIRST);
	child_writes(file, 0);
	pass_turn(to_parent[1]);
	await_turn(to_child[0]);
	child_writes(memory, PARENT_FIRST);
	child_writes(memory, NEW_CHILD);
	child_writes(memory, READ_CHILD);
	child_writes(file, 1);
	pass_turn(to_parent[1]);
	await_turn(to_child[0]);

	expect_data("bcbccc0c", "ccbd"); /* reads page 6 too */
	expect_pages(memory, "sCiCrCzC");
	expect_pages(file, "CCs?");
	expect_stack("child_writes", "fork", 3);
	expect_stack("child_writes", "reuse", 1);
	expect_stack("child_writes", "fill", 1);
	expect_stack("child_writes", "zero", 1);
	expect_stack("child_writes", "file", 1);
	expect_stack("parent_writes", "any", 0);
}

int main(void)
{
	memory = map_anonymous(PAGES);
	file = map_file(file_of_pages(4), 4);
	for (int i = NEITHER; i <= PARENT_FIRST; i++)
		write_before(memory, i);
	CHECK_EQUAL(read_byte(memory + READ_CHILD * CHECK_PAGE), 0);
	write_before(file, 0);
	write_before(file, 2);
	CHECK_EQUAL(read_byte(file + CHECK_PAGE), 'b');
	expect_pages(memory, "CCCCC..z");
	expect_pages(file, "CfC?");
	expect_stack("write_before", "fill", 5);
	expect_stack("write_before", "file", 2);
	snapshot();

	CHECK(!pipe(to_child) && !pipe(to_parent));
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		child();
		return 7;
	}
	await_turn(to_parent[0]);
	parent_writes(memory, PARENT);
	parent_writes(memory, PARENT_FIRST);
	parent_writes(memory, CHILD_FIRST);
	parent_writes(memory, NEW_PARENT);
	pass_turn(to_child[1]);
	await_turn(to_parent[0]);
	/* Both live: what nobody wrote is shared. */
	expect_pages(memory, "siCrC.Cz");
	expect_pages(file, "ifs?");
	expect_stack("parent_writes", "fork", 2);
	expect_stack("parent_writes", "reuse", 1);
	expect_stack("parent_writes", "fill", 1);
	expect_stack("child_writes", "any", 0);
	snapshot();

	pass_turn(to_child[1]);
	CHECK_EQUAL(wait_for(pid), 7);
	expect_data("bbppp0p0", "bbbd"); /* reads page 5 too */
	expect_pages(memory, "iiCrCzCz");
	expect_pages(file, "ifi?");
	expect_stack("parent_writes", "fork", 2);
	expect_stack("parent_writes", "reuse", 1);
	expect_stack("write_before", "any", 7);
	puts("fork: two lists");
	return 0;
}
