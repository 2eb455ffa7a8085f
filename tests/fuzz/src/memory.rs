//! How much memory a parser takes. It counts for the whole process, so one target runs at a time in each:
//! nextest gives every test a process of its own.

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The most bytes that are held at once while `run` runs, beside those held before.
pub(crate) fn peak_of(run: impl FnOnce()) -> usize {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    run();
    ALLOCATOR.peak_usage().saturating_sub(before)
}
