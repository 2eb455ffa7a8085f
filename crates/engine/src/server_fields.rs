//! What a request asks of servers outside this process, beyond what every engine has.

use serde_json::value::RawValue;

/// Most answers to one request.
pub const MAX_ANSWERS: u32 = 16;

/// Fields that only servers outside understand. Whoever takes a request in reads each of them and writes
/// it anew: nothing of a client's body gets to a server as it came.
#[derive(Debug, Clone)]
pub struct ServerFields {
    /// The messages of a chat with their images and sounds, of which
    /// [`Prompt::Chat`](crate::Prompt::Chat) has the text alone.
    pub messages: Option<Box<RawValue>>,
    /// Images and sounds in them.
    pub media: u32,
    /// How many answers are wanted, 1 to [`MAX_ANSWERS`].
    pub answers: u32,
    /// Divides the logits of tokens that occurred before; 1 is off.
    pub repetition_penalty: f32,
    /// More fields, by the names that OpenAI's protocol has for them.
    pub more: Vec<(&'static str, Box<RawValue>)>,
}

impl Default for ServerFields {
    fn default() -> Self {
        Self {
            messages: None,
            media: 0,
            answers: 1,
            repetition_penalty: 1.0,
            more: Vec::new(),
        }
    }
}
