/* Threads that allocate, resize, hand over and free, before, during and after forks. */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 6
#define SLOTS 500
#define ROUNDS 6000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned char *handed; /* by whichever thread was last, freed by the next */

static int is_whole(const unsigned char *block, size_t size, int mark)
{
	return block[0] == (unsigned char)mark && block[size - 1] == (unsigned char)mark;
}

/* Of a child: another thread may have held the lock when it was forked. */
static int alone;

static void *work(void *argument)
{
	unsigned char *slots[SLOTS] = {0};
	size_t sizes[SLOTS] = {0};
	unsigned seed = (unsigned)(long)argument;
	long wrong = 0;
	for (int round = 0; round < ROUNDS; round++) {
		int i = rand_r(&seed) % SLOTS;
		size_t size = 1 + (size_t)rand_r(&seed) % (round % 100 ? 600 : 300000);
		wrong += slots[i] && !is_whole(slots[i], sizes[i], i);
		if (round % 3 == 0) {
			free(slots[i]);
			slots[i] = malloc(size);
		} else if (round % 3 == 1) {
			slots[i] = realloc(slots[i], size);
		} else {
			free(slots[i]);
			slots[i] = memalign(64, size);
			wrong += (unsigned long)slots[i] % 64 != 0;
		}
		memset(slots[i], i, size);
		sizes[i] = size;
		if (round % 50 == 0 && !alone) {
			pthread_mutex_lock(&lock);
			free(handed);
			handed = calloc(1, size);
			wrong += handed[size - 1] != 0;
			pthread_mutex_unlock(&lock);
		}
	}
	for (int i = 0; i < SLOTS; i++) {
		wrong += slots[i] && !is_whole(slots[i], sizes[i], i);
		free(slots[i]);
	}
	return (void *)wrong;
}

static long work_all(long first)
{
	pthread_t threads[THREADS];
	long wrong = 0;
	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, (void *)(first + i));
	for (int i = 0; i < 5; i++) {
		pid_t child = fork();
		int status;
		if (!child) {
			alone = 1;
			_exit(work((void *)(first + 100 + i)) != NULL);
		}
		waitpid(child, &status, 0);
		wrong += status != 0;
	}
	for (int i = 0; i < THREADS; i++) {
		void *result;
		pthread_join(threads[i], &result);
		wrong += (long)result;
	}
	return wrong;
}

int main(void)
{
	printf("wrong: %ld\n", work_all(1));
	printf("wrong: %ld\n", work_all(1000));
	return 0;
}
