// A certificate that nobody trusts, for a server of a test: browsers speak HTTP/2 over TLS only. Made when it is needed, so that
// no key lies about, in the little DER that RFC 5280 §4.1 asks for.

import { generateKeyPairSync, sign } from 'node:crypto'

const der = (tag: number, ...parts: (Uint8Array | number[] | string)[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array)))
  const { length } = body
  const said = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...said]), body])
}
const [INTEGER, BITS, OID, TEXT, TIME, SEQUENCE, SET] = [0x02, 0x03, 0x06, 0x0c, 0x17, 0x30, 0x31]

export const selfSigned = (): { key: string; cert: string } => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const ecdsaWithSha256 = der(SEQUENCE, der(OID, [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]))
  const commonName = der(OID, [0x55, 0x04, 0x03])
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, commonName, der(TEXT, 'resesh tests'))))
  const says = der(
    SEQUENCE,
    der(0xa0, der(INTEGER, [2])), // version 3
    der(INTEGER, [1]),
    ecdsaWithSha256,
    name,
    der(SEQUENCE, der(TIME, '200101000000Z'), der(TIME, '491231235959Z')),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  )
  const signed = der(SEQUENCE, says, ecdsaWithSha256, der(BITS, [0], sign('sha256', says, privateKey)))
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${signed.toString('base64')}\n-----END CERTIFICATE-----\n`,
  }
}
