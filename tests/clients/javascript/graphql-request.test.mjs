import { ClientError, GraphQLClient } from 'graphql-request';
import { does, headersOf, noted, url } from './hub.mjs';

does('graphql-request', async (token, purpose, document, variables) => {
  const client = new GraphQLClient(url, { headers: headersOf(token, purpose), fetch: noted });
  try {
    return { data: await client.request(document, variables), errors: [] };
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return { data: error.response.data, errors: error.response.errors };
  }
});
