// Express brings no types; these are the few that the scenarios use.
declare module 'express' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  export interface Request extends IncomingMessage {
    body: unknown
    ip: string
    ips: string[]
    protocol: string
    hostname: string
    params: Record<string, string>
    query: Record<string, string>
  }

  export interface Response extends ServerResponse {
    json(value: unknown): this
    send(value: string | Uint8Array): this
    status(code: number): this
    redirect(to: string): void
    cookie(name: string, value: string): this
  }

  export type RequestHandler = (req: Request, res: Response, next: () => void) => void

  export interface Application {
    (req: IncomingMessage, res: ServerResponse): void
    get(path: string, handler: RequestHandler): this
    post(path: string, ...handlers: RequestHandler[]): this
    use(handler: RequestHandler): this
    set(name: string, value: unknown): this
  }

  const express: {
    (): Application
    json(options?: { limit: string }): RequestHandler
    text(): RequestHandler
    static(folder: string): RequestHandler
  }
  export default express
}
