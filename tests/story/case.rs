//! A settlement that can be disputed, whose parties use the command; each story adds what it does with it.

use atoma_network::testing::Trial;
use std::ops::{Deref, DerefMut};

pub(crate) struct Case(Trial);

impl Case {
    pub(crate) async fn start() -> Self {
        Self(Trial::start().await)
    }
}

impl Deref for Case {
    type Target = Trial;

    fn deref(&self) -> &Trial {
        &self.0
    }
}

impl DerefMut for Case {
    fn deref_mut(&mut self) -> &mut Trial {
        &mut self.0
    }
}
