/** One reader of the records, among others in the same thread. */
export interface Job {
  /** Reads and passes on what is new, within some milliseconds. Answers whether there was anything, and whether there is more. */
  turn(): 'nothing' | 'some' | 'more'
}
