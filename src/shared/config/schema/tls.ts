import { Type } from 'typebox'
import { defaultCipherSuites, defaultCiphers, defaultGroups, letsEncrypt } from '../tls-defaults.ts'
import { offOr, oneOrMany, option, optional, required, section, text } from './option.ts'

/** What is changed is for the handshakes to come; connections that are open go on as they began. */
const reload = 'new-connections'

/** What both sides of weir say of versions and algorithms. */
const handshake = {
  minVersion: option(text('tlsVersion'), { text: 'The oldest version of TLS that is spoken: "1.2" or "1.3".', reload, default: '1.2' }),
  maxVersion: option(text('tlsVersion'), { text: 'The newest version of TLS that is spoken.', reload, default: '1.3' }),
  ciphers: option(text('tlsCiphers'), {
    text: 'Ciphers of TLS 1.2, as OpenSSL writes them, joined by colons; the best first.',
    reload,
    default: defaultCiphers,
  }),
  cipherSuites: option(text('tlsCipherSuites'), {
    text: 'Cipher suites of TLS 1.3, joined by colons; the best first.',
    reload,
    default: defaultCipherSuites,
  }),
  groups: option(text('tlsGroups'), {
    text: 'Groups of the key exchange, joined by colons; the best first.',
    reload,
    default: defaultGroups,
  }),
}

const certificate = section({
  cert: required(text('filePath'), {
    text: 'PEM file with the certificate and after it those that lead to an authority. Relative to the config, as all files here; read again when it changes.',
    reload,
  }),
  key: required(text('filePath'), { text: 'PEM file with its private key, without a passphrase; read again when it changes.', reload }),
  ocsp: option(Type.Union([Type.Literal('off'), Type.Literal('fetch'), text('filePath')]), {
    text: 'What the authority says of the certificate (OCSP), stapled to the handshake: `fetch` asks it, a file holds its response in DER.',
    reload,
    default: 'off',
  }),
})

const acme = section({
  email: optional(text('filledText'), { text: 'Where the authority can write to.', reload }),
  domains: optional(Type.Array(text('certificateDomain'), { minItems: 1 }), {
    text: 'Names of the certificate. Left out: the hosts that the routes of the listener match exactly.',
    reload,
  }),
  directory: option(text('acmeDirectory'), { text: 'URL of the directory of the ACME server.', reload, default: letsEncrypt }),
  directoryCa: optional(text('filePath'), {
    text: 'PEM file with the authorities that are believed when that server is asked. Left out: those of the system.',
    reload,
  }),
  storage: optional(text('filePath'), {
    text: 'Folder of account, keys and certificates; several weirs may share it. Left out: `acme` in `$STATE_DIRECTORY`, else in `/var/lib/weir` for root and `~/.local/state/weir` for others.',
    reload,
  }),
  challenge: option(Type.Enum(['tls-alpn-01', 'http-01']), {
    text: 'How the authority sees that a name is ours: `tls-alpn-01` over this listener on port 443, `http-01` over a listener with protocol http on port 80.',
    reload,
    default: 'tls-alpn-01',
  }),
  renewBefore: optional(text('share', { least: 0.01, most: 0.9 }), {
    text: "The share of a certificate's life that is left when it is renewed. Left out: a third.",
    reload,
  }),
  agreeToTerms: required(Type.Literal(true), { text: 'That you agree to the terms of service of the authority.', reload }),
})

const internal = section({
  names: optional(oneOrMany(text('certificateName')), {
    text: 'Names and addresses of the certificate. Left out: the hosts of the routes, localhost, 127.0.0.1 and ::1.',
    reload,
  }),
  storage: optional(text('filePath'), {
    text: 'Folder of the authority. Left out: `internal-ca` where `acme.storage` would be.',
    reload,
  }),
})

const clientAuth = section({
  mode: required(Type.Enum(['optional', 'required']), {
    text: 'Whether a client without a certificate may connect; one with a bad certificate may not.',
    reload,
  }),
  ca: required(text('filePath'), { text: 'PEM file with the authorities whose client certificates are believed.', reload }),
  headers: option(
    section({
      subject: option(offOr(text('editedHeader')), {
        text: 'Request header that tells servers the subject (RFC 4514).',
        reload,
        default: 'X-Client-Cert-Subject',
      }),
      fingerprint: option(offOr(text('editedHeader')), {
        text: 'Request header that tells servers the SHA-256 of the certificate, in hex.',
        reload,
        default: 'X-Client-Cert-Fingerprint',
      }),
    }),
    { text: 'How servers learn of a verified certificate. What clients send under these names is removed.', reload, default: {} },
  ),
})

/** How a listener ends TLS. */
export const listenerTls = section({
  certificates: option(Type.Array(certificate), {
    text: 'Certificates by file. A client gets the one for the name that it asks for; RSA and ECDSA for the same names stand side by side.',
    reload,
    default: [],
  }),
  acme: optional(acme, { text: 'A certificate that an authority issues and renews over ACME (RFC 8555), such as Let’s Encrypt.', reload }),
  internal: optional(Type.Union([Type.Literal(true), internal]), {
    text: 'A certificate of an authority of its own, which `weir` makes, for development. Nobody else believes it.',
    reload,
  }),
  ...handshake,
  unknownName: option(Type.Enum(['default', 'reject']), {
    text: 'What a client gets that asks for another name, or for none: the first certificate, or an alert.',
    reload,
    default: 'default',
  }),
  alpn: optional(Type.Array(text('alpnName')), {
    text: 'Protocols that are agreed upon (ALPN), the best first; a client that offers only others is refused. Left out: `http/1.1` with protocol https, none with tcp. An empty list does not answer.',
    reload,
  }),
  tickets: option(Type.Enum(['on', 'off']), {
    text: 'Whether sessions are resumed by tickets. Their keys change every 12 hours, are the same in all workers, and outlive reloads and upgrades.',
    reload,
    default: 'on',
  }),
  clientAuth: optional(clientAuth, { text: 'Asks clients for certificates.', reload }),
})

const serverTls = section({
  verify: option(Type.Boolean(), {
    text: "Whether a server's certificate has to be believed and be for its name. Without it anybody in between can read and change everything.",
    reload,
    default: true,
  }),
  ca: optional(text('filePath'), {
    text: 'PEM file with the authorities that are believed; read again when it changes. Left out: those of the system.',
    reload,
  }),
  serverName: optional(text('tlsName'), {
    text: "The name that is asked for and that the certificate has to be for. Left out: the host of the server's address.",
    reload,
  }),
  certificate: optional(
    section({
      cert: required(text('filePath'), { text: 'PEM file with the certificate and its chain.', reload }),
      key: required(text('filePath'), { text: 'PEM file with its private key.', reload }),
    }),
    { text: 'What is shown to servers that ask for a certificate.', reload },
  ),
  ...handshake,
})

/** How servers are spoken to; `true` is all defaults. */
export const upstreamTls = Type.Union([Type.Literal(true), serverTls])
