// Samverka from Java 17, with nothing but the JDK: read a child, understand what is withheld, change something.
// Run it with `java Client.java`. A system of yours has a JSON library already; `Json` below stands in for it.

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;

public class Client {
    static final String HUB = Objects.requireNonNullElse(System.getenv("SAMVERKA_URL"), "http://127.0.0.1:8080");
    // "everyday" of GET /sandbox/children; made up, as all children of the sandbox
    static final String CHILD = "child_c58qdn9q4t3a79ora9jhktj4ig";

    static final String READ = """
        query Read($id: ID!) { child(id: $id) {
          identity { givenNames withheld { field rule legalGround ask } }
          placement { street withheld { field rule legalGround ask } }
          voice { version wishes } } }""";
    static final String UPDATE = """
        mutation Update($id: ID!, $version: String!, $wishes: String!) {
          updateVoice(childId: $id, expectedVersion: $version, set: { wishes: $wishes }) { child { voice { version wishes } } } }""";

    static final HttpClient HTTP = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

    /** An answer; one that never came has the status 503. */
    record Answer(int status, Json body, double retryAfter) {}

    /** The hub refused: `code` is stable, the sentences are for people. */
    static class Refused extends RuntimeException {
        final String code;

        Refused(Json body) {
            super(told(body, "code") + ": " + told(body, "sv") + " (" + told(body, "remedySv") + ")");
            code = told(body, "code");
        }

        static String told(Json body, String name) {
            return body.at("errors").at(0).at("extensions").at(name).text();
        }
    }

