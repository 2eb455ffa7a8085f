//! Makes new inputs out of known ones: the same ones for the same target in every run.

use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

/// Changes to one input.
const MOST_EDITS: u32 = 5;
/// Longest range that one change copies, doubles or takes out.
const MOST_BYTES: usize = 64;
/// Numbers at which counting goes wrong.
const NUMBERS: [u64; 14] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    1 << 32,
    i64::MAX as u64,
    u64::MAX - 1,
    u64::MAX,
];
/// Texts at which reading goes wrong.
const TEXTS: [&[u8]; 22] = [
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"\"\"",
    b"-1",
    b"1e999",
    b"1e-320",
    b"18446744073709551616",
    b"\\u0000",
    b"\\ud800",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\0",
    b"\r\n",
    b"\n\n",
    b"data: ",
    b"[DONE]",
    b"[[[[[[[[",
    b"{\"\":",
    "\u{10ffff}".as_bytes(),
    "\u{301}".as_bytes(),
];

/// Makes mutants of a set of inputs.
pub(crate) struct Mutator {
    rng: ChaCha8Rng,
    inputs: Vec<Vec<u8>>,
    max_bytes: usize,
}

impl Mutator {
    pub(crate) fn new(name: &str, mut inputs: Vec<Vec<u8>>, max_bytes: usize) -> Self {
        inputs.push(Vec::new());
        let mut seed = [0; 32];
        for (place, byte) in name.bytes().enumerate() {
            seed[place % 32] ^= byte;
        }
        Self {
            rng: ChaCha8Rng::from_seed(seed),
            inputs,
            max_bytes,
        }
    }

    /// One of the inputs, changed in a few places.
    pub(crate) fn mutant(&mut self) -> Vec<u8> {
        let mut input = self.any_input();
        for _ in 0..self.rng.random_range(1..=MOST_EDITS) {
            self.edit(&mut input);
        }
        input.truncate(self.max_bytes);
        input
    }

    fn any_input(&mut self) -> Vec<u8> {
        self.inputs
            .choose(&mut self.rng)
            .cloned()
            .unwrap_or_default()
    }

    fn edit(&mut self, input: &mut Vec<u8>) {
        let place = self.rng.random_range(0..=input.len());
        match self.rng.random_range(0..10) {
            0 => {
                if let Some(byte) = input.get_mut(place) {
                    *byte ^= 1 << self.rng.random_range(0..8);
                }
            }
            1 => {
                if let Some(byte) = input.get_mut(place) {
                    *byte = self.rng.random();
                }
            }
            2 => self.insert(input, place),
            3 => {
                let end = self.end_of_range(input, place);
                input.drain(place..end);
            }
            4 => {
                let end = self.end_of_range(input, place);
                let copy = input[place..end].to_vec();
                let to = self.rng.random_range(0..=input.len());
                input.splice(to..to, copy);
            }
            5 => self.splice(input, place),
            6 => self.number_in_bytes(input, place),
            7 => self.number_in_text(input, place),
            8 => {
                let text = TEXTS.choose(&mut self.rng).copied().unwrap_or_default();
                input.splice(place..place, text.iter().copied());
            }
            _ => input.truncate(place),
        }
    }

    fn end_of_range(&mut self, input: &[u8], place: usize) -> usize {
        place
            + self
                .rng
                .random_range(0..=MOST_BYTES.min(input.len() - place))
    }

    fn insert(&mut self, input: &mut Vec<u8>, place: usize) {
        let count = self.rng.random_range(1..=4);
        let bytes: Vec<u8> = (0..count).map(|_| self.rng.random()).collect();
        input.splice(place..place, bytes);
    }

    /// A piece of another input in the place of what stands there.
    fn splice(&mut self, input: &mut Vec<u8>, place: usize) {
        let other = self.any_input();
        let from = self.rng.random_range(0..=other.len());
        let to = self.end_of_range(&other, from);
        let end = self.end_of_range(input, place);
        input.splice(place..end, other[from..to].iter().copied());
    }

    fn number_in_bytes(&mut self, input: &mut [u8], place: usize) {
        let number = NUMBERS.choose(&mut self.rng).copied().unwrap_or_default();
        let width = [1, 2, 4, 8].choose(&mut self.rng).copied().unwrap_or(1);
        for (byte, new) in input
            .iter_mut()
            .skip(place)
            .zip(&number.to_le_bytes()[..width])
        {
            *byte = *new;
        }
    }

    /// The first number from a place on becomes another.
    fn number_in_text(&mut self, input: &mut Vec<u8>, place: usize) {
        let number = NUMBERS.choose(&mut self.rng).copied().unwrap_or_default();
        let digit = |byte: &u8| byte.is_ascii_digit();
        let Some(start) = input[place..].iter().position(digit) else {
            return;
        };
        let start = place + start;
        let digits = input[start..].iter().take_while(|byte| digit(byte)).count();
        input.splice(start..start + digits, number.to_string().into_bytes());
    }
}
