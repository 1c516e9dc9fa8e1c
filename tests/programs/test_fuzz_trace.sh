#!/bin/bash
# A short run of the fuzzer over all that reads recordings; make fuzz is the long one.
# timeout: 600
command -v clang >/dev/null || { echo "there is no clang"; exit 77; }
cd "$TOP" && "${MAKE:-make}" --no-print-directory BUILD="$(dirname "$TEST_LIBRARY")" fuzz \
	FUZZ_SECONDS="${FUZZ_SECONDS:-20}"
