// The official OpenAI SDK for JavaScript, with nothing but a base URL, against `atoma proxy`.

import assert from "node:assert/strict";
import OpenAI from "openai";

const model = process.env.ATOMA_MODEL;
const messages = [{ role: "user", content: "What is the sun?" }];
// the base URL and the key come from the environment, as users set them
const client = new OpenAI({ maxRetries: 0, timeout: 60_000 });

const names = [];
for await (const { id } of client.models.list()) names.push(id);
assert.ok(names.includes(model), names);

const answer = await client.chat.completions.create({ model, messages, max_tokens: 16 });
assert.ok(answer.choices[0].message.content, answer);
assert.ok(answer.usage.completion_tokens > 0, answer.usage);

const stream = await client.chat.completions.create({
  model,
  messages,
  max_tokens: 16,
  stream: true,
  stream_options: { include_usage: true },
});
let text = "";
let usage;
for await (const chunk of stream) {
  text += chunk.choices[0]?.delta.content ?? "";
  usage = chunk.usage ?? usage;
}
assert.ok(text);
assert.ok(usage.completion_tokens > 0, usage);

const completion = await client.completions.create({ model, prompt: "The sun is", max_tokens: 8 });
assert.equal(typeof completion.choices[0].text, "string", completion);

const vectors = await client.embeddings.create({ model, input: ["a", "b"] });
assert.equal(vectors.data.length, 2, vectors);

await assert.rejects(client.chat.completions.create({ model: "nobody", messages }), (error) => {
  assert.ok(error instanceof OpenAI.NotFoundError, error);
  assert.equal(error.code, "model_not_found");
  return true;
});

console.log("proxy: chat, stream, completion, embeddings, error");
