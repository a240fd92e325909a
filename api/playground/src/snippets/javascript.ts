import type { Call } from './index.ts';
import { literal, pieces } from './literals.ts';

export const javascript = (call: Call): string => `// node ask.mjs
const body =
  ${pieces(call.body, ' +\n  ')};
const response = await fetch(${literal(call.address)}, {
  method: 'POST',
  headers: {
    Authorization: \`Bearer \${process.env.TOKEN}\`,
${call.headers.map(([name, value]) => `    ${literal(name)}: ${literal(value)},\n`).join('')}  },
  body,
});
console.log(await response.text());
`;
