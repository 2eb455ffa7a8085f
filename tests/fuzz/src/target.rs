//! One parser, what it is fed with, and what it must not do.

use crate::{corpus, memory, mutate::Mutator};
use std::{io, path::Path};

/// A parser under test.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, which is also its folder's in `corpus/`.
    pub name: &'static str,
    /// Inputs that the parser accepts, or nearly: mutants begin with them.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Feeds the parser. Panics where something doesn't hold.
    pub check: fn(&[u8]),
    /// Longer inputs show nothing that shorter ones don't.
    pub max_bytes: usize,
    /// How much memory it may take.
    pub memory: Memory,
    /// Mutants in each test run: as many as take a second or two.
    pub mutants: u32,
}

/// The most that may be held at once, beside what was held before.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Bytes whatever the input.
    pub fixed: usize,
    /// Bytes for each of its bytes.
    pub per_byte: usize,
}

impl Memory {
    /// What serde reserves at most for a length that it was told, before it has seen any of it; twice, for a list of
    /// lists.
    const RESERVED: usize = 2 << 20;
    /// For parsers that build a tree of what they read: a byte of JSON may become a value of 72 bytes, and
    /// vectors double.
    pub const TREE: Self = Self {
        fixed: Self::RESERVED + (256 << 10),
        per_byte: 512,
    };
    /// For parsers that keep what they read about as it is.
    pub const FLAT: Self = Self {
        fixed: Self::RESERVED + (128 << 10),
        per_byte: 16,
    };

    fn most(self, length: usize) -> usize {
        self.fixed + self.per_byte * length
    }
}

impl Target {
    /// Feeds one input, and holds the parser to its memory.
    ///
    /// # Panics
    /// If anything doesn't hold.
    pub fn feed(&self, input: &[u8]) {
        let input = &input[..input.len().min(self.max_bytes)];
        let peak = memory::peak_of(|| (self.check)(input));
        let most = self.memory.most(input.len());
        assert!(
            peak <= most,
            "{}: {peak} bytes held for an input of {}; {most} are allowed",
            self.name,
            input.len()
        );
    }

    /// Writes each seed into a file of a folder, and has the parser make what it makes but once: that is no
    /// input's memory.
    ///
    /// # Errors
    /// If a file can't be written.
    pub fn write_seeds(&self, folder: &Path) -> io::Result<()> {
        for (place, seed) in (self.seeds)().iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{place:02}")), seed)?;
            (self.check)(seed);
        }
        Ok(())
    }

    /// Feeds the corpus, then so many mutants of it: the same in every run.
    ///
    /// # Panics
    /// If anything doesn't hold; what was fed last is printed first.
    pub fn run(&self, mutants: u32) {
        let inputs = self.inputs();
        // what is made once, at the first input, is nobody's memory
        inputs.iter().for_each(|input| (self.check)(input));
        for input in &inputs {
            self.feed_or_tell(input);
        }
        let mut mutator = Mutator::new(self.name, inputs, self.max_bytes);
        for _ in 0..mutants {
            self.feed_or_tell(&mutator.mutant());
        }
    }

    /// Seeds and corpus.
    #[must_use]
    pub fn inputs(&self) -> Vec<Vec<u8>> {
        let mut inputs = (self.seeds)();
        inputs.extend(corpus::of(self.name));
        inputs
    }

    fn feed_or_tell(&self, input: &[u8]) {
        let fed = std::panic::AssertUnwindSafe(|| self.feed(input));
        if let Err(panic) = std::panic::catch_unwind(fed) {
            eprintln!("{}: this input fails: {}", self.name, input.escape_ascii());
            std::panic::resume_unwind(panic);
        }
    }
}
