/* Boehm's collector in incremental mode: it write-protects the heap to see which pages changed. */
#include <gc.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

struct node {
	struct node *left, *right;
	long value;
};

static struct node *tree(int depth, long value)
{
	struct node *node = GC_MALLOC(sizeof(*node));
	node->value = value;
	if (depth) {
		node->left = tree(depth - 1, 2 * value);
		node->right = tree(depth - 1, 2 * value + 1);
	}
	return node;
}

static long sum(const struct node *node)
{
	return node ? node->value + sum(node->left) + sum(node->right) : 0;
}

/* Old objects get new children: what the collector must notice. */
static void change(struct node *node, int depth, int turn)
{
	if (depth == 4) {
		node->left = tree(6, node->value + turn);
		GC_END_STUBBORN_CHANGE(node);
		return;
	}
	change(turn >> depth & 1 ? node->left : node->right, depth + 1, turn);
}

int main(void)
{
	GC_set_handle_fork(1);
	GC_INIT();
	GC_enable_incremental();
	printf("incremental: %d\n", GC_is_incremental_mode() != 0);
	struct node *root = tree(14, 1);
	for (int turn = 0; turn < 3000; turn++) {
		change(root, 0, turn);
		if (turn % 10 == 0)
			GC_collect_a_little();
		if (turn % 500 == 0)
			printf("turn %d: %ld\n", turn, sum(root));
	}
	GC_gcollect();
	printf("sum %ld, collections: %d\n", sum(root), GC_get_gc_no() > 2);
	fflush(stdout);
	pid_t child = fork();
	if (!child) {
		for (int turn = 0; turn < 500; turn++)
			change(root, 0, turn);
		GC_gcollect();
		printf("child: %ld\n", sum(root));
		fflush(stdout);
		_exit(3);
	}
	int status;
	waitpid(child, &status, 0);
	printf("status %d, sum %ld\n", WEXITSTATUS(status), sum(root));
	return 0;
}
