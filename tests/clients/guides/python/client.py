"""Samverka from Python, with nothing but the standard library: read a child, understand what is withheld, change something."""

import json
import os
import time
import urllib.error
import urllib.request
import uuid

HUB = os.environ.get("SAMVERKA_URL", "http://127.0.0.1:8080")
CHILD = "child_c58qdn9q4t3a79ora9jhktj4ig"  # "everyday" of GET /sandbox/children; made up, as all children of the sandbox

READ = """query Read($id: ID!) { child(id: $id) {
  identity { givenNames withheld { field rule legalGround ask } }
  placement { street withheld { field rule legalGround ask } }
  voice { version wishes } } }"""
UPDATE = """mutation Update($id: ID!, $version: String!, $wishes: String!) {
  updateVoice(childId: $id, expectedVersion: $version, set: { wishes: $wishes }) { child { voice { version wishes } } } }"""


def post(path, body, headers):
    """The status, the body and the headers of an answer; an error is an answer, too."""
    data = json.dumps(body).encode()
    request = urllib.request.Request(HUB + path, data, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, json.load(error), error.headers


class Refused(Exception):
    """The hub refused: `code` is stable, the sentences are for people."""

    def __init__(self, error):
        told = error["extensions"]
        super().__init__(f"{told['code']}: {told['sv']} ({told['remedySv']})")
        self.code = told["code"]


class Hub:
    """Asks as one agency in one role, for one purpose."""

    def __init__(self, persona, purpose):
        self.persona, self.purpose, self.token = persona, purpose, None

    def ask(self, query, variables, key=None):
        """The data of an answer. With a key a mutation is made once, however often it is sent."""
        for attempt in range(5):
            self.token = self.token or self.new_token()
            headers = {"Authorization": f"Bearer {self.token}", "Samverka-Purpose": self.purpose}
            if key:
                headers["Idempotency-Key"] = f'"{key}"'
            try:
                status, body, told = post("/graphql", {"query": query, "variables": variables}, headers)
            except OSError:  # no answer: nobody knows whether it was made, and the same key makes it harmless to ask again
                status, body, told = 503, {}, {}
            if status in (429, 503):
                time.sleep(float(told.get("Retry-After", 1)) * (attempt + 1))
            elif status == 401 and body["errors"][0]["extensions"]["code"] == "TOKEN_EXPIRED":
                self.token = None
            elif body.get("errors"):
                raise Refused(body["errors"][0])
            else:
                return body["data"]
        raise TimeoutError("the hub does not answer")

    def new_token(self):
        """In production this is your own issuer's work; see ../production.md."""
        status, body, _ = post("/sandbox/token", {"persona": self.persona}, {})
        if status != 200:
            raise Refused(body["errors"][0])
        return body["token"]

    def child(self):
        return self.ask(READ, {"id": CHILD})["child"]

    def wish(self, wishes, version):
        """Writes from a version that was read; reads again and writes again where somebody else was first."""
        for _ in range(3):
            key = uuid.uuid4()  # one for each change, kept while it is repeated
            try:
                return self.ask(UPDATE, {"id": CHILD, "version": version, "wishes": wishes}, key)["updateVoice"]["child"]
            except Refused as refused:
                if refused.code != "CONFLICT":
                    raise
                now = self.child()["voice"]
                print(f"somebody wrote meanwhile: {now['wishes']!r}; look whether your change still holds")
                version = now["version"]
        raise TimeoutError("others write all the time")


def show(section, field):
    """A value; or why it is not shown. Withheld is not empty: a null without an entry holds nothing that you may know of."""
    for withheld in section["withheld"]:
        if withheld["field"] == field:
            return f"withheld by {withheld['rule']} ({withheld['legalGround']}); ask {withheld['ask']}"
    return section[field] if section[field] is not None else "nothing that you may know of"


def main():
    school, board = Hub("skola", "SCHOOL"), Hub("landskrona-soc", "PROTECT")
    for who, hub in [("the school", school), ("the board", board)]:
        child = hub.child()
        print(f"{who}: name: {show(child['identity'], 'givenNames')}; street: {show(child['placement'], 'street')}")
    read = board.child()["voice"]
    board.wish("Vill spela fotboll.", read["version"])
    written = board.wish("Vill spela fotboll och gå i simskola.", read["version"])  # from a version that is old by now
    print(f"written: {written['voice']['wishes']}")
    try:
        school.wish("Vill byta skola.", read["version"])
    except Refused as refused:
        print(f"the school may not write it: {refused}")


if __name__ == "__main__":
    main()
