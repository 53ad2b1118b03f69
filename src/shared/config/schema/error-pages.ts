import { mapOf, option, optional, section, text } from './option.ts'

const errorPage = section({
  file: optional(text('filePath'), {
    text: 'File with the body, at most 1MiB, read when the config is loaded; relative to the config.',
    reload: 'next-exchange',
  }),
  body: optional(text('text'), { text: 'The body itself, instead of a file.', reload: 'next-exchange' }),
  contentType: option(text('headerValue'), {
    text: 'Content-Type of the body.',
    reload: 'next-exchange',
    default: 'text/html; charset=utf-8',
  }),
})

/** Bodies of weir's own error answers, by status. */
export const errorPages = option(mapOf('errorStatus', errorPage), {
  text: 'Bodies of the error answers that weir makes itself, by status.',
  reload: 'next-exchange',
  default: {},
})
