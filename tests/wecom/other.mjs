// WeCom's own package: encrypts and opens what it is given, a JSON object a line in, one a line out.
import { createInterface } from 'node:readline';
import wecom from '@wecom/crypto';

const { decrypt, encrypt, getSignature } = wecom;

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  if (asked.do === 'encrypt') {
    const encrypted = encrypt(asked.aes_key, asked.message, asked.receiver);
    const signature = getSignature(asked.token, asked.timestamp, asked.nonce, encrypted);
    console.log(JSON.stringify({ encrypted, signature }));
  } else {
    const signature = getSignature(asked.token, asked.timestamp, asked.nonce, asked.encrypted);
    const { message, id } = decrypt(asked.aes_key, asked.encrypted);
    console.log(JSON.stringify({ message, receiver: id, signed: signature === asked.signature }));
  }
}
