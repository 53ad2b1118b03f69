// How much CPU does it cost to pass 1 GB on in transfers of 64 MiB, where asking and starting no longer count?
import { bulkCase } from '../lib/bulk.ts'

export const tcpBulk64m = bulkCase('tcp-bulk-64m', 64 * 1_048_576)
