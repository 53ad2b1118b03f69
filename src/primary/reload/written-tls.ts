import { formatShare } from '../../shared/base/units.ts'
import type { AcmeConfig, CertificateFiles, ClientAuth, InternalCaConfig, ListenerTls, UpstreamTls } from '../../shared/config/tls-model.ts'
import { given, list, type WrittenSection } from './written.ts'

/** How a listener ends TLS; what is in the files is no matter of the config. */
export function writtenListenerTls(tls: ListenerTls): WrittenSection {
  return given({
    certificates: list(tls.certificates.map(certificateText)),
    acme: tls.acme === null ? null : writtenAcme(tls.acme),
    internal: tls.internal === null ? null : writtenInternal(tls.internal),
    ...writtenHandshake(tls),
    unknownName: tls.unknownName,
    alpn: list(tls.alpn),
    tickets: tls.tickets ? 'on' : 'off',
    clientAuth: tls.clientAuth === null ? null : writtenClientAuth(tls.clientAuth),
  })
}

/** How the servers of an upstream are spoken to. */
export function writtenUpstreamTls(tls: UpstreamTls): WrittenSection {
  const { verify, ca, serverName, certificate } = tls
  return given({
    verify: String(verify),
    ca,
    serverName,
    certificate: certificate === null ? null : { cert: certificate.cert, key: certificate.key },
    ...writtenHandshake(tls),
  })
}

function writtenHandshake({ minVersion, maxVersion, ciphers, cipherSuites, groups }: ListenerTls | UpstreamTls): WrittenSection {
  return { minVersion, maxVersion, ciphers, cipherSuites, groups }
}

function certificateText({ cert, key, ocsp }: CertificateFiles): string {
  const staple = ocsp === 'off' ? '' : ` (ocsp: ${typeof ocsp === 'object' ? ocsp.file : ocsp})`
  return `${cert} with ${key}${staple}`
}

function writtenAcme({ email, domains, directory, directoryCa, storage, challenge, renewBefore }: AcmeConfig): WrittenSection {
  return given({
    email,
    domains: list(domains),
    directory,
    directoryCa,
    storage,
    challenge,
    renewBefore: formatShare(Math.round(renewBefore * 1e6) / 1e6),
  })
}

function writtenInternal({ names, storage }: InternalCaConfig): WrittenSection {
  return { names: list(names), storage }
}

function writtenClientAuth({ mode, ca, headers }: ClientAuth): WrittenSection {
  return { mode, ca, headers: { subject: headers.subject || 'off', fingerprint: headers.fingerprint || 'off' } }
}
