// Presigned URLs, as the AWS SDK's own signer makes them.
import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';

// Sha256 is what the signer takes for a hash, keyed or not.
class Sha256 {
  constructor(secret) {
    this.hash = secret ? createHmac('sha256', secret) : createHash('sha256');
  }

  update(data) {
    this.hash.update(data);
  }

  async digest() {
    return this.hash.digest();
  }
}

// A URL for one action of SQS's query protocol, good for a minute from a time on.
export async function presigned(at, credentials, query, signingDate = new Date()) {
  const url = new URL(at);
  const signer = new SignatureV4({ credentials, region: 'us-east-1', service: 'sqs', sha256: Sha256 });
  const { hostname, port, protocol, pathname: path } = url;
  const request = { method: 'GET', protocol, hostname, port: Number(port), path, query, headers: { host: url.host } };
  const signed = await signer.presign(request, { expiresIn: 60, signingDate });
  return `${url}?${new URLSearchParams(signed.query).toString().replaceAll('+', '%20')}`;
}

// The status and the code of the error.
export async function get(url) {
  const answer = await fetch(url);
  return [answer.status, /<Code>(.*)<\/Code>/.exec(await answer.text())?.[1]];
}
