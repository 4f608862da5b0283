// Runs SDKs of Node against a polymq server, as an application would use them.
//
//   node program.mjs check GROUP...   runs the checks of the groups, such as sqs; prints a line for each and
//                                     ends with 1 if any failed
//   node program.mjs talk SDK         sends and receives what it is told on standard input: a JSON request per line,
//                                     {"op": "send", "queue": …, "text": …} or {"op": "receive", "queue": …}, and a
//                                     JSON answer per line: {"text": …} or {"error": …}
//
// POLYMQ_ENDPOINT is the server's URL; POLYMQ_ACCESS_KEY the access key, whose account the queues belong to.
import { run } from './checking.mjs';
import { talk } from './talking.mjs';

const [mode, ...rest] = process.argv.slice(2);
if (mode === 'talk') {
  await talk(rest[0]);
} else if (mode === 'check') {
  for (const group of rest) {
    await import(`./${group}_checks.mjs`); // registers its checks
  }
  process.exitCode = await run();
} else {
  console.error('usage: program.mjs check GROUP... | talk SDK');
  process.exitCode = 2;
}
