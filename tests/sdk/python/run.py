"""The official OpenAI SDK for Python against an Atoma endpoint. See ../README.md."""

import asyncio
import http.client
import json
import math
import os
import socket
import sys
import traceback
from urllib.parse import urlsplit

import openai
from openai import AsyncOpenAI, OpenAI


def need(name):
    value = os.environ.get(name)
    if not value:
        print(f"{name} is not set, see tests/sdk/README.md", file=sys.stderr)
        sys.exit(2)
    return value


BASE_URL = need("ATOMA_BASE_URL").rstrip("/")
API_KEY = need("ATOMA_API_KEY")
POOR_KEY = need("ATOMA_POOR_KEY")
NARROW_KEY = need("ATOMA_NARROW_KEY")
MODEL = need("ATOMA_MODEL")
DEAD_MODEL = need("ATOMA_DEAD_MODEL")
EMBEDDING_MODEL = os.environ.get("ATOMA_EMBEDDING_MODEL") or MODEL
BODY_LIMIT = int(os.environ.get("ATOMA_BODY_LIMIT") or 4 * 1024 * 1024)

MESSAGES = [{"role": "user", "content": "Say hello."}]
# errors must be seen, not retried away; a hung call must fail the run
OPTIONS = {"base_url": BASE_URL, "max_retries": 0, "timeout": 60}
client = OpenAI(api_key=API_KEY, **OPTIONS)

CHECKS = []


def check(name):
    def register(run):
        CHECKS.append((name, run))
        return run

    return register


def chat(using=client, **options):
    options = {"model": MODEL, "messages": MESSAGES, "max_tokens": 16, "temperature": 0} | options
    return using.chat.completions.create(**options)


def refused(kind, status, code, call):
    """Runs `call`, which must raise the SDK's exception `kind` in OpenAI's shape."""
    try:
        answer = call()
    except openai.APIStatusError as error:
        assert type(error) is kind, f"{type(error).__name__}, not {kind.__name__}: {error}"
        assert error.status_code == status, error.status_code
        assert error.code == code, f"code {error.code}, not {code}: {error}"
        assert error.type, "no type"
        # the SDK keeps what is inside `error`
        assert isinstance(error.body, dict) and error.body["message"], error.body
        assert "param" in error.body, error.body
        return error
    raise AssertionError(f"not refused but answered: {answer!r}")


def adds_up(usage):
    assert usage.prompt_tokens > 0, usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens, usage


# --- models ---------------------------------------------------------------------------------------


@check("models: the list has the model")
def _():
    models = list(client.models.list())
    assert MODEL in [model.id for model in models], models
    assert all(model.object == "model" and model.owned_by for model in models)


@check("models: one by name")
def _():
    assert client.models.retrieve(MODEL).id == MODEL


@check("models: an unknown one is 404")
def _():
    refused(openai.NotFoundError, 404, "model_not_found", lambda: client.models.retrieve("no-such-model"))


# --- chat -----------------------------------------------------------------------------------------


@check("chat: an answer with usage")
def _():
    answer = chat()
    assert answer.object == "chat.completion" and answer.id and answer.model
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason in ("stop", "length")
    adds_up(answer.usage)


@check("chat: max_tokens is kept")
def _():
    answer = chat(max_tokens=3, messages=[{"role": "user", "content": "Count from one to twenty."}])
    assert answer.usage.completion_tokens <= 3, answer.usage


@check("chat: without max_tokens")
def _():
    answer = client.chat.completions.create(model=MODEL, messages=MESSAGES, temperature=0)
    assert answer.choices[0].finish_reason in ("stop", "length")
    adds_up(answer.usage)


@check("chat: the signed receipt is in the headers")
def _():
    raw = client.chat.completions.with_raw_response.create(
        model=MODEL, messages=MESSAGES, max_tokens=4, temperature=0
    )
    assert len(raw.headers["atoma-receipt"]) > 400, raw.headers
    assert raw.headers["x-request-id"]
    assert raw.parse().choices


@check("chat: system message, several turns, content in parts")
def _():
    answer = chat(
        messages=[
            {"role": "system", "content": "You are brief."},
            {"role": "user", "content": [{"type": "text", "text": "Hello."}]},
            {"role": "assistant", "content": "Hello."},
            {"role": "user", "content": "And goodbye?"},
        ]
    )
    assert answer.choices[0].message.content is not None


# --- streams --------------------------------------------------------------------------------------


@check("stream: deltas make the same text as the plain answer")
def _():
    plain = chat().choices[0].message.content
    chunks = list(chat(stream=True))
    assert all(chunk.object == "chat.completion.chunk" for chunk in chunks)
    assert len({chunk.id for chunk in chunks}) == 1, "ids differ"
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == plain, f"{text!r} is not {plain!r}"
    reasons = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
    assert reasons[-1] in ("stop", "length") and not any(reasons[:-1]), reasons
    assert all(chunk.usage is None for chunk in chunks), "usage was not asked for"


@check("stream: with usage")
def _():
    chunks = list(chat(stream=True, stream_options={"include_usage": True}))
    last = chunks[-1]
    assert last.choices == [] and last.usage, last
    adds_up(last.usage)
    assert all(chunk.usage is None for chunk in chunks[:-1])


@check("stream: left in the middle")
def _():
    stream = chat(stream=True, max_tokens=64)
    next(iter(stream))
    stream.close()
    assert chat(max_tokens=2).choices


# --- completions, embeddings ----------------------------------------------------------------------


@check("completions: an answer with usage")
def _():
    answer = client.completions.create(model=MODEL, prompt="Once upon a time", max_tokens=8, temperature=0)
    assert answer.object == "text_completion"
    assert isinstance(answer.choices[0].text, str)
    adds_up(answer.usage)


