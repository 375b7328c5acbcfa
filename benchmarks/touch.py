"""Write to so many megabytes of memory, once in huge pages and once in small ones, and end: see `touch_memory`."""

import mmap
import sys

PAGE = mmap.PAGESIZE
size = int(sys.argv[1]) << 20
held = []
for huge in (True, False):
    block = mmap.mmap(-1, size)
    if huge and hasattr(mmap, "MADV_HUGEPAGE"):
        block.madvise(mmap.MADV_HUGEPAGE)
    block[::PAGE] = b"1" * (size // PAGE)
    held.append(block)  # until both are there
