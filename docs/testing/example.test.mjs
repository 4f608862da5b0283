// node --test, with a server at POLYMQ_ENDPOINT.
import assert from "node:assert/strict";
import test from "node:test";
import { Polymq } from "./polymq.mjs";

async function post(polymq, path, body) {
  const query = `account=${polymq.account}&region=${polymq.region}`;
  const response = await fetch(`${polymq.endpoint}/api/v1${path}?${query}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return response.json();
}

test("waits, moves time and begins with nothing", async () => {
  const polymq = new Polymq();
  await post(polymq, "/queues", { name: "orders", visibility_timeout_seconds: 3600 });
  const waiting = polymq.wait("orders", "paid");
  await post(polymq, "/queues/orders/messages", { messages: [{ body: "order 7 is paid" }] });
  assert.equal((await waiting).body, "order 7 is paid");
  assert.equal((await post(polymq, "/queues/orders/messages:receive", {})).messages.length, 1);
  assert.equal((await post(polymq, "/queues/orders/messages:receive", {})).messages.length, 0);
  await polymq.advance(3600);
  assert.equal((await post(polymq, "/queues/orders/messages:receive", {})).messages.length, 1);
  await polymq.reset();
  await assert.rejects(polymq.wait("orders", "", 0), /404/);
});
