#!/bin/bash
# gcc: driver, compiler, assembler, linker; the objects are the same, byte by byte.
. "$TOP/tests/lib.sh"

cat >"$WORK/input.c" <<'SOURCE'
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct node { struct node *left, *right; int key; char name[32]; };
#define MAKE(n) \
	static struct node *insert##n(struct node *root, int key) \
	{ \
		if (!root) { root = calloc(1, sizeof(*root)); root->key = key * n; \
			snprintf(root->name, sizeof(root->name), "node %d", key); return root; } \
		if (key < root->key) root->left = insert##n(root->left, key); \
		else root->right = insert##n(root->right, key); \
		return root; \
	}
MAKE(1) MAKE(2) MAKE(3) MAKE(4) MAKE(5) MAKE(6) MAKE(7) MAKE(8)
int main(void)
{
	struct node *a = NULL, *b = NULL;
	for (int i = 0; i < 100; i++) {
		a = insert8(insert7(insert6(insert5(a, i), i), i), i * 7 % 31);
		b = insert4(insert3(insert2(insert1(b, i), i), i), i * 7 % 31);
	}
	printf("%d %d %f\n", a->key, b->key, sin(a->key));
	return 0;
}
SOURCE
"$TOP/tests/real/compare.sh" --files '*.o' gcc -O2 -g -c -fdebug-prefix-map="$WORK=." -o input.o \
	"$WORK/input.c" || wrong "gcc -c"
"$TOP/tests/real/compare.sh" --files 'program' gcc -O1 -o program "$WORK/input.c" -lm ||
	wrong "gcc with the linker"
"$TOP/tests/real/compare.sh" gcc -c "$WORK/missing.c" || wrong "gcc with an error"
