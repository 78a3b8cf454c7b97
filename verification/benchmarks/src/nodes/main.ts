// A node of the measured cluster in a process of its own. Its parent sends commands.
import { serve } from './child.ts'
import { serveNode } from './commands.ts'

serve(serveNode)
