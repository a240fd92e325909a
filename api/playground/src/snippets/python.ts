import type { Call } from './index.ts';
import { literal, pieces } from './literals.ts';

export const python = (call: Call): string => `import os
import urllib.request

body = (
    ${pieces(call.body, '\n    ')}
)
request = urllib.request.Request(
    ${literal(call.address)},
    data=body.encode(),
    headers={
        "Authorization": "Bearer " + os.environ["TOKEN"],
${call.headers.map(([name, value]) => `        ${literal(name)}: ${literal(value)},\n`).join('')}    },
)
with urllib.request.urlopen(request) as response:
    print(response.read().decode())
`;
