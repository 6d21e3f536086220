// A registry of npm packages on this machine, with what has been packed into a folder.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

interface Manifest {
  name: string
  version: string
}

const hash = (algorithm: string, bytes: Buffer, encoding: 'base64' | 'hex') =>
  createHash(algorithm).update(bytes).digest(encoding)

/** @param folder Its archives (`*.tgz`) are the packages. */
export async function createRegistry(folder: string): Promise<{ url: string; close(): Promise<unknown> }> {
  const archives = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  const packages = archives.map((archive) => {
    const json = execFileSync('tar', ['-xzOf', archive, 'package/package.json'], { cwd: folder, encoding: 'utf8' })
    return { archive, bytes: readFileSync(join(folder, archive)), manifest: JSON.parse(json) as Manifest }
  })
  const server = createServer((request, response) => {
    const [path = ''] = decodeURIComponent(request.url ?? '')
      .slice(1)
      .split('?')
    const found = packages.find(({ archive, manifest }) => path === manifest.name || path === archive)
    if (!found) {
      response.writeHead(404).end('{}')
      return
    }
    const { archive, bytes, manifest } = found
    if (path === archive) {
      response.end(bytes)
      return
    }
    const dist = {
      tarball: `${url}/${archive}`,
      shasum: hash('sha1', bytes, 'hex'),
      integrity: `sha512-${hash('sha512', bytes, 'base64')}`,
    }
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify({
        name: manifest.name,
        'dist-tags': { latest: manifest.version },
        versions: { [manifest.version]: { ...manifest, dist } },
        time: { [manifest.version]: '2026-01-01T00:00:00.000Z' },
      }),
    )
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, close: () => new Promise((done) => server.close(done)) }
}
