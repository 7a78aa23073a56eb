// What of the roots a look at them is to give.
#pragma once

// A search reads what may have changed since an earlier one; all that these and earlier roots refer to is
// marked after it.  For the verifier there is what the last search has read once more, and all.
enum gc_search_which { GC_SEARCH_CHANGED, GC_SEARCH_READ, GC_SEARCH_ALL };
