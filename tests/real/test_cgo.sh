#!/bin/bash
# Go with C code: a runtime with signal stacks, a collector and preemption by signals of its own.
# timeout: 240
. "$TOP/tests/lib.sh"

type go >/dev/null 2>&1 || skip "golang-go is not installed"
GOCACHE=$WORK/cache GOFLAGS=-p=2 go build -o "$WORK/cgo" "$TOP/tests/real/cgo_work.go" || wrong "go build"
"$TOP/tests/real/compare.sh" "$WORK/cgo" || wrong "as it is"
"$TOP/tests/real/compare.sh" env GOGC=5 GOMAXPROCS=2 "$WORK/cgo" || wrong "collecting all the time"
