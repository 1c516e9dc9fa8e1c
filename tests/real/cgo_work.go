// Goroutines, the collector, preemption by signals, nil pointers, and C code that writes and throws
// signals about, in one program.
package main

/*
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static long fill(char *at, long size, int value)
{
	memset(at, value, size);
	return at[size - 1];
}

static char *fresh(long size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void *thread(void *argument)
{
	char *pages = fresh(1 << 16);
	fill(pages, 1 << 16, 3);
	munmap(pages, 1 << 16);
	return argument;
}

static int run_thread(void)
{
	pthread_t id;
	return pthread_create(&id, NULL, thread, NULL) || pthread_join(id, NULL);
}
*/
import "C"

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

type node struct {
	next *node
	data [40]byte
}

func list(length int) *node {
	var first *node
	for i := 0; i < length; i++ {
		first = &node{next: first}
		first.data[0] = byte(i)
	}
	return first
}

func count(first *node) (sum int) {
	for ; first != nil; first = first.next {
		sum += int(first.data[0])
	}
	return
}

// A loop without calls: only a signal preempts it.
func spin(stop *int32) (turns int) {
	for atomic.LoadInt32(stop) == 0 {
		turns++
	}
	return
}

func nilPointer(pointer *node) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	return string(pointer.data[:])
}

func wildPointer() (text string) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { text = fmt.Sprint(recover() != nil) }()
	pages := C.fresh(4096)
	C.munmap(unsafe.Pointer(pages), 4096)
	*(*byte)(unsafe.Pointer(pages)) = 1
	return "written"
}

func main() {
	runtime.GOMAXPROCS(4)
	var stop int32
	var spinning, workers sync.WaitGroup
	for i := 0; i < 2; i++ {
		spinning.Add(1)
		go func() { spin(&stop); spinning.Done() }()
	}
	var sum int64
	for i := 0; i < 8; i++ {
		workers.Add(1)
		go func(seed int) {
			defer workers.Done()
			for round := 0; round < 20; round++ {
				atomic.AddInt64(&sum, int64(count(list(2000+seed))))
				pages := C.fresh(1 << 17)
				atomic.AddInt64(&sum, int64(C.fill(pages, 1<<17, C.int(seed))))
				C.munmap(unsafe.Pointer(pages), 1<<17)
				atomic.AddInt64(&sum, int64(C.run_thread()))
			}
		}(i)
	}
	workers.Wait()
	runtime.GC()
	atomic.StoreInt32(&stop, 1)
	spinning.Wait()
	fmt.Println("sum", sum)
	fmt.Println(nilPointer(nil))
	fmt.Println("fault became a panic:", wildPointer())

	signals := make(chan os.Signal, 10)
	signal.Notify(signals, syscall.SIGUSR2, syscall.SIGWINCH)
	for _, each := range []syscall.Signal{syscall.SIGUSR2, syscall.SIGWINCH} {
		syscall.Kill(os.Getpid(), each)
		fmt.Println(<-signals)
	}
	output, err := exec.Command("sh", "-c", "echo from a child; exit 3").Output()
	fmt.Print(string(output), err, "\n")
	timer := time.NewTimer(20 * time.Millisecond)
	<-timer.C
	var nothing *node
	fmt.Fprintln(os.Stderr, "now it ends")
	os.Exit(func() int { defer os.Exit(4); return int(nothing.data[0]) }())
}
