import { defineConfig } from 'weir'

export default defineConfig({
  listeners: {
    web: {
      bind: ':8080',
      routes: [
        {
          match: { path: '/admin/' },
          upstream: 'api',
          // Runs for each request of this route; what it returns is the answer.
          onRequest(request) {
            if (request.header('authorization') === undefined) return { answer: { status: 401, body: 'sign in first\n' } }
            request.setHeader('x-from', request.clientIp)
            return undefined
          },
        },
        {
          match: {},
          upstream: 'api',
          // Requests of one user go to one server; without a user the upstream's own policy chooses.
          pick(request, servers) {
            const user = request.cookie('user')
            return user === undefined ? undefined : servers[user.length % servers.length]
          },
        },
      ],
    },
  },
  upstreams: {
    api: { servers: ['127.0.0.1:9001', '127.0.0.1:9002'] },
  },
})
