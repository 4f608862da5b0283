// A helper for tests in Node: copy this file beside them. It uses the server at POLYMQ_ENDPOINT (default
// http://localhost:4566), started with --test-mode. Each account is apart from all others, so that tests can
// run side by side.
//
//   const polymq = new Polymq();
//   const sqs = new SQSClient(polymq.aws);
//   await polymq.advance(3600);                          // a visibility timeout of an hour passes
//   const message = await polymq.wait("orders", "paid"); // a message that contains "paid"; it stays in the queue
//   await polymq.reset();                                // nothing is left

export class Polymq {
  constructor({ endpoint = process.env.POLYMQ_ENDPOINT ?? "http://localhost:4566", account = randomAccount(), region = "us-east-1" } = {}) {
    Object.assign(this, { endpoint, account, region });
  }

  /** Options of a client of the AWS SDK; an access key of twelve digits is its account. */
  get aws() {
    return { endpoint: this.endpoint, region: this.region, credentials: { accessKeyId: this.account, secretAccessKey: "test" } };
  }

  /** Moves the account's time forward. */
  advance(seconds) {
    return this.#call("POST", "/clock", { account: this.account, advance_seconds: seconds });
  }

  /** Waits for a message that contains a text, and does not receive it. Fails after timeout seconds. */
  wait(queue, match = "", timeout = 10) {
    const query = new URLSearchParams({ account: this.account, region: this.region, match, timeout });
    return this.#call("GET", `/queues/${encodeURIComponent(queue)}/messages:wait?${query}`);
  }

  /** Removes all that the account has. */
  reset() {
    return this.#call("POST", `/reset?account=${this.account}`);
  }

  async #call(method, path, body) {
    const response = await fetch(`${this.endpoint}/api/v1${path}`, {
      method,
      headers: { "Content-Type": "application/json" },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }
}

function randomAccount() {
  return String(1 + Math.floor(Math.random() * (1e12 - 1))).padStart(12, "0");
}
