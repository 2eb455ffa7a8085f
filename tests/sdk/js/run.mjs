// The official OpenAI SDK for JavaScript against an Atoma endpoint. See ../README.md.

import assert from "node:assert/strict";
import net from "node:net";
import OpenAI from "openai";

function need(name) {
  const value = process.env[name];
  if (!value) {
    console.error(`${name} is not set, see tests/sdk/README.md`);
    process.exit(2);
  }
  return value;
}

const BASE_URL = need("ATOMA_BASE_URL").replace(/\/$/, "");
const API_KEY = need("ATOMA_API_KEY");
const POOR_KEY = need("ATOMA_POOR_KEY");
const NARROW_KEY = need("ATOMA_NARROW_KEY");
const MODEL = need("ATOMA_MODEL");
const DEAD_MODEL = need("ATOMA_DEAD_MODEL");
const EMBEDDING_MODEL = process.env.ATOMA_EMBEDDING_MODEL || MODEL;
const BODY_LIMIT = Number(process.env.ATOMA_BODY_LIMIT || 4 * 1024 * 1024);

const MESSAGES = [{ role: "user", content: "Say hello." }];
// errors must be seen, not retried away; a hung call must fail the run
const connect = (apiKey, maxRetries = 0) => new OpenAI({ apiKey, baseURL: BASE_URL, maxRetries, timeout: 60_000 });
const client = connect(API_KEY);

const checks = [];
const check = (name, run) => checks.push({ name, run });

const chat = (options = {}, using = client) =>
  using.chat.completions.create({ model: MODEL, messages: MESSAGES, max_tokens: 16, temperature: 0, ...options });

async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

/** Runs `call`, which must throw the SDK's exception `kind` in OpenAI's shape. */
async function refused(kind, status, code, call) {
  let answer;
  try {
    answer = await call();
  } catch (error) {
    assert.ok(error instanceof kind, `${error?.constructor?.name}, not ${kind.name}: ${error}`);
    assert.equal(error.status, status);
    assert.equal(error.code, code);
    assert.ok(error.type, "no type");
    // the SDK keeps what is inside `error`
    assert.ok(error.error.message, "no message");
    assert.ok("param" in error.error, "no param");
    return error;
  }
  assert.fail(`not refused but answered: ${JSON.stringify(answer)}`);
}

function addsUp(usage) {
  assert.ok(usage.prompt_tokens > 0);
  assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
}

// --- models --------------------------------------------------------------------------------------

check("models: the list has the model", async () => {
  const models = await collect(await client.models.list());
  assert.ok(models.some((model) => model.id === MODEL), JSON.stringify(models));
  assert.ok(models.every((model) => model.object === "model" && model.owned_by));
});

check("models: one by name", async () => {
  assert.equal((await client.models.retrieve(MODEL)).id, MODEL);
});

check("models: an unknown one is 404", async () => {
  await refused(OpenAI.NotFoundError, 404, "model_not_found", () => client.models.retrieve("no-such-model"));
});

// --- chat ----------------------------------------------------------------------------------------

check("chat: an answer with usage", async () => {
  const answer = await chat();
  assert.equal(answer.object, "chat.completion");
  assert.ok(answer.id && answer.model);
  assert.equal(answer.choices[0].message.role, "assistant");
  assert.ok(answer.choices[0].message.content);
  assert.ok(["stop", "length"].includes(answer.choices[0].finish_reason));
  addsUp(answer.usage);
});

check("chat: max_tokens is kept", async () => {
  const answer = await chat({ max_tokens: 3, messages: [{ role: "user", content: "Count from one to twenty." }] });
  assert.ok(answer.usage.completion_tokens <= 3);
});

check("chat: max_completion_tokens is kept", async () => {
  const answer = await chat({ max_tokens: undefined, max_completion_tokens: 3 });
  assert.ok(answer.usage.completion_tokens <= 3);
});

check("chat: the signed receipt is in the headers", async () => {
  const { data, response } = await chat({ max_tokens: 4 }).withResponse();
  assert.ok(response.headers.get("atoma-receipt").length > 400);
  assert.ok(response.headers.get("x-request-id"));
  assert.ok(data.choices.length);
});

// --- streams -------------------------------------------------------------------------------------

check("stream: deltas make the same text as the plain answer", async () => {
  const plain = (await chat()).choices[0].message.content;
  const chunks = await collect(await chat({ stream: true }));
  assert.ok(chunks.every((chunk) => chunk.object === "chat.completion.chunk"));
  assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
  const choices = chunks.flatMap((chunk) => chunk.choices);
  assert.equal(choices.map((choice) => choice.delta.content ?? "").join(""), plain);
  assert.ok(["stop", "length"].includes(choices.at(-1).finish_reason));
  assert.ok(choices.slice(0, -1).every((choice) => !choice.finish_reason));
  assert.ok(chunks.every((chunk) => !chunk.usage), "usage was not asked for");
});

check("stream: with usage", async () => {
  const chunks = await collect(await chat({ stream: true, stream_options: { include_usage: true } }));
  assert.deepEqual(chunks.at(-1).choices, []);
  addsUp(chunks.at(-1).usage);
  assert.ok(chunks.slice(0, -1).every((chunk) => !chunk.usage));
});

check("stream: the SDK's stream helper", async () => {
  const runner = client.chat.completions.stream({ model: MODEL, messages: MESSAGES, max_tokens: 16, temperature: 0 });
  const final = await runner.finalChatCompletion();
  assert.equal(final.choices[0].message.content, (await chat()).choices[0].message.content);
});

