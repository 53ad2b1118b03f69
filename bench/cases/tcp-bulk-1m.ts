// How much CPU does it cost to pass 1 GB on in transfers of 1 MiB, each of which the client asks for?
import { bulkCase } from '../lib/bulk.ts'

export const tcpBulk1m = bulkCase('tcp-bulk-1m', 1_048_576)
