// Named checks: a function per promise of the manual, and a line per check.
import assert from 'node:assert/strict';

const checks = [];

export const check = (name, run) => checks.push({ name, run });

export async function run() {
  let failed = 0;
  for (const { name, run } of checks) {
    try {
      await run();
      console.log(`ok ${name}`);
    } catch (error) {
      failed++;
      const line = /_checks\.mjs:(\d+)/.exec(error.stack)?.[1];
      console.log(`FAIL ${name}: ${String(error).replace(/\s+/g, ' ')} (line ${line})`);
    }
  }
  return failed > 0 ? 1 : 0;
}

export const equal = (got, want, what) => {
  try {
    assert.deepEqual(got, want);
  } catch {
    const show = (value) => String(JSON.stringify(value)).slice(0, 300);
    throw new Error(`${what}: got ${show(got)}, want ${show(want)}`);
  }
};

// The error that the promise fails with.
export async function rejected(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('no error was raised');
}

// What a queue must give back as it was sent: texts that a careless encoder changes.
export const texts = {
  plain: 'hello',
  unicode: 'naïve Ω 日本語 🚀',
  xml: `<a b='1' c="2">&amp; ]]> &#13;</a>`,
  'line ends': 'one\r\ntwo\rthree\n\tfour',
  blanks: '  two before, two after  ',
  json: '{"a": "\\u00e9", "b": [1, null]}',
  base64: 'aGVsbG8gd29ybGQ=',
  percent: '100% a+b %2B &c=d',
  long: '0123456789abcdef'.repeat(2048),
};