check("stream: left in the middle", async () => {
  const stream = await chat({ stream: true, max_tokens: 64 });
  for await (const _ of stream) break;
  assert.ok((await chat({ max_tokens: 2 })).choices.length);
});

check("streams: sixteen at once", async () => {
  const texts = await Promise.all(
    Array.from({ length: 16 }, async () => {
      const chunks = await collect(await chat({ stream: true }));
      return chunks.flatMap((chunk) => chunk.choices).map((choice) => choice.delta.content ?? "").join("");
    }),
  );
  assert.equal(new Set(texts).size, 1, "one prompt, one seed, many answers");
});

// --- completions, embeddings ---------------------------------------------------------------------

check("completions: plain and streamed", async () => {
  const options = { model: MODEL, prompt: "Once upon a time", max_tokens: 8, temperature: 0 };
  const answer = await client.completions.create(options);
  assert.equal(answer.object, "text_completion");
  addsUp(answer.usage);
  const chunks = await collect(await client.completions.create({ ...options, stream: true }));
  const text = chunks.flatMap((chunk) => chunk.choices).map((choice) => choice.text).join("");
  assert.equal(text, answer.choices[0].text);
});

check("embeddings: one text, several texts, both encodings", async () => {
  const one = await client.embeddings.create({ model: EMBEDDING_MODEL, input: "hello", encoding_format: "float" });
  assert.ok(one.usage.prompt_tokens > 0);
  const vector = one.data[0].embedding;
  assert.ok(vector.length && vector.every(Number.isFinite));
  // without a format the SDK itself asks for base64 and decodes it
  const several = await client.embeddings.create({ model: EMBEDDING_MODEL, input: ["hello", "goodbye"] });
  assert.deepEqual(several.data.map((item) => item.index), [0, 1]);
  assert.equal(several.data[0].embedding.length, vector.length);
  several.data[0].embedding.forEach((x, i) => assert.ok(Math.abs(x - vector[i]) < 1e-5));
});

// --- errors --------------------------------------------------------------------------------------

check("400: a body of the wrong shape", async () => {
  for (const messages of ["hello", [], [{ role: "nobody", content: "hi" }], [{ content: "hi" }]]) {
    await refused(OpenAI.BadRequestError, 400, "invalid_body", () => chat({ messages }));
  }
  await refused(OpenAI.BadRequestError, 400, "invalid_body", () => chat({ temperature: -1 }));
});

check("400: not JSON", async () => {
  const answer = await fetch(`${BASE_URL}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${API_KEY}`, "content-type": "application/json" },
    body: '{"model": ',
  });
  assert.equal(answer.status, 400);
  assert.equal((await answer.json()).error.code, "invalid_body");
});

check("401: an unknown key", async () => {
  await refused(OpenAI.AuthenticationError, 401, "invalid_api_key", () => chat({}, connect("atoma-not-a-key")));
});

check("402: too little money", async () => {
  const poor = connect(POOR_KEY);
  // the SDK has no class of its own for 402
  await refused(OpenAI.APIError, 402, "insufficient_quota", () => chat({}, poor));
  await refused(OpenAI.APIError, 402, "insufficient_quota", () => chat({ stream: true }, poor));
});

check("404: an unknown model", async () => {
  await refused(OpenAI.NotFoundError, 404, "model_not_found", () => chat({ model: "no-such-model" }));
});

check("404: an unknown path", async () => {
  await refused(OpenAI.NotFoundError, 404, "not_found", () => client.get("/no/such/path"));
});

check("413: too large a body", async () => {
  const messages = [{ role: "user", content: "x".repeat(BODY_LIMIT) }];
  const error = await refused(OpenAI.APIError, 413, "body_too_large", () => chat({ messages }));
  assert.ok(error.message.includes(String(BODY_LIMIT)), error.message);
});

check("429: one request too many, and the SDK's own retry", async () => {
  const url = new URL(BASE_URL);
  const holder = net.connect(Number(url.port), url.hostname);
  // a request that stays unfinished; `100 Continue` says that the gateway has let it in
  holder.write(
    `POST ${url.pathname}/chat/completions HTTP/1.1\r\nhost: ${url.host}\r\n` +
      `authorization: Bearer ${NARROW_KEY}\r\ncontent-type: application/json\r\n` +
      "content-length: 1000\r\nexpect: 100-continue\r\n\r\n",
  );
  const first = await new Promise((resolve, reject) => holder.once("data", resolve).once("error", reject));
  assert.ok(first.toString().includes("100 Continue"), first.toString());
  const error = await refused(OpenAI.RateLimitError, 429, "overloaded", () => chat({}, connect(NARROW_KEY)));
  assert.ok(Number(error.headers.get("retry-after")) >= 1);
  holder.destroy();
  assert.ok((await chat({}, connect(NARROW_KEY, 5))).choices.length);
});

check("503: no node answers", async () => {
  const model = DEAD_MODEL;
  await refused(OpenAI.InternalServerError, 503, "unavailable", () => chat({ model }));
  await refused(OpenAI.InternalServerError, 503, "unavailable", () => chat({ model, stream: true }));
});

check("after all the errors: an answer", async () => {
  assert.ok((await chat()).choices[0].message.content);
});

let failed = 0;
for (const { name, run } of checks) {
  try {
    await run();
    console.log(`ok    ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}\n      ${error?.stack ?? error}`);
  }
}
console.log(`${checks.length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