    static Answer post(String path, Map<String, ?> body, Map<String, String> headers) throws InterruptedException {
        var request = HttpRequest.newBuilder(URI.create(HUB + path)).timeout(Duration.ofSeconds(30))
            .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(Json.write(body)));
        headers.forEach(request::header);
        try {
            var answer = HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
            var after = answer.headers().firstValue("Retry-After").map(Double::parseDouble).orElse(1.0);
            return new Answer(answer.statusCode(), Json.read(answer.body()), after);
        } catch (IOException silence) {
            // No answer: nobody knows whether it was made, and the same key makes it harmless to ask again.
            return new Answer(503, new Json(Map.of()), 1);
        }
    }

    /** Asks as one agency in one role, for one purpose. */
    static class Hub {
        final String persona, purpose;
        String token;

        Hub(String persona, String purpose) {
            this.persona = persona;
            this.purpose = purpose;
        }

        /** The data of an answer. With a key a mutation is made once, however often it is sent. */
        Json ask(String query, Map<String, ?> variables, String key) throws InterruptedException {
            for (int attempt = 1; attempt <= 5; attempt++) {
                if (token == null) token = newToken();
                var headers = new LinkedHashMap<>(Map.of("Authorization", "Bearer " + token, "Samverka-Purpose", purpose));
                if (key != null) headers.put("Idempotency-Key", '"' + key + '"');
                var answer = post("/graphql", Map.of("query", query, "variables", variables), headers);
                boolean refused = answer.body().at("errors").value() != null;
                if (answer.status() == 429 || answer.status() == 503) {
                    Thread.sleep((long) (answer.retryAfter() * attempt * 1000));
                } else if (answer.status() == 401 && Refused.told(answer.body(), "code").equals("TOKEN_EXPIRED")) {
                    token = null;
                } else if (refused) {
                    throw new Refused(answer.body());
                } else {
                    return answer.body().at("data");
                }
            }
            throw new IllegalStateException("the hub does not answer");
        }

        /** In production this is your own issuer's work; see ../production.md. */
        String newToken() throws InterruptedException {
            var answer = post("/sandbox/token", Map.of("persona", persona), Map.of());
            if (answer.status() != 200) throw new Refused(answer.body());
            return answer.body().at("token").text();
        }

        Json child() throws InterruptedException {
            return ask(READ, Map.of("id", CHILD), null).at("child");
        }

        /** Writes from a version that was read; reads again and writes again where somebody else was first. */
        Json wish(String wishes, String version) throws InterruptedException {
            for (int attempt = 1; attempt <= 3; attempt++) {
                var key = UUID.randomUUID().toString(); // one for each change, kept while it is repeated
                try {
                    var variables = Map.of("id", CHILD, "version", version, "wishes", wishes);
                    return ask(UPDATE, variables, key).at("updateVoice").at("child");
                } catch (Refused refused) {
                    if (!refused.code.equals("CONFLICT")) throw refused;
                    var now = child().at("voice");
                    System.out.println("somebody wrote meanwhile: \"" + now.at("wishes").text() + "\"; look whether your change still holds");
                    version = now.at("version").text();
                }
            }
            throw new IllegalStateException("others write all the time");
        }
    }

    /** A value; or why it is not shown. Withheld is not empty: a null without an entry holds nothing that you may know of. */
    static String show(Json section, String field) {
        for (var withheld : section.at("withheld").list()) {
            if (withheld.at("field").text().equals(field)) {
                return "withheld by " + withheld.at("rule").text() + " (" + withheld.at("legalGround").text() + "); ask "
                    + withheld.at("ask").text();
            }
        }
        return Objects.requireNonNullElse(section.at(field).text(), "nothing that you may know of");
    }

    public static void main(String[] arguments) throws InterruptedException {
        Hub school = new Hub("skola", "SCHOOL"), board = new Hub("landskrona-soc", "PROTECT");
        for (var hub : List.of(school, board)) {
            var child = hub.child();
            System.out.println((hub == school ? "the school" : "the board") + ": name: " + show(child.at("identity"), "givenNames")
                + "; street: " + show(child.at("placement"), "street"));
        }
        var version = board.child().at("voice").at("version").text();
        board.wish("Vill spela fotboll.", version);
        var written = board.wish("Vill spela fotboll och gå i simskola.", version); // from a version that is old by now
        System.out.println("written: " + written.at("voice").at("wishes").text());
        try {
            school.wish("Vill byta skola.", version);
        } catch (Refused refused) {
            System.out.println("the school may not write it: " + refused.getMessage());
        }
    }

    /** Just enough JSON for this page. */
    record Json(Object value) {
        Json at(String name) {
            return new Json(value instanceof Map<?, ?> map ? map.get(name) : null);
        }

        Json at(int place) {
            return new Json(value instanceof List<?> list && place < list.size() ? list.get(place) : null);
        }

        List<Json> list() {
            return value instanceof List<?> list ? list.stream().map(Json::new).toList() : List.of();
        }

        String text() {
            return value == null ? null : value.toString();
        }

        static String write(Object value) {
            if (value instanceof Map<?, ?> map) {
                var members = map.entrySet().stream().map(entry -> write(entry.getKey()) + ":" + write(entry.getValue())).toList();
                return "{" + String.join(",", members) + "}";
            }
            var text = value.toString().replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
            return '"' + text + '"';
        }

        static Json read(String text) {
            return new Json(new Reader(text).value());
        }

        private static final class Reader {
            final String text;
            int at;

            Reader(String text) {
                this.text = text;
            }

            char next() {
                while (Character.isWhitespace(text.charAt(at))) at++;
                return text.charAt(at);
            }

            Object value() {
                return switch (next()) {
                    case '{' -> {
                        var map = new LinkedHashMap<String, Object>();
                        for (at++; next() != '}'; ) {
                            if (next() == ',') at++;
                            next();
                            var name = string();
                            next();
                            at++;
                            map.put(name, value());
                        }
                        at++;
                        yield map;
                    }
                    case '[' -> {
                        var list = new ArrayList<Object>();
                        for (at++; next() != ']'; ) {
                            if (next() == ',') at++;
                            list.add(value());
                        }
                        at++;
                        yield list;
                    }
                    case '"' -> string();
                    default -> {
                        int from = at;
                        while (at < text.length() && ",]} \n".indexOf(text.charAt(at)) < 0) at++;
                        var word = text.substring(from, at);
                        yield word.equals("null") ? null : word;
                    }
                };
            }

            String string() {
                var read = new StringBuilder();
                for (at++; text.charAt(at) != '"'; at++) {
                    char c = text.charAt(at);
                    if (c == '\\') {
                        c = text.charAt(++at);
                        if (c == 'u') {
                            c = (char) Integer.parseInt(text.substring(at + 1, at + 5), 16);
                            at += 4;
                        } else if ("bfnrt".indexOf(c) >= 0) {
                            c = "\b\f\n\r\t".charAt("bfnrt".indexOf(c));
                        }
                    }
                    read.append(c);
                }
                at++;
                return read.toString();
            }
        }
    }
}
