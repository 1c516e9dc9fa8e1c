#!/bin/bash
# What code that runs in signal handlers can reach of libc and the loader.
. "$TOP/tests/lib.sh"

/usr/bin/python3 "$TOP/tests/programs/handler_symbols.py" "$TEST_LIBRARY" || wrong "see above"
