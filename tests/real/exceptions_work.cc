// Exceptions through frames of the library, of libc and of other threads, before and after forks.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

static char *pages;

struct Guard {
	int *count;
	explicit Guard(int *c) : count(c) { ++*count; }
	~Guard() { --*count; }
};

static int thrown_deep(int depth, int *open)
{
	Guard guard(open);
	std::string text(100, 'a' + depth % 26);
	pages[depth * 4096] = text[0];
	if (depth == 0)
		throw std::runtime_error("deep");
	return thrown_deep(depth - 1, open) + 1;
}

static int compare(const void *left, const void *right)
{
	if (*static_cast<const int *>(left) == 7)
		throw 7;
	return *static_cast<const int *>(left) - *static_cast<const int *>(right);
}

static int throw_through_libc()
{
	int numbers[] = {5, 7, 1, 9, 3};
	try {
		qsort(numbers, 5, sizeof(int), compare);
	} catch (int number) {
		return number;
	}
	return 0;
}

static long catch_many(int rounds)
{
	long caught = 0;
	int open = 0;
	for (int i = 0; i < rounds; i++) {
		try {
			thrown_deep(i % 60, &open);
		} catch (const std::runtime_error &error) {
			caught += std::strlen(error.what());
		}
	}
	return open ? -1 : caught;
}

static std::exception_ptr across_threads()
{
	std::exception_ptr carried;
	std::thread thread([&] {
		try {
			std::vector<int>().at(3);
		} catch (...) {
			carried = std::current_exception();
		}
	});
	thread.join();
	return carried;
}

static void *cancelled(void *argument)
{
	Guard guard(static_cast<int *>(argument));
	char byte;
	int ends[2];
	if (pipe(ends) == 0)
		(void)!read(ends[0], &byte, 1);
	return nullptr;
}

static void cancel_one()
{
	int open = 0;
	pthread_t thread;
	void *result;
	pthread_create(&thread, nullptr, cancelled, &open);
	usleep(20000);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	std::printf("cancelled %d, open guards %d\n", result == PTHREAD_CANCELED, open);
}

static void all(const char *who)
{
	std::vector<std::thread> threads;
	long sums[4];
	for (int i = 0; i < 4; i++)
		threads.emplace_back([&sums, i] { sums[i] = catch_many(80); });
	for (auto &thread : threads)
		thread.join();
	std::printf("%s: %ld %ld %ld %ld, through libc %d\n", who, sums[0], sums[1], sums[2], sums[3],
		    throw_through_libc());
	try {
		std::rethrow_exception(across_threads());
	} catch (const std::out_of_range &) {
		std::printf("%s: carried over\n", who);
	}
	cancel_one();
	std::fflush(stdout);
}

int main()
{
	pages = static_cast<char *>(mmap(nullptr, 64 * 4096, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	all("parent");
	pid_t child = fork();
	if (child == 0) {
		all("child");
		_exit(5);
	}
	int status;
	waitpid(child, &status, 0);
	std::printf("status %d\n", WEXITSTATUS(status));
	all("parent again");
}
