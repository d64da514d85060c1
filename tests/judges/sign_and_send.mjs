// Two portals written in JavaScript, with libraries that Mizan's authors did not write: npm http-message-signatures
// and npm http-message-sig, named by the first argument. Takes the same list of orders on standard input as
// sign_and_send.py, and prints the same list of answers.
import { createHash, createHmac, createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../.judges/', import.meta.url));
const library = require(process.argv[2]);

function privateKey(order) {
  const bytes = Buffer.from(order.key, 'base64');
  if (order.algorithm === 'hmac-sha256') return bytes;
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), bytes]);
  return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
}

const signers = {
  async 'http-message-signatures'(order, fields, request) {
    const key = library.createSigner(privateKey(order), order.algorithm, order.keyid);
    return (await library.httpbis.signMessage({ key, fields }, request)).headers;
  },

  async 'http-message-sig'(order, components, { method, url, headers }) {
    const key = privateKey(order);
    const signer = {
      algorithm: order.algorithm,
      sign: async (base) =>
        order.algorithm === 'hmac-sha256' ? createHmac('sha256', key).update(base).digest() : sign(null, base, key),
    };
    const parameters = { created: Math.floor(Date.now() / 1000), keyid: order.keyid, alg: order.algorithm };
    const request = new Request(url, { method, headers });
    const signed = await library.createSignature(request, { label: 'sig1', components, parameters, signer });
    return library.appendSignature(request.headers, signed);
  },
};

async function carryOut(order) {
  const headers = {};
  const fields = ['@method'];
  if (order.covers === 'target-uri') {
    fields.push('@target-uri');
  } else {
    fields.push('@authority', '@path', ...(order.url.includes('?') ? ['@query'] : []));
  }
  if (order.body !== null) {
    headers['content-type'] = 'application/json';
    headers['content-digest'] = `sha-512=:${createHash('sha512').update(order.body).digest('base64')}:`;
    fields.push('content-digest', 'content-type');
  }
  if (order.idempotency_key) {
    headers['idempotency-key'] = `"${order.idempotency_key}"`;
    fields.push('idempotency-key');
  }
  const { method, url } = order;
  const signed = await signers[process.argv[2]](order, fields, { method, url, headers });
  const answer = await fetch(url, { method, headers: signed, body: order.body ?? undefined });
  return { status: answer.status, body: await answer.text() };
}

const answers = [];
for (const order of JSON.parse(readFileSync(0, 'utf8'))) answers.push(await carryOut(order));
console.log(JSON.stringify(answers));
