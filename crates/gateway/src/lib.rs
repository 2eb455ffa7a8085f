//! an OpenAI endpoint for people with an API key
