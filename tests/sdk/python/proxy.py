"""The official OpenAI SDK for Python, with nothing but a base URL, against `atoma proxy`."""

import os

import openai
from openai import OpenAI

MODEL = os.environ["ATOMA_MODEL"]
MESSAGES = [{"role": "user", "content": "What is the sun?"}]
# the base URL and the key come from the environment, as users set them
client = OpenAI(max_retries=0, timeout=60)

assert MODEL in [model.id for model in client.models.list()]

answer = client.chat.completions.create(model=MODEL, messages=MESSAGES, max_tokens=16)
assert answer.choices[0].message.content, answer
assert answer.usage.completion_tokens > 0, answer.usage

stream = client.chat.completions.create(
    model=MODEL,
    messages=MESSAGES,
    max_tokens=16,
    stream=True,
    stream_options={"include_usage": True},
)
chunks = list(stream)
text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
assert text, chunks
assert chunks[-1].usage.completion_tokens > 0, chunks[-1]

completion = client.completions.create(model=MODEL, prompt="The sun is", max_tokens=8)
assert completion.choices[0].text is not None, completion

vectors = client.embeddings.create(model=MODEL, input=["a", "b"])
assert len(vectors.data) == 2, vectors

try:
    client.chat.completions.create(model="nobody", messages=MESSAGES)
except openai.NotFoundError as error:
    assert error.code == "model_not_found", error.code
else:
    raise AssertionError("an unknown model was answered")

print("proxy: chat, stream, completion, embeddings, error")
