/** What a thread of `MailParser` runs. */
import { worker } from 'workerpool'
import { parseHead, parseMail } from './parse-mail.ts'

worker({ parseMail, parseHead })
