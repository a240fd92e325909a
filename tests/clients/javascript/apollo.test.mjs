import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from '@apollo/client/core';
import { does, headersOf, noted, url } from './hub.mjs';

// A section has no id of its own, so the cache merges it into what it holds of the child (README.md).
const merge = { merge: true };
const typePolicies = { Identity: merge, SafetyPlan: merge, Voice: merge };
// One client, with its cache, for each caller: what one may see is nothing for the other.
const clients = new Map();

function clientOf(token, purpose) {
  const key = `${token} ${purpose}`;
  if (!clients.has(key)) {
    const link = new HttpLink({ uri: url, headers: headersOf(token, purpose), fetch: noted });
    clients.set(key, new ApolloClient({ link, cache: new InMemoryCache({ typePolicies }) }));
  }
  return clients.get(key);
}

does('@apollo/client', async (token, purpose, text, variables) => {
  const client = clientOf(token, purpose);
  const document = gql(text);
  try {
    const { data } = text.startsWith('mutation')
      ? await client.mutate({ mutation: document, variables })
      : await client.query({ query: document, variables, fetchPolicy: 'network-only' });
    return { data, errors: [] };
  } catch (error) {
    if (!CombinedGraphQLErrors.is(error)) throw error;
    return { data: error.data, errors: error.errors };
  }
});