@check("completions: streamed")
def _():
    options = {"model": MODEL, "prompt": "Once upon a time", "max_tokens": 8, "temperature": 0}
    plain = client.completions.create(**options).choices[0].text
    chunks = list(client.completions.create(stream=True, **options))
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == plain


@check("embeddings: one text, several texts, both encodings")
def _():
    one = client.embeddings.create(model=EMBEDDING_MODEL, input="hello", encoding_format="float")
    assert one.usage.prompt_tokens > 0
    vector = one.data[0].embedding
    assert vector and all(math.isfinite(x) for x in vector)
    # without a format the SDK itself asks for base64 and decodes it
    several = client.embeddings.create(model=EMBEDDING_MODEL, input=["hello", "goodbye"])
    assert [item.index for item in several.data] == [0, 1]
    assert len(several.data[0].embedding) == len(vector)
    assert all(math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-6) for a, b in zip(several.data[0].embedding, vector))


# --- the asynchronous client ----------------------------------------------------------------------


@check("async: sixteen at once, half of them streams")
def _():
    async def plain(using):
        return (await chat(using)).choices[0].message.content

    async def stream(using):
        parts = []
        async for chunk in await chat(using, stream=True):
            if chunk.choices:
                parts.append(chunk.choices[0].delta.content or "")
        return "".join(parts)

    async def all_of_them():
        async with AsyncOpenAI(api_key=API_KEY, **OPTIONS) as using:
            return await asyncio.gather(*[(plain, stream)[i % 2](using) for i in range(16)])

    answers = asyncio.run(all_of_them())
    assert len(set(answers)) == 1, "one prompt, one seed, many answers"


# --- errors ---------------------------------------------------------------------------------------


@check("400: a body of the wrong shape")
def _():
    for messages in ("hello", [], [{"role": "nobody", "content": "hi"}], [{"content": "hi"}]):
        refused(openai.BadRequestError, 400, "invalid_body", lambda m=messages: chat(messages=m))


@check("400: an argument out of range")
def _():
    refused(openai.BadRequestError, 400, "invalid_body", lambda: chat(temperature=-1))
    refused(openai.BadRequestError, 400, "invalid_body", lambda: chat(max_tokens=-5))


@check("400: longer than the context")
def _():
    long = [{"role": "user", "content": "word " * 100_000}]
    refused(openai.BadRequestError, 400, "context_length_exceeded", lambda: chat(messages=long))


@check("400: not JSON")
def _():
    url = urlsplit(BASE_URL)
    connection = http.client.HTTPConnection(url.netloc, timeout=60)
    headers = {"authorization": f"Bearer {API_KEY}", "content-type": "application/json"}
    connection.request("POST", f"{url.path}/chat/completions", body=b'{"model": ', headers=headers)
    answer = connection.getresponse()
    error = json.loads(answer.read())["error"]
    assert (answer.status, error["code"]) == (400, "invalid_body"), error
    connection.close()


@check("401: an unknown key")
def _():
    stranger = OpenAI(api_key="atoma-not-a-key", **OPTIONS)
    refused(openai.AuthenticationError, 401, "invalid_api_key", lambda: chat(stranger))
    refused(openai.AuthenticationError, 401, "invalid_api_key", lambda: list(stranger.models.list()))


@check("402: too little money")
def _():
    poor = OpenAI(api_key=POOR_KEY, **OPTIONS)
    # the SDK has no class of its own for 402
    refused(openai.APIStatusError, 402, "insufficient_quota", lambda: chat(poor))
    refused(openai.APIStatusError, 402, "insufficient_quota", lambda: chat(poor, stream=True))


@check("404: an unknown model")
def _():
    refused(openai.NotFoundError, 404, "model_not_found", lambda: chat(model="no-such-model"))


@check("404: an unknown path")
def _():
    refused(openai.NotFoundError, 404, "not_found", lambda: client.get("/no/such/path", cast_to=object))


@check("413: too large a body")
def _():
    large = [{"role": "user", "content": "x" * BODY_LIMIT}]
    error = refused(openai.APIStatusError, 413, "body_too_large", lambda: chat(messages=large))
    assert str(BODY_LIMIT) in error.message, error.message


@check("429: one request too many, and the SDK's own retry")
def _():
    narrow = OpenAI(api_key=NARROW_KEY, **OPTIONS)
    url = urlsplit(BASE_URL)
    with socket.create_connection((url.hostname, url.port), timeout=60) as holder:
        # a request that stays unfinished; `100 Continue` says that the gateway has let it in
        holder.sendall(
            f"POST {url.path}/chat/completions HTTP/1.1\r\nhost: {url.netloc}\r\n"
            f"authorization: Bearer {NARROW_KEY}\r\ncontent-type: application/json\r\n"
            "content-length: 1000\r\nexpect: 100-continue\r\n\r\n".encode()
        )
        assert b"100 Continue" in holder.recv(1000)
        error = refused(openai.RateLimitError, 429, "overloaded", lambda: chat(narrow))
        assert int(error.response.headers["retry-after"]) >= 1
    assert chat(narrow.with_options(max_retries=5)).choices


@check("503: no node answers")
def _():
    refused(openai.InternalServerError, 503, "unavailable", lambda: chat(model=DEAD_MODEL))
    refused(openai.InternalServerError, 503, "unavailable", lambda: chat(model=DEAD_MODEL, stream=True))


@check("after all the errors: an answer")
def _():
    assert chat().choices[0].message.content


def main():
    failed = 0
    for name, run in CHECKS:
        try:
            run()
            print(f"ok    {name}", flush=True)
        except Exception as error:
            failed += 1
            place = traceback.extract_tb(error.__traceback__)[-1]
            print(f"FAIL  {name}\n      line {place.lineno}: {type(error).__name__}: {error}", flush=True)
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
