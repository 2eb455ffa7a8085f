//! What can be wrong with a request.

/// What is wrong with a request: the same one fails again, on any engine of the model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadRequest {
    /// A prompt without a token.
    #[error("the prompt is empty")]
    EmptyPrompt,
    /// One of the texts that are to become vectors has no token.
    #[error("an input is empty")]
    EmptyInput,
    /// There is nothing to score.
    #[error("prompt and output must not be empty")]
    EmptyScore,
    /// The vocabulary has no such token.
    #[error("there is no token {0}")]
    NoToken(u32),
    /// An answer of no tokens.
    #[error("max_tokens must be at least 1")]
    MaxTokens,
    /// Too many texts to stop at, or too long ones.
    #[error("at most 16 stop strings of at most 1024 bytes")]
    Stops,
    /// Too many alternatives for each token.
    #[error("at most 20 log probabilities per token")]
    Logprobs,
    /// A number of the sampling that has no meaning.
    #[error("{name} must {range}")]
    Sampling {
        /// The number's name in a request.
        name: &'static str,
        /// Where it may lie, as said of one that does.
        range: &'static str,
    },
    /// A tool must be called, and there is none.
    #[error("tool_choice: there are no tools")]
    NoTools,
    /// A tool must be called, and the answer must have another form.
    #[error("tool_choice: an answer can't be a call and have a form of its own")]
    CallAndForm,
    /// The form of the answer can't be had.
    #[error("the answer's form: {0}")]
    Form(BadForm),
    /// A conversation, for a model that has none.
    #[error("the model has no chat template")]
    NoChatTemplate,
    /// The model's template doesn't take the conversation; in the template's words, or its library's.
    #[error("chat template: {0}")]
    ChatTemplate(String),
    /// A text has no tokens in the model's vocabulary; in the tokenizer's words.
    #[error("can't be tokenized: {0}")]
    Tokens(String),
    /// A text is to become tokens, and only a server has the tokenizer.
    #[error("there is no tokenizer here")]
    NoTokenizer,
    /// The model only makes vectors.
    #[error("an embedding model can't {0}")]
    OnlyEmbeds(&'static str),
    /// The server behind the engine finds fault with it.
    #[error(transparent)]
    Server(#[from] ServerRefusal),
}

/// Why an answer can't have the form that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadForm {
    /// How the model calls tools isn't known.
    #[error("the model's template shows no way to call tools that is known")]
    NoCallSyntax,
    /// The tool that must be called isn't among the tools.
    #[error("no such tool")]
    NoSuchTool,
    /// The schema is longer than any in use.
    #[error("a schema of more than {0} bytes")]
    SchemaTooLong(usize),
    /// A schema that is a number, a text or a list.
    #[error("a schema is an object")]
    NoSchema,
    /// The model's files name no token that ends an answer.
    #[error("the model has no end token")]
    NoEndToken,
    /// The schema can't be read or used; in the words of the library that reads it.
    #[error("{0}")]
    Schema(String),
}

/// What a server's refusal means. Its own words stay where they are: they hold paths, settings and parts of
/// prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerRefusal {
    /// Its model reads text alone.
    #[error("the model takes no images or sounds")]
    NoMedia,
    /// It isn't set up for tools, or for this choice among them.
    #[error("the model's server has no tools of this kind")]
    NoTools,
    /// Its model makes no vectors.
    #[error("the model makes no embeddings")]
    NoEmbeddings,
    /// Several answers without chance would be the same.
    #[error("`n`: more than one answer needs a temperature above 0")]
    ManyGreedy,
    /// More than its batch holds.
    #[error("the input is longer than the server takes at once")]
    BeyondBatch,
    /// It can't use the form of the answer.
    #[error("`response_format`: the server can't use it")]
    Form,
    /// The model's template refuses the conversation.
    #[error("`messages`: the conversation doesn't fit the model's template")]
    Conversation,
    /// It doesn't take this field, or this value of it.
    #[error("`{0}`: the model's server doesn't take it")]
    Field(&'static str),
    /// It doesn't do what is asked for.
    #[error("the model's server can't do this")]
    NotImplemented,
    /// It says no, and nothing that is known.
    #[error("the model's server refuses the request")]
    Unknown,
}
