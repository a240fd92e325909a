"""The Python client gql, with its schema checks on, does what every integration does. Run by tests/clients/run."""

import os
import unittest

from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.requests import RequestsHTTPTransport
from graphql import GraphQLError

URL = os.environ["HUB_URL"]
BOARD = os.environ["HUB_BOARD_TOKEN"]
SCHOOL = os.environ["HUB_SCHOOL_TOKEN"]
# A child of the sandbox: the one in README.md.
CHILD = "child_4bshgqrgoh3l1bubfe42jrgc14"
# The client says that it takes anything, and would be answered as application/json.
ACCEPT = "application/graphql-response+json, application/json;q=0.9"


def session(token, purpose, **options):
    """A session of a caller, which notes the status of each answer in `statuses`."""
    headers = {"Samverka-Purpose": purpose, "Accept": ACCEPT}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    statuses = []
    transport = RequestsHTTPTransport(url=URL, headers=headers)
    opened = Client(transport=transport, **options).connect_sync()
    transport.session.hooks["response"].append(lambda answer, **_: statuses.append(answer.status_code))
    opened.statuses = statuses
    return opened


def ask(asking, text, **variables):
    document = gql(text)
    document.variable_values = variables
    return asking.execute(document)


class Gql(unittest.TestCase):
    """What it reads is checked against the schema that it fetches, and scalars are parsed by it."""

    @classmethod
    def setUpClass(cls):
        checked = {"fetch_schema_from_transport": True, "parse_results": True}
        cls.board = session(BOARD, "PROTECT", **checked)
        cls.school = session(SCHOOL, "SCHOOL", **checked)

    @classmethod
    def tearDownClass(cls):
        cls.board.client.close_sync()
        cls.school.client.close_sync()

    def assert_refused(self, status, code, asking, text, **variables):
        with self.assertRaises(TransportQueryError) as refused:
            ask(asking, text, **variables)
        self.assertEqual(asking.statuses[-1], status)
        errors = refused.exception.errors
        self.assertEqual([error["extensions"]["code"] for error in errors], [code])
        self.assertTrue(errors[0]["message"] and errors[0]["extensions"]["remedySv"])
        return refused.exception.data

    def test_reads_values_and_what_is_withheld(self):
        query = """query($id: ID!) { child(id: $id) { identity { givenNames }
            safetyPlan { planExists plan withheld { field rule legalGround ask } } } }"""
        child = ask(self.school, query, id=CHILD)["child"]
        self.assertEqual(child["identity"]["givenNames"], "Farhad")
        self.assertEqual((child["safetyPlan"]["planExists"], child["safetyPlan"]["plan"]), (True, None))
        [withheld] = [entry for entry in child["safetyPlan"]["withheld"] if entry["field"] == "plan"]
        self.assertEqual((withheld["rule"], withheld["legalGround"]), ("default-deny", "OSL 26 kap. 1 §"))
        whole = ask(self.board, query, id=CHILD)["child"]["safetyPlan"]
        self.assertTrue(whole["plan"].startswith("Uppföljd med barnet"))
        self.assertEqual(whole["withheld"], [])

    def test_writes_from_the_version_it_read_and_is_told_when_that_is_overtaken(self):
        voice = "query($id: ID!) { child(id: $id) { voice { version wishes } } }"
        update = """mutation($id: ID!, $version: String!, $set: VoicePatch) {
            updateVoice(childId: $id, expectedVersion: $version, set: $set) { child { voice { version wishes } } } }"""
        before = ask(self.board, voice, id=CHILD)["child"]["voice"]
        wishes = f"Vill spela fotboll. (gql, {os.getpid()})"
        written = ask(self.board, update, id=CHILD, version=before["version"], set={"wishes": wishes})
        after = written["updateVoice"]["child"]["voice"]
        self.assertEqual(after["wishes"], wishes)
        self.assertNotEqual(after["version"], before["version"])
        overtaken = {"id": CHILD, "version": before["version"], "set": {"wishes": "Något annat."}}
        data = self.assert_refused(200, "CONFLICT", self.board, update, **overtaken)
        self.assertEqual(data, {"updateVoice": None})
        self.assertEqual(ask(self.board, voice, id=CHILD)["child"]["voice"], after)

    def test_walks_through_the_pages_of_a_list(self):
        query = """query($after: String) { children(first: 100, after: $after) {
            edges { node { id } cursor } pageInfo { hasNextPage endCursor } } }"""
        ids, after, pages = [], None, 0
        while pages == 0 or after is not None:
            page = ask(self.board, query, after=after)["children"]
            ids += [edge["node"]["id"] for edge in page["edges"]]
            after = page["pageInfo"]["endCursor"] if page["pageInfo"]["hasNextPage"] else None
            pages += 1
        self.assertTrue(pages >= 2 and len(ids) > 100)
        self.assertEqual(len(set(ids)), len(ids))
        self.assertIn(CHILD, ids)

    def test_is_turned_away_without_a_good_token(self):
        for token, code in [(None, "UNAUTHENTICATED"), (f"{BOARD}x", "TOKEN_REFUSED")]:
            stranger = session(token, "PROTECT")
            self.assertIsNone(self.assert_refused(401, code, stranger, "{ me { role } }"))
            stranger.client.close_sync()

    def test_is_told_what_is_wrong_with_a_request(self):
        with self.assertRaises(GraphQLError):
            ask(self.board, "{ nonsense }")  # The client finds it by itself.
        unchecked = session(BOARD, "PROTECT")
        data = self.assert_refused(400, "GRAPHQL_VALIDATION_FAILED", unchecked, "{ nonsense }")
        self.assertIsNone(data)
        unchecked.client.close_sync()


if __name__ == "__main__":
    unittest.main(verbosity=2)
