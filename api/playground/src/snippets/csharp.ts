import type { Call } from './index.ts';
import { literal, pieces } from './literals.ts';

const HEADER = /^content-type$/i;

export const csharp = (call: Call): string => `using System.Net.Http.Headers;
using System.Text;

using var client = new HttpClient();
var token = Environment.GetEnvironmentVariable("TOKEN");
client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
${call.headers
  .filter(([name]) => !HEADER.test(name))
  .map(([name, value]) => `client.DefaultRequestHeaders.Add(${literal(name)}, ${literal(value)});\n`)
  .join('')}
var body =
    ${pieces(call.body, ' +\n    ')};
var response = await client.PostAsync(${literal(call.address)}, new StringContent(body, Encoding.UTF8, "application/json"));
Console.WriteLine(await response.Content.ReadAsStringAsync());
`;
